import Martlet

/// Horizontal bars on one scale, a row each: name, bar, figure. Rows are a grid of the page, so that names and
/// figures keep their size at any width.
struct Bars {
    struct Segment {
        var from: Double
        var to: Double
        var kind: String
        var tip: String
    }
    struct Row {
        var name: String
        var tip: String = ""
        var segments: [Segment]
        /// A tick across the bar.
        var mark: Double?
        var figure: HTML
    }
    var rows: [Row]

    func html() -> HTML {
        guard !rows.isEmpty else { return "" }
        let ends = rows.flatMap { row in
            row.segments.flatMap { [$0.from, $0.to] } + (row.mark.map { [$0] } ?? [])
        }
        let low = min(0, ends.min() ?? 0)
        let high = max(0, ends.max() ?? 0)
        let span = high > low ? high - low : 1
        func place(_ value: Double) -> String { Plot.short((value - low) / span * 100) }
        var out: HTML = #"<div class="bars">"#
        for row in rows {
            out += #"<div class="n" title="\#(row.tip.isEmpty ? row.name : row.tip)">\#(row.name)</div>"#
            out += #"<svg width="100%" height="26" aria-hidden="true">"#
            for segment in row.segments where segment.from != segment.to {
                let left = min(segment.from, segment.to)
                let width = Plot.short(abs(segment.to - segment.from) / span * 100)
                out +=
                    #"<rect class="\#(segment.kind)" x="\#(place(left))%" y="6" width="\#(width)%" height="14">"#
                out += "<title>\(segment.tip)</title></rect>"
            }
            out += #"<line class="z" x1="\#(place(0))%" x2="\#(place(0))%" y1="0" y2="26"/>"#
            if let mark = row.mark {
                out += #"<line class="net" x1="\#(place(mark))%" x2="\#(place(mark))%" y1="3" y2="23"/>"#
            }
            out += #"</svg><div class="q">\#(row.figure)</div>"#
        }
        return out + "</div>\n"
    }
}

/// A table whose first columns hold words and the rest figures.
struct Table {
    var heads: [String]
    /// How many columns from the left hold words.
    var words = 1
    /// The column of words that may take more than one line.
    var wraps: Int?
    private(set) var body: HTML = ""

    init(_ heads: [String], words: Int = 1, wraps: Int? = nil) {
        self.heads = heads
        self.words = words
        self.wraps = wraps
    }

    mutating func row(_ cells: [HTML], isSum: Bool = false) {
        body += isSum ? #"<tr class="sum">"# : "<tr>"
        for (index, cell) in cells.enumerated() {
            let kind: HTML = index == wraps ? #" class="x wrap""# : index < words ? #" class="x""# : ""
            body += "<td\(kind)>\(cell)</td>"
        }
        body += "</tr>\n"
    }

    func html() -> HTML {
        var head: HTML = ""
        for (index, name) in heads.enumerated() {
            let kind: HTML = index < words || index == wraps ? #" class="x""# : ""
            head += "<th\(kind)>\(name)</th>"
        }
        return """
            <div class="scroll"><table><thead><tr>\(head)</tr></thead><tbody>
            \(body)</tbody></table></div>

            """
    }
}
