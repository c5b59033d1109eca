import Foundation
import Martlet
import Testing

@testable import MartletWire

/// The quick ways of decoding a delta against the general parser as the oracle.
@Suite struct BookDeltaTests {
    private static let frames = [
        #"{"type":"orderbook_delta","sid":1,"seq":10,"msg":{"market_ticker":"KXNEXTTEAMNBA-26LJAM-CLE","market_id":"7552b8d4-05de-4e41-84a8-97b0684da4a9","price_dollars":"0.7400","delta_fp":"-1.84","side":"no","ts":"2026-07-01T02:31:45.308599Z","ts_ms":1782873105308}}"#,
        #"{"type":"orderbook_delta","sid":1,"seq":67,"msg":{"market_ticker":"KXBTC-26APR1817-B77875","market_id":"bdfea866-4146-4677-a683-1d1e460a5f07","price_dollars":"0.0400","delta_fp":"112.00","side":"no","ts":"2026-04-18T05:35:03.194655Z"}}"#
            + "\n",
        #"{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"KXHIGHNY-26NOV23-B54.5","market_id":"5b1f6a52","price_dollars":"0.4700","delta_fp":"10.00","side":"yes","client_order_id":"bot-1","subaccount":0,"ts":"2026-11-23T14:00:00.400Z","ts_ms":1795442400400},"sending_ts_ms":1795442400404}"#,
        #"{"seq":14,"type":"orderbook_delta","msg":{"side":"no","ts_ms":1782873106871,"market_ticker":"A","price_dollars":"0.7400","delta_fp":"-1234567.27","market_id":"7","ts":"2026-07-01T02:31:46.871654321Z"},"sid":1}"#,
        #"{ "msg" : {"delta_fp":"1.00", "price_dollars":"0.5", "market_ticker":"B","side":"yes" } , "type":"orderbook_delta"}"#,
        #"{"type":"orderbook_delta","sid":2,"seq":2,"msg":{"delta_fp":"1.00","market_id":"17961d0e","market_ticker":"KXBTC15M-26MAY130945-45","price_dollars":"0.5400","side":"yes","ts":"2026-05-13T13:33:13.232911Z","ts_ms":1778679193232}}"#,
    ]

    /// What both ways make of the same bytes, as text; nil when refused.
    private func quick(_ bytes: [UInt8], _ decoder: inout MessageDecoder) -> BookDelta? {
        var delta = BookDelta()
        return bytes.withUnsafeBufferPointer { decoder.decodeDelta($0, into: &delta) } ? delta : nil
    }
    private func general(_ bytes: [UInt8]) -> (WireFrame, String)? {
        var decoder = MessageDecoder(usesYesPrice: false)
        guard let value = try? JSONParser.parse(bytes), let frame = try? decoder.decode(value) else {
            return nil
        }
        return (frame, frame.market >= 0 ? decoder.tickers.ticker(frame.market) : "")
    }

    private func expectAlike(_ bytes: [UInt8], _ decoder: inout MessageDecoder, _ comment: String) -> Bool {
        guard let delta = quick(bytes, &decoder) else { return false }
        guard let (frame, ticker) = general(bytes), frame.kind == .delta else {
            Issue.record(
                "\(comment): taken though refused by the parser: \(String(decoding: bytes, as: UTF8.self))")
            return true
        }
        let converted = WireFrame(delta)
        let isAlike =
            converted.sid == frame.sid && converted.seq == frame.seq && converted.side == frame.side
            && converted.price == frame.price && converted.quantity == frame.quantity
            && converted.exchangeTime == frame.exchangeTime && converted.sendingTime == frame.sendingTime
            && converted.isOwn == frame.isOwn && frame.id == nil
            && decoder.tickers.ticker(converted.market) == ticker
        if !isAlike {
            Issue.record("\(comment): \(String(decoding: bytes, as: UTF8.self)) \(delta) \(frame)")
        }
        return true
    }

    @Test(arguments: frames)
    func aPlainDeltaIsTakenQuickly(_ text: String) {
        var decoder = MessageDecoder(usesYesPrice: false)
        #expect(expectAlike(Array(text.utf8), &decoder, "frame"))
    }

    @Test func theOwnOrdersIDIsFoundInTheFrame() throws {
        var decoder = MessageDecoder(usesYesPrice: false)
        let bytes = Array(BookDeltaTests.frames[2].utf8)
        let delta = try #require(quick(bytes, &decoder))
        #expect(delta.isOwn)
        let id = bytes[Int(delta.clientOrderIDStart)..<Int(delta.clientOrderIDEnd)]
        #expect(String(decoding: id, as: UTF8.self) == "bot-1")
    }

    /// Bytes changed, removed, put in twice or exchanged for JSON's own marks: whatever the quick ways still take,
    /// the parser takes alike.
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func mutatedDeltasAreTakenAlikeOrNotAtAll(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var decoder = MessageDecoder(usesYesPrice: false)
        let marks = Array("0123456789.\"\\{}[],: -+eE\n\t\u{0}é".utf8)
        var taken = 0
        for step in 0..<60_000 {
            var bytes = Array(
                BookDeltaTests.frames[Int(random.next() % UInt64(BookDeltaTests.frames.count))].utf8)
            for _ in 0..<(random.next() % 3 + 1) {
                let index = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 5 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(marks[Int(random.next() % UInt64(marks.count))], at: index)
                case 3:
                    // A piece repeated: doubled keys, longer numbers.
                    let length = min(Int(random.next() % 24), bytes.count - index)
                    bytes.insert(contentsOf: bytes[index..<index + length], at: index)
                default: bytes[index] = marks[Int(random.next() % UInt64(marks.count))]
                }
            }
            if expectAlike(bytes, &decoder, "seed \(seed) step \(step)") { taken += 1 }
        }
        #expect(taken > 5_000, "seed \(seed): the mutations left too little to compare")
    }

    /// Numbers of every shape the exchange could write, exactly as the general reader has them.
    @Test(arguments: [1, 2] as [UInt64])
    func numbersOfAllShapesAreExact(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var decoder = MessageDecoder(usesYesPrice: true)
        for step in 0..<20_000 {
            let micros = Int64(random.next() % 999_999) + 1
            let priceText = FixedPoint.format(micros, decimals: 6, minimum: Int(random.next() % 7))
            let hundredths = Int64(random.next() % 1_000_000_000) >> Int64(random.next() % 28)
            let isNegative = random.next() % 2 == 0
            let countText =
                (isNegative ? "-" : "")
                + FixedPoint.format(hundredths, decimals: 2, minimum: Int(random.next() % 3))
            let nanoseconds = Int64(random.next() % 4_000_000_000_000_000_000)
            let time = Timestamp(nanoseconds: nanoseconds)
            let text =
                #"{"type":"orderbook_delta","sid":1,"seq":\#(step),"msg":{"market_ticker":"M","market_id":"x","price_dollars":"\#(priceText)","delta_fp":"\#(countText)","side":"no","ts":"\#(time)","ts_ms":\#(time.milliseconds)}}"#
            let delta = try #require(quick(Array(text.utf8), &decoder), "seed \(seed): \(text)")
            #expect(Int64(delta.price.micros) == micros, "seed \(seed): \(text)")
            #expect(
                delta.change.hundredths == (isNegative ? -hundredths : hundredths), "seed \(seed): \(text)")
            #expect(delta.exchangeTime == time, "seed \(seed): \(text)")
            #expect(delta.sequence == Int64(step))
        }
    }

    @Test func textTimeThatDisagreesWithTheMillisecondsGivesWay() throws {
        var decoder = MessageDecoder(usesYesPrice: false)
        let text = BookDeltaTests.frames[0].replacingOccurrences(of: "1782873105308", with: "1782873105309")
        let delta = try #require(quick(Array(text.utf8), &decoder))
        #expect(delta.exchangeTime == Timestamp(milliseconds: 1_782_873_105_309))
    }

    @Test func anExtendedMessageIsStillTakenQuickly() throws {
        var decoder = MessageDecoder(usesYesPrice: false)
        let text = BookDeltaTests.frames[0].replacingOccurrences(
            of: #""side""#, with: #""brand_new":"value","flag":true,"n":null,"k":17,"side""#)
        #expect(expectAlike(Array(text.utf8), &decoder, "extended"))
    }

    /// Every prefix and every start of a frame: nothing is read beyond its end.
    @Test func noTornFrameIsTaken() {
        var decoder = MessageDecoder(usesYesPrice: false)
        for text in BookDeltaTests.frames {
            let bytes = Array(text.utf8)
            let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
            for length in 0...end { #expect(quick(Array(bytes[..<length]), &decoder) == nil) }
            for start in 1..<bytes.count { #expect(quick(Array(bytes[start...]), &decoder) == nil) }
        }
    }
}
