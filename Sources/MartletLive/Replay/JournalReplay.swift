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
        package var what: String
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
                if case .command(let command) = output { commands.append(command) }
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
            turn.event.map { "a \($0.kind) of market \($0.market.index)" }
            ?? turn.input.map { String("\($0)".prefix(200)) } ?? "nothing"
        summary.difference = Difference(
            input: summary.inputs, time: turn.time, what: what, recorded: turn.recorded,
            replayed: turn.replayed)
    }
}
