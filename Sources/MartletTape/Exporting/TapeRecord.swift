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

extension TapeRecord {
    /// The same, received no earlier than `time`.
    func notBefore(_ time: Timestamp) -> TapeRecord {
        guard self.time < time else { return self }
        switch self {
        case .event(var event, let id):
            event.receiveTime = time
            return .event(event, tradeID: id)
        case .input(let input, _): return .input(input, at: time)
        case .note(let note, _): return .note(note, at: time)
        }
    }
}

extension TapeReader {
    /// Writes the same records to another tape, none received before `time`.
    func copy(to path: String, notBefore time: Timestamp) throws(TapeError) {
        let writer = try TapeWriter(path: path)
        var cursor = cursor()
        while let record = try cursor.nextRecord() { try writer.append(record.notBefore(time)) }
        try writer.finish(sync: false)
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
