import Foundation
import Martlet
import MartletEngine
import MartletTape

/// Runs a journal's inputs through an engine again, and compares what it says with what was said.
package struct JournalReplay {
    /// The first input after which the engine said something else.
    package struct Difference: Hashable, Sendable {
        /// Counted from 1.
        package var input: Int
        package var time: Timestamp
        /// What came in: `a delta`, `the clock`.
        package var what: String
        package var market: Market.ID?
        package var recorded: [VenueCommand]
        package var replayed: [VenueCommand]
    }
    package struct Summary: Sendable {
        package var inputs = 0
        package var commands = 0
        /// Commands of this replay, which differ from the recorded ones when a parameter was changed.
        package var replayedCommands = 0
        package var hash: UInt64 = 0
        package var difference: Difference?
        /// Inputs whose commands differed, when nothing ends at the first.
        package var differences = 0
        package var first = Timestamp.unknown
        package var last = Timestamp.unknown
        /// The journal's first input, whether or not it was replayed.
        package var begins = Timestamp.unknown
        package var ending: JournalReader.Ending = .clean
        /// Decisions that were asked for, in order.
        package var isStopped = false
        /// The run was ended in order: its last input says so.
        package var isWhole = false
        package var isIdentical: Bool { difference == nil }
        /// A file of the journal is damaged: what follows could not be replayed.
        package var isTorn: Bool {
            if case .torn = ending { true } else { false }
        }
    }

    /// Whether a difference ends the replay, or only counts.
    package var isExploring = false
    /// Inputs beyond this time are left.
    package var until = Timestamp.distantFuture
    /// Of each input with commands, recorded or replayed. False ends it.
    package var onCommands: (Timestamp, _ recorded: [VenueCommand], _ replayed: [VenueCommand]) -> Void = {
        _, _, _ in
    }
    /// Of each market's definition, before any command about it.
    package var onDefined: (Market) -> Void = { _ in }
    /// Of each order, by its strategy's index, before the command that sends it.
    package var onOrder: (OrderID, _ strategy: Int) -> Void = { _, _ in }
    package var onProgress: (_ bytes: Int, _ of: Int) -> Bool = { _, _ in true }

    package init() {}

    /// What is under way: an input, and what was said after it.
    private struct Turn {
        var time: Timestamp
        var input: EngineInput?
        var event: MarketEvent?
        var recorded: [VenueCommand] = []
        var replayed: [VenueCommand] = []
        var saidSomething = false
        var isChecked = false
    }

    /// - Parameter engine: as the journal's header describes it, or with something changed.
    package func run(_ reader: inout JournalReader, _ engine: inout Engine) throws -> Summary {
        var summary = Summary()
        var hash = OutputHash()
        var turn: Turn?
        engine.keepsRecords = true
        var left = 4096
        reading: while let record = reader.next() {
            switch record {
            case .event(let event):
                finish(&turn, &summary)
                guard goesOn(&summary, event.receiveTime) else { break reading }
                turn = Turn(time: event.receiveTime, event: event)
                summary.isWhole = false
                engine.handle(event)
                collect(&engine, &turn, &hash)
            case .input(let input, let time):
                finish(&turn, &summary)
                guard goesOn(&summary, time) else { break reading }
                turn = Turn(time: time, input: input)
                summary.isWhole = input == .stopped
                if case .defined(let market) = input { onDefined(market) }
                engine.handle(input, at: time)
                collect(&engine, &turn, &hash)
            case .command(let command, _):
                summary.commands += 1
                turn?.recorded.append(command)
            case .hash(let recorded):
                turn?.isChecked = true
                if !isExploring, recorded != hash.value {
                    note(turn, &summary)
                    break reading
                }
            case .note(.state(let strategy, let bytes, isRestored: true), _):
                try engine.restore(Data(bytes), strategy: strategy)
            case .note: break
            }
            if summary.difference != nil, !isExploring { break }
            left -= 1
            if left == 0 {
                left = 4096
                guard onProgress(reader.bytesRead, reader.byteCount) else {
                    summary.isStopped = true
                    break
                }
            }
        }
        // The last input's hash may be what a kill cut off.
        summary.ending = reader.ending ?? .clean
        if let turn {
            let isCutOff = reader.ending != .clean && !turn.isChecked
            if isExploring || !isCutOff { finishLast(turn, &summary) }
        }
        summary.hash = hash.value
        return summary
    }

    private func goesOn(_ summary: inout Summary, _ time: Timestamp) -> Bool {
        if !summary.begins.isKnown { summary.begins = time }
        guard time <= until else { return false }
        if summary.difference != nil, !isExploring { return false }
        summary.inputs += 1
        if !summary.first.isKnown { summary.first = time }
        summary.last = time
        return true
    }

    private func collect(_ engine: inout Engine, _ turn: inout Turn?, _ hash: inout OutputHash) {
        guard engine.hasOutputs else { return }
        var commands: [VenueCommand] = []
        while engine.hasOutputs {
            engine.drainOutputs { output in
                hash.fold(output)
                switch output {
                case .command(let command): commands.append(command)
                case .record(.order(let order, let strategy)): onOrder(order.id, strategy)
                default: break
                }
            }
        }
        turn?.replayed = commands
        turn?.saidSomething = true
    }

    /// An input's records are all read: whatever was said must have been written down.
    private func finish(_ turn: inout Turn?, _ summary: inout Summary) {
        guard let done = turn else { return }
        turn = nil
        if done.saidSomething != done.isChecked, !isExploring {
            note(done, &summary)
            return
        }
        settle(done, &summary)
    }

    private func finishLast(_ turn: Turn, _ summary: inout Summary) {
        var last: Turn? = turn
        finish(&last, &summary)
    }

    private func settle(_ turn: Turn, _ summary: inout Summary) {
        summary.replayedCommands += turn.replayed.count
        if turn.recorded.isEmpty, turn.replayed.isEmpty { return }
        onCommands(turn.time, turn.recorded, turn.replayed)
        guard turn.recorded != turn.replayed else { return }
        summary.differences += 1
        if summary.difference == nil { note(turn, &summary) }
    }

    private func note(_ turn: Turn?, _ summary: inout Summary) {
        guard let turn, summary.difference == nil else { return }
        let what =
            turn.event.map { JournalReplay.kind(.market($0)) } ?? turn.input.map(JournalReplay.kind)
            ?? "nothing"
        summary.difference = Difference(
            input: summary.inputs, time: turn.time, what: what,
            market: turn.event?.market ?? turn.input?.market, recorded: turn.recorded,
            replayed: turn.replayed)
    }

    /// An input in a word or two.
    private static func kind(_ input: EngineInput) -> String {
        switch input {
        case .started: "the start"
        case .defined(let market): "the definition of \(market.ticker)"
        case .market(let event):
            switch event.kind {
            case .delta: "a book change"
            case .trade: "a trade"
            case .snapshotStart: "the start of a snapshot"
            case .snapshotLevel: "a snapshot's level"
            case .groupEnd: "a group's end"
            }
        case .ticker: "a ticker"
        case .reference: "a reference value"
        case .status(_, let status): "the market's state \(status)"
        case .result(_, let result): "the market's result \(result)"
        case .settled: "a settlement"
        case .unusable: "the loss of a book"
        case .report(let report): "a report on order #\(report.order.number)"
        case .balance(_, let cash): "a balance of \(cash.display)"
        case .adoptedOrder: "an order from before the run"
        case .adoptedPosition: "a position from before the run"
        case .limits(let limits): "the rate limits of tier \(limits.tier)"
        case .clock: "the clock"
        case .command(let command): "the operator's \(command)"
        case .stopped: "the end"
        }
    }
}

extension EngineInput {
    /// The market that it is about, where it is about one.
    fileprivate var market: Market.ID? {
        switch self {
        case .market(let event): event.market
        case .status(let market, _), .result(let market, _), .settled(let market, _),
            .unusable(let market, _), .adoptedPosition(let market, _, _):
            market
        case .adoptedOrder(let order, _): order.market
        case .started, .defined, .ticker, .reference, .report, .balance, .limits, .clock, .command, .stopped:
            nil
        }
    }
}
