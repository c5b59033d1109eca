import Martlet
import MartletEngine
import MartletSimulation
import MartletTape

/// Several tapes as one stream of inputs in the order of their times, with only the markets that are wanted.
///
/// Each tape numbers its markets by itself; here a ticker has one number whatever tape it comes from. Of equal
/// times the earlier tape in the list comes first, so that the order never depends on anything else.
struct SelectedSource: RunSource, ~Copyable {
    /// What is kept of one tape. A class, for a cursor cannot be copied into an array.
    private final class Lane {
        var cursor: TapeCursor
        let byteCount: Int
        var step = RunStep.end
        var input = EngineInput.clock
        /// The stream's number of each of the tape's markets; nil for one that is not wanted.
        var numbers: [Market.ID?] = []
        var indexOfTicker: [String: Int] = [:]

        init(_ tape: TapeReader) {
            cursor = tape.cursor()
            byteCount = tape.byteCount
        }
    }

    private let lanes: [Lane]
    private let filter: TickerFilter
    private let fees: FeeTerms?
    private var numberOfTicker: [String: Int] = [:]
    private var current = 0
    private var isPrimed = false

    /// `fees`: takes the place of every market's own.
    init(_ tapes: [TapeReader], filter: TickerFilter, fees: FeeTerms?) {
        lanes = tapes.map { Lane($0) }
        self.filter = filter
        self.fees = fees
    }

    var event: MarketEvent {
        var event = lanes[current].cursor.event
        if let number = lanes[current].numbers[Int(event.market.index)] { event.market = number }
        return event
    }
    var input: EngineInput { lanes[current].input }
    var time: Timestamp { lanes[current].cursor.time }
    var fraction: Double {
        let whole = lanes.reduce(0) { $0 + $1.byteCount }
        return Double(lanes.reduce(0) { $0 + $1.cursor.byteOffset }) / Double(max(1, whole))
    }

    mutating func next() throws -> RunStep {
        if isPrimed {
            try advance(lanes[current])
        } else {
            for lane in lanes { try advance(lane) }
            isPrimed = true
        }
        var best: Int?
        for (index, lane) in lanes.enumerated() where lane.step != .end {
            if best.map({ lane.cursor.time < lanes[$0].cursor.time }) ?? true { best = index }
        }
        guard let best else { return .end }
        current = best
        // Definitions of two tapes are numbered in the order in which they leave.
        if case .defined(let market) = lanes[best].input, lanes[best].step == .input {
            number(market, in: lanes[best])
        }
        return lanes[best].step
    }

    private mutating func number(_ market: Market, in lane: Lane) {
        let number = numberOfTicker[market.ticker] ?? numberOfTicker.count
        numberOfTicker[market.ticker] = number
        if let index = lane.indexOfTicker[market.ticker] { lane.numbers[index] = Market.ID(number) }
    }

    /// Goes to the lane's next input that is wanted.
    private func advance(_ lane: Lane) throws {
        while true {
            switch try lane.cursor.next() {
            case .market:
                lane.step = .market
                if lane.numbers[Int(lane.cursor.event.market.index)] != nil { return }
            case .input:
                lane.step = .input
                if let input = wanted(lane.cursor.input, in: lane) {
                    lane.input = input
                    return
                }
            case .note: continue
            case .end:
                lane.step = .end
                return
            }
        }
    }

    /// An input with the stream's numbers; nil for one of a market that is not wanted.
    private func wanted(_ input: EngineInput, in lane: Lane) -> EngineInput? {
        func number(_ market: Market.ID) -> Market.ID? { lane.numbers[Int(market.index)] }
        switch input {
        case .defined(var market):
            if lane.indexOfTicker[market.ticker] == nil {
                lane.indexOfTicker[market.ticker] = lane.numbers.count
                lane.numbers.append(nil)
            }
            guard filter.accepts(market.ticker) else { return nil }
            if let fees { market.fees = fees }
            return .defined(market)
        case .ticker(var ticker):
            guard let market = number(ticker.market) else { return nil }
            ticker.market = market
            return .ticker(ticker)
        case .status(let market, let status): return number(market).map { .status($0, status) }
        case .result(let market, let result): return number(market).map { .result($0, result) }
        case .settled(let market, let result): return number(market).map { .settled($0, result) }
        case .unusable(let market, let fault): return number(market).map { .unusable($0, fault) }
        case .market, .started, .reference, .report, .balance, .adoptedOrder, .adoptedPosition, .limits,
            .clock, .command, .stopped:
            return input
        }
    }
}
