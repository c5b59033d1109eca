import Martlet
import MartletEngine
import MartletTape

/// Where a run's inputs come from: a tape, or a generator. Inputs come in the order of their receive times.
package protocol RunSource: ~Copyable {
    /// Goes to the next input if it is a book event at hand, and hands it over; nil leaves everything as it was.
    mutating func nextHot() -> MarketEvent?
    /// Goes to the next input.
    mutating func next() throws -> RunStep
    /// After `.market`.
    var event: MarketEvent { get }
    /// After `.input`.
    var input: EngineInput { get }
    /// Receive time of the last input.
    var time: Timestamp { get }
    /// 0…1 of the whole.
    var fraction: Double { get }
}

extension RunSource where Self: ~Copyable {
    package mutating func nextHot() -> MarketEvent? { nil }
}

/// What a source's ``RunSource/next()`` came to.
@frozen
package enum RunStep: Sendable {
    case market
    case input
    case end
}

/// A tape's records as inputs.
package struct TapeSource: RunSource, ~Copyable {
    @usableFromInline var cursor: TapeCursor
    private let byteCount: Int

    package init(_ tape: TapeReader) {
        cursor = tape.cursor()
        byteCount = tape.byteCount
    }

    @inlinable @inline(__always)
    package mutating func nextHot() -> MarketEvent? { cursor.nextHot() }
    @inlinable @inline(__always)
    package mutating func next() throws -> RunStep {
        while true {
            switch try cursor.next() {
            case .market: return .market
            case .input: return .input
            case .note: continue
            case .end: return .end
            }
        }
    }
    @inlinable @inline(__always)
    package var event: MarketEvent { cursor.event }
    package var input: EngineInput { cursor.input }
    package var time: Timestamp { cursor.time }
    package var fraction: Double { Double(cursor.byteOffset) / Double(max(1, byteCount)) }
    /// Where the tape was cut off, once its end was reached.
    package var tornAt: Int? { cursor.tornAt }
}

/// Inputs from memory, for tests and small generated worlds.
package struct ArraySource: RunSource, ~Copyable {
    private let inputs: [(time: Timestamp, input: EngineInput)]
    private var position = -1

    package init(_ inputs: [(time: Timestamp, input: EngineInput)]) { self.inputs = inputs }

    package mutating func next() throws -> RunStep {
        position = min(position + 1, inputs.count)
        guard position < inputs.count else { return .end }
        if case .market = inputs[position].input { return .market }
        return .input
    }
    package var event: MarketEvent {
        guard case .market(let event) = inputs[position].input else {
            preconditionFailure("asked for an event where none is")
        }
        return event
    }
    package var input: EngineInput { inputs[position].input }
    package var time: Timestamp { inputs[min(max(position, 0), inputs.count - 1)].time }
    package var fraction: Double { Double(position) / Double(max(1, inputs.count)) }
}
