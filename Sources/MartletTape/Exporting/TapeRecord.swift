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

/// What an import changes of a part before it is merged with the others.
struct TapeChange {
    /// A market's book that is not to be trusted after a time.
    struct End {
        var market: Market.ID
        var time: Timestamp
    }
    /// Nothing is received earlier.
    var notBefore: Timestamp = .unknown
    /// Ascending by time.
    var ends: [End] = []

    var isNone: Bool { !notBefore.isKnown && ends.isEmpty }

    func write(_ tape: TapeReader, to path: String) throws(TapeError) {
        let writer = try TapeWriter(path: path)
        var cursor = tape.cursor()
        var ended = 0
        while let record = try cursor.nextRecord() {
            while ended < ends.count, ends[ended].time < record.time {
                try writer.append(.unusable(ends[ended].market, .gap), at: ends[ended].time)
                ended += 1
            }
            try writer.append(record.notBefore(notBefore))
        }
        for end in ends[ended...] { try writer.append(.unusable(end.market, .gap), at: end.time) }
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
