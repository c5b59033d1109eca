import Martlet

/// A chart that fits any width without script: lines and areas stretch with the plot, text and marks keep
/// their size.
///
/// The y labels are a column of fixed width; beside it an SVG of full width without a view box holds text and
/// marks at per cent positions, and in it a stretched SVG (1000 units wide, strokes not scaled) the paths.
struct Plot {
    /// How the read-out shows values.
    enum Format: String {
        case money, price, number, percent
    }
    let x: Axis
    let y: Axis
    /// Pixels of the plotted area.
    let height: Double
    /// Set where x is time: the read-out shows the clock.
    var origin: Timestamp?
    var format: Format = .number
    private var paths: HTML = ""
    private var marks: HTML = ""
    private var legend: HTML = ""

    static let top = 8.0
    static let bottom = 24.0

    init(x: Axis, y: Axis, height: Int, origin: Timestamp? = nil, format: Format = .number) {
        self.x = x
        self.y = y
        self.height = Double(height)
        self.origin = origin
        self.format = format
    }

    // MARK: Places

    /// Places outside the axis count as its ends.
    private func share(_ value: Double) -> Double { min(max(x.share(value), 0), 1) }
    private func unit(_ value: Double) -> String { "\(Int((share(value) * 1000).rounded()))" }
    private func pixel(_ value: Double) -> Double {
        ((1 - y.share(value)) * height * 2).rounded() / 2
    }
    private func percent(_ value: Double) -> String { Plot.short(share(value) * 100) + "%" }
    static func short(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        return FixedPoint.format(Int64(scaled), decimals: 2)
    }

    // MARK: Lines

    /// A line through points; nil breaks it. `isStep`: a value holds until the next.
    mutating func line(
        _ points: [(x: Double, y: Double?)], kind: String, name: String, isStep: Bool = false,
        until end: Double? = nil
    ) {
        let path = path(points, isStep: isStep, until: end)
        guard !path.isEmpty else { return }
        paths += #"<path class="l \#(kind)" data-n="\#(name)" d="\#(path)"/>"#
    }

    /// The area between a line and a value.
    mutating func area(
        _ points: [(x: Double, y: Double?)], base: Double, kind: String, isStep: Bool = false,
        until end: Double? = nil
    ) {
        let floor = Plot.short(pixel(base))
        for run in Plot.runs(points) {
            let last = max(end ?? -.infinity, run.last?.x ?? 0)
            let path = path(run, isStep: isStep, until: isStep ? last : nil)
            guard let first = run.first, !path.isEmpty else { continue }
            paths += #"<path class="a \#(kind)" d="\#(path)V\#(floor)H\#(unit(first.x))Z"/>"#
        }
    }

    /// The space between two step lines given as of the same places; drawn where both have a value.
    mutating func band(_ steps: [(x: Double, low: Double?, high: Double?)]) {
        var start: Int?
        for (index, step) in steps.enumerated() {
            if step.low != nil, step.high != nil {
                start = start ?? index
            } else if let first = start {
                let run = steps[first..<index]
                let over = path(run.map { ($0.x, $0.high) }, isStep: true, until: step.x)
                // Backwards along the lower line: down to it first, then a level before its place.
                var back = ""
                var level = ""
                for step in run.reversed() {
                    let next = Plot.short(pixel(step.low ?? 0))
                    if next != level { back += "V" + next }
                    level = next
                    let place = "H" + unit(step.x)
                    if let last = back.lastIndex(where: { $0 == "H" || $0 == "V" }), back[last] == "H" {
                        back = String(back[..<last])
                    }
                    back += place
                }
                paths += #"<path class="band" d="\#(over)\#(back)Z"/>"#
                start = nil
            }
        }
    }

    private static func runs(_ points: [(x: Double, y: Double?)]) -> [[(x: Double, y: Double?)]] {
        points.split { $0.y == nil }.map(Array.init)
    }

    private func path(_ points: [(x: Double, y: Double?)], isStep: Bool, until end: Double?) -> String {
        var text = ""
        var last: (x: String, y: String)?
        for point in points {
            guard let value = point.y else {
                if isStep, last != nil { text += "H" + unit(point.x) }
                last = nil
                continue
            }
            let place = (x: unit(point.x), y: Plot.short(pixel(value)))
            if let before = last {
                if isStep, before.y == place.y { continue }
                if before == place { continue }
                if isStep || before.x == place.x || before.y == place.y {
                    if before.x != place.x { text += "H" + place.x }
                    if before.y != place.y { text += "V" + place.y }
                } else {
                    text += "L\(place.x) \(place.y)"
                }
            } else {
                text += "M\(place.x) \(place.y)"
            }
            last = place
        }
        if isStep, last != nil, let end { text += "H" + unit(end) }
        return text
    }

    // MARK: Marks

    private static func reference(_ symbol: String) -> HTML { "href=\"#\(symbol)\"" }

    /// A mark of the page's symbols (`Symbols`) with a tool tip.
    mutating func mark(_ px: Double, _ py: Double, symbol: String, kind: String, tip: String) {
        marks +=
            #"<use \#(Plot.reference(symbol)) class="\#(kind)" x="\#(percent(px))" y="\#(Plot.short(pixel(py)))">"#
        marks += "<title>\(tip)</title></use>"
    }
    mutating func dot(_ px: Double, _ py: Double, radius: Double, kind: String, tip: String) {
        marks += #"<circle class="\#(kind)" cx="\#(percent(px))" cy="\#(Plot.short(pixel(py)))" "#
        marks += #"r="\#(Plot.short(radius))"><title>\#(tip)</title></circle>"#
    }
    /// A vertical line over the whole height.
    mutating func vertical(_ px: Double, kind: String, tip: String) {
        let place = percent(px)
        marks +=
            #"<line class="v \#(kind)" x1="\#(place)" x2="\#(place)" y1="0" y2="\#(Plot.short(height))">"#
        marks += "<title>\(tip)</title></line>"
    }
    /// A vertical line from one value to another.
    mutating func whisker(_ px: Double, from low: Double, to high: Double, kind: String) {
        let place = percent(px)
        marks += #"<line class="\#(kind)" x1="\#(place)" x2="\#(place)" y1="\#(Plot.short(pixel(low)))" "#
        marks += #"y2="\#(Plot.short(pixel(high)))"/>"#
    }
    /// A horizontal line over the whole width, with a few words at its right end.
    mutating func horizontal(_ py: Double, kind: String, words: String = "") {
        let place = Plot.short(pixel(py))
        marks += #"<line class="h \#(kind)" x1="0" x2="100%" y1="\#(place)" y2="\#(place)"/>"#
        if !words.isEmpty {
            let baseline = Plot.short(pixel(py) - 5)
            marks += #"<text class="w" x="100%" dx="-4" y="\#(baseline)" text-anchor="end">\#(words)</text>"#
        }
    }
    /// A stretch of time shaded over the whole height.
    mutating func shade(from low: Double, to high: Double, kind: String, tip: String) {
        let (a, b) = (share(low), share(high))
        marks += #"<rect class="s \#(kind)" x="\#(Plot.short(a * 100))%" y="0" "#
        marks += #"width="\#(Plot.short((b - a) * 100))%" height="\#(Plot.short(height))">"#
        marks += "<title>\(tip)</title></rect>"
    }

    /// An entry of the legend: `line`, `dash`, `area` or a symbol's name.
    mutating func explain(_ shape: String, kind: String, _ words: String) {
        switch shape {
        case "line", "dash", "area":
            legend += #"<span class="k"><i class="\#(shape) \#(kind)"></i>\#(words)</span>"#
        default:
            legend += #"<span class="k"><svg width="14" height="14" class="ks" aria-hidden="true">"#
            legend += #"<use \#(Plot.reference(shape)) class="\#(kind)" x="7" y="7"/></svg>\#(words)</span>"#
        }
    }

    // MARK: The whole

    func html(title: String, unit: String, note: String = "") -> HTML {
        let longest = y.ticks.map(\.label.count).max() ?? 0
        // At least so wide that charts above each other share their time axis.
        let column = max(58, Int(Double(longest) * 6.7) + 14)
        let whole = Plot.short(height + Plot.top + Plot.bottom)
        var labels: HTML = ""
        var grid: HTML = ""
        for tick in y.ticks {
            let place = Plot.short(pixel(tick.value))
            labels +=
                #"<text x="\#(column - 8)" y="\#(place)" dy=".33em" text-anchor="end">\#(tick.label)</text>"#
            let kind: HTML = tick.value == 0 ? "g z" : "g"
            grid += #"<line class="\#(kind)" x1="0" x2="100%" y1="\#(place)" y2="\#(place)"/>"#
        }
        var below: HTML = ""
        for (index, tick) in x.ticks.enumerated() {
            let kind: HTML = index % 2 == 1 ? #" class="wide""# : ""
            let place = percent(tick.value)
            below += #"<line class="t" x1="\#(place)" x2="\#(place)" y1="\#(Plot.short(height))" "#
            below += #"y2="\#(Plot.short(height + 4))"/>"#
            below += #"<text\#(kind) x="\#(place)" y="\#(Plot.short(height + 19))" text-anchor="middle">"#
            below += "\(tick.label)</text>"
        }
        let caption: HTML = legend.text.isEmpty ? "" : #"<span class="legend">\#(legend)</span>"#
        let foot: HTML = note.isEmpty ? "" : #"<p class="note">\#(note)</p>"#
        let start = origin.map { "\($0.milliseconds)" } ?? ""
        return #"""
            <figure class="chart"><figcaption><b>\#(title)</b> <span class="unit">\#(unit)</span>\#(caption)</figcaption>
            <div class="frame"><svg class="y" width="\#(column)" height="\#(whole)" aria-hidden="true"><g transform="translate(0 \#(Plot.short(Plot.top)))">\#(labels)</g></svg>
            <div class="plot" data-o="\#(start)" data-x="\#("\(x.low) \(x.high)")" data-y="\#("\(y.low) \(y.high)")" data-h="\#(Plot.short(height))" data-f="\#(format.rawValue)"><svg class="p" width="100%" height="\#(whole)" role="img" aria-label="\#(title)"><g transform="translate(0 \#(Plot.short(Plot.top)))">\#(grid)<svg class="in" width="100%" height="\#(Plot.short(height))" viewBox="0 0 1000 \#(Plot.short(height))" preserveAspectRatio="none">\#(paths)</svg>\#(marks)\#(below)</g></svg></div></div>\#(foot)</figure>

            """#
    }
}
