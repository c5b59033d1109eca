import Martlet
import MartletEngine

/// Any record of a tape, by value: for tools, tests and exports. Backtests use the cursor's own properties instead.
public enum TapeRecord: Hashable, Sendable {
    case event(MarketEvent, tradeID: String?)
    case input(EngineInput, at: Timestamp)
    case note(TapeNote, at: Timestamp)

    /// When it was received.
    public var time: Timestamp {
        switch self {
        case .event(let event, _): event.receiveTime
        case .input(_, let time), .note(_, let time): time
        }
    }
}

extension TapeCursor {
    /// The next record by value, or nil at the end.
    public mutating func nextRecord() throws(TapeError) -> TapeRecord? {
        switch try next() {
        case .market: .event(event, tradeID: tradeID)
        case .input: .input(input, at: time)
        case .note: .note(note, at: time)
        case .end: nil
        }
    }
}

extension TapeWriter {
    /// Adds any record.
    public func append(_ record: TapeRecord) throws(TapeError) {
        switch record {
        case .event(let event, let id?): try append(event, tradeID: id)
        case .event(let event, nil): try append(event)
        case .input(let input, let time): try append(input, at: time)
        case .note(let note, let time): try append(note, at: time)
        }
    }
}
