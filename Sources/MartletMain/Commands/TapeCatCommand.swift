import Martlet
import MartletTape
import Synchronization

/// `martlet tape cat TAPE`: a tape's records as text, all or some.
enum TapeCatCommand {
    static let market = ListFlag("market", .text("PATTERN"), "only markets that fit, such as 'KXBTC15M-*'")
    static let kind = ListFlag(
        "kind", .choice("KIND", TapeExport.recordNames),
        "only records of this kind: " + TapeExport.recordNames.joined(separator: ", "))
    static let from = ValueFlag("from", .time, "only what was received at or after it")
    static let to = ValueFlag("to", .time, "only what was received before it")
    static let limit = ValueFlag(
        "limit", short: "n", .whole("N", in: 1...Int.max), "stop after so many records")

    static func command() -> Command {
        var command = Command(name: "cat", summary: "print a tape's records")
        command.discussion = """
            One record a line: the receive time, what it is, the market, side, price and contracts, the exchange's \
            time and marks such as groupEnd. With --json each line is one object, as 'martlet tape export' writes \
            it. A tape that was cut off is printed up to the tear.
            """
        command.operands = [.init("TAPE", .one, "the tape")]
        command.flags = [market, kind, from, to, limit]
        command.examples = [
            ("martlet tape cat day.tape --kind trade --market 'KXBTC*'", "the trades of some markets"),
            ("martlet tape cat day.tape --from 2026-05-11T05:40:00Z -n 50", "fifty records from a moment on"),
        ]
        command.run = { invocation, terminal in
            let tape = try TapeCommand.open(invocation.operands[0])
            let choice = MarketChoice(invocation[market])
            let export = try TapeExport.selected(
                invocation.isJSON ? .jsonLines : .plain, choice, records: invocation[kind], invocation)
            var left = invocation[limit] ?? .max
            try TapeCommand.attempt {
                try export.lines(of: tape, goesOn: { _ in !Interrupt.isRequested }) { line in
                    try terminal.line(line)
                    left -= 1
                    return left > 0
                }
            }
            if left > 0 { TapeCommand.noteTears([tape], terminal) }
            try choice.check(invocation.operands[0])
            return .success
        }
        return command
    }
}

extension TapeExport {
    /// With what the flags say of times.
    static func selected(
        _ form: Form, _ choice: MarketChoice, records: [String] = [], _ invocation: Invocation
    ) throws(CommandError) -> TapeExport {
        var export = TapeExport(form)
        if choice.isChoice { export.wants = { choice.accepts($0) } }
        let span = try TapeCommand.span(invocation)
        export.from = span.from
        export.to = span.to
        export.records = Set(records)
        return export
    }
}

/// The markets that `--market` names, and whether there was any.
final class MarketChoice: Sendable {
    private let patterns: [String]
    private let filter: TickerFilter
    private let hasFound = Atomic(false)

    init(_ patterns: [String]) {
        self.patterns = patterns
        filter = TickerFilter(patterns)
    }
    var isChoice: Bool { !filter.isEmpty }

    func accepts(_ ticker: String) -> Bool {
        guard filter.accepts(ticker) else { return false }
        hasFound.store(true, ordering: .relaxed)
        return true
    }

    /// After reading: a pattern that no market fits is no empty success.
    func check(_ path: String) throws(CommandError) {
        guard isChoice, !hasFound.load(ordering: .relaxed) else { return }
        throw CommandError(
            "no market of \(path) fits \(patterns.joined(separator: ", ")); 'martlet tape info' lists them",
            code: .nothingUsable)
    }
}
