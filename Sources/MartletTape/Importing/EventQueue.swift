import Martlet
import MartletEngine

/// What is to be written to a tape but may still get its end-of-group mark, in order.
struct EventQueue {
    /// What an item holds beside a market event; most hold nothing more.
    private final class Extra {
        let input: EngineInput?
        let note: TapeNote?
        let tradeID: String?
        init(input: EngineInput? = nil, note: TapeNote? = nil, tradeID: String? = nil) {
            self.input = input
            self.note = note
            self.tradeID = tradeID
        }
    }
    private struct Item {
        var event: MarketEvent
        var extra: Extra?
        var isEvent: Bool { extra == nil || extra?.tradeID != nil }
    }

    private var items: [Item] = []
    private var head = 0
    /// How many items were removed before `items` began.
    private var base = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    /// The number of the first item still here; numbers go up by one an item for ever.
    var firstNumber: Int { base + head }

    /// Returns the item's number.
    @discardableResult
    mutating func append(_ event: MarketEvent, tradeID: String? = nil) -> Int {
        items.append(Item(event: event, extra: tradeID.map { Extra(tradeID: $0) }))
        return base + items.count - 1
    }
    mutating func append(_ input: EngineInput, at time: Timestamp) {
        items.append(Item(event: .placeholder(time), extra: Extra(input: input)))
    }
    mutating func append(_ note: TapeNote, at time: Timestamp) {
        items.append(Item(event: .placeholder(time), extra: Extra(note: note)))
    }

    /// Adds marks to an event that is still here; false when it has been written.
    mutating func mark(_ number: Int, _ flags: MarketEvent.Flags) -> Bool {
        guard number >= base + head, number < base + items.count else { return false }
        items[number - base].event.flags.formUnion(flags)
        return true
    }
    mutating func setUnknownTimes(to time: Timestamp) {
        for index in head..<items.count where !items[index].event.receiveTime.isKnown {
            items[index].event.receiveTime = time
        }
    }
    /// The market of the first item, when it is an event.
    var firstMarket: Int? {
        guard head < items.count, items[head].isEvent else { return nil }
        return Int(items[head].event.market.index)
    }

    /// Writes the first item to a tape.
    mutating func writeFirst(to writer: TapeWriter) throws(TapeError) {
        let item = items[head]
        if let extra = item.extra {
            let time = item.event.receiveTime
            if let input = extra.input {
                try writer.append(input, at: time)
            } else if let note = extra.note {
                try writer.append(note, at: time)
            } else if let id = extra.tradeID {
                try writer.append(item.event, tradeID: id)
            }
        } else {
            try writer.append(item.event)
        }
        head += 1
        if head == items.count || head > 1 << 14 {
            base += head
            items.removeFirst(head)
            head = 0
        }
    }
    mutating func writeAll(to writer: TapeWriter) throws(TapeError) {
        while !isEmpty { try writeFirst(to: writer) }
    }
}

extension MarketEvent {
    fileprivate static func placeholder(_ time: Timestamp) -> MarketEvent {
        MarketEvent(.groupEnd, market: Market.ID(0), receiveTime: time)
    }
}
