import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletWire

@Suite struct MessageDecoderTests {
    private func decode(_ text: String, usesYesPrice: Bool = false) throws -> (WireFrame, MessageDecoder) {
        var decoder = MessageDecoder(usesYesPrice: usesYesPrice)
        let frame = try decoder.decode(text)
        return (frame, decoder)
    }
    private func delta(_ fields: String) -> String {
        #"{"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"A-B-1",\#(fields)}}"#
    }

    @Test func readsADelta() throws {
        let (frame, decoder) = try decode(
            delta(
                #""market_id":"x","price_dollars":"0.4700","delta_fp":"-4.00","side":"no","ts":"2026-11-23T14:00:00.700123Z","ts_ms":1795442400700"#
            ))
        #expect(frame.kind == .delta && frame.sid == 1 && frame.seq == 3)
        #expect(decoder.tickers.ticker(frame.market) == "A-B-1")
        #expect(frame.side == .ask && frame.price == Price(cents: 53) && frame.quantity == -4)
        #expect(frame.exchangeTime == Timestamp(rfc3339: "2026-11-23T14:00:00.700123Z"))
    }

    @Test(arguments: ["0.41", "0.410", "0.4100", "0.410000"])
    func fieldNote03_onePriceInAnyNumberOfDecimals(_ text: String) throws {
        let (frame, _) = try decode(delta(#""price_dollars":"\#(text)","delta_fp":"1","side":"yes""#))
        #expect(frame.price == Price(cents: 41))
        let (number, _) = try decode(delta(#""price_dollars":\#(text),"delta_fp":1.50,"side":"yes""#))
        #expect(number.price == Price(cents: 41) && number.quantity == Quantity(hundredths: 150))
    }

    @Test(arguments: [
        #"{"type":"orderbook_snapshot","sid":2,"seq":1,"msg":{"market_ticker":"M"}}"#,
        #"{"type":"orderbook_snapshot","sid":2,"seq":1,"msg":{"market_ticker":"M","yes_dollars_fp":null,"no_dollars_fp":[]}}"#,
        #"{"type":"orderbook_snapshot","sid":2,"seq":1,"msg":{"market_ticker":"M","yes_dollars_fp":[]}}"#,
    ])
    func fieldNote04_anEmptySideIsLeftOutNullOrEmpty(_ text: String) throws {
        let (frame, decoder) = try decode(text)
        #expect(frame.kind == .snapshot && decoder.levels.isEmpty)
    }

    @Test func snapshotsOfBothErasAgree() throws {
        let dollars =
            #"{"type":"orderbook_snapshot","sid":2,"seq":1,"msg":{"market_ticker":"M","yes_dollars_fp":[["0.4000","10.00"]],"no_dollars_fp":[["0.5500","7.50"]]}}"#
        let (_, new) = try decode(dollars)
        #expect(
            new.levels == [
                .init(side: .bid, price: Price(cents: 40), quantity: 10),
                .init(side: .ask, price: Price(cents: 45), quantity: Quantity(hundredths: 750)),
            ])
        let cents =
            #"{"type":"orderbook_snapshot","sid":2,"seq":1,"msg":{"market_ticker":"M","yes":[[40,10]],"no":[[55,7]]}}"#
        let (_, old) = try decode(cents)
        #expect(old.levels.map(\.price) == new.levels.map(\.price))
        let both = dollars.replacingOccurrences(
            of: #""market_ticker""#, with: #""yes":[[40,10]],"no":[[55,7]],"market_ticker""#)
        #expect(try decode(both).1.levels == new.levels)
    }

    @Test func fieldNote09_noLevelsInEitherConvention() throws {
        let text = delta(#""price_dollars":"0.3000","delta_fp":"1.00","side":"no""#)
        #expect(try decode(text, usesYesPrice: false).0.price == Price(cents: 70))
        #expect(try decode(text, usesYesPrice: true).0.price == Price(cents: 30))
    }

    @Test(arguments: ["price_dollars", "delta_fp", "side", "market_ticker"])
    func fieldNote18_anAbsentFieldIsAnErrorNeverANumber(_ field: String) throws {
        let fields = [
            "market_ticker": #""M""#, "price_dollars": #""0.50""#, "delta_fp": #""1.00""#, "side": #""yes""#,
        ].filter { $0.key != field }
        let body = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(
            separator: ",")
        #expect(throws: WireError.missing(field: field, message: "orderbook_delta")) {
            try decode(#"{"type":"orderbook_delta","sid":1,"seq":3,"msg":{\#(body)}}"#)
        }
    }

    @Test func fieldNote29_unitsComeFromTheFieldsOwnNames() throws {
        let old = delta(#""price":51,"delta":-1,"side":"no","ts":"2025-08-12T21:00:32.539836022Z""#)
        let (frame, _) = try decode(old)
        #expect(frame.price == Price(cents: 49) && frame.quantity == -1)
        #expect(frame.exchangeTime.nanoseconds % 1000 == 22)
        let both = delta(#""price":51,"price_dollars":"0.5150","delta":-1,"delta_fp":"-1.25","side":"yes""#)
        #expect(try decode(both).0.price == Price(micros: 515_000))
        #expect(try decode(both).0.quantity == Quantity(hundredths: -125))
    }

    @Test func fieldNote30_integerCentsOfATickerAreNeverRead() throws {
        let (frame, _) = try decode(
            #"{"type":"ticker","sid":1,"msg":{"market_ticker":"M","price":99,"yes_bid":98,"yes_ask":100,"price_dollars":"0.9950"}}"#
        )
        #expect(frame.summary?.lastPrice == Price(micros: 995_000))
        #expect(frame.summary?.bestBid == nil)
    }

    @Test func fieldNote32_directionComesFromTheBookSideAndContradictionsAreRefused() throws {
        func trade(_ fields: String) -> String {
            #"{"type":"trade","sid":1,"seq":1,"msg":{"market_ticker":"M","yes_price_dollars":"0.1600","count_fp":"1.16",\#(fields)}}"#
        }
        #expect(try decode(trade(#""taker_side":"yes","taker_book_side":"ask""#)).0.side == .ask)
        #expect(throws: WireError.self) {
            try decode(trade(#""taker_outcome_side":"yes","taker_book_side":"ask""#))
        }
        #expect(throws: WireError.self) {
            try decode(trade(#""taker_book_side":"ask","no_price_dollars":"0.1600""#))
        }
    }

    @Test func fieldNote07_unknownTypesAndFieldsAreKept() throws {
        let (frame, _) = try decode(#"{"type":"brand_new","sid":9,"seq":4,"msg":{"x":[1]}}"#)
        #expect(frame.kind == .unknown("brand_new") && frame.sid == 9 && frame.seq == 4)
        #expect(frame.general?["msg"]?["x"]?.array?.count == 1)
        let (extended, _) = try decode(
            delta(
                #""new":{"deep":[{"a":null}]},"price_dollars":"0.50","delta_fp":"1.00","side":"yes","z":false"#
            ))
        #expect(extended.price == Price(cents: 50))
    }

    /// Found by the fuzzer: the last one counts, whatever way the frame is read.
    @Test func ofAMemberThatStandsTwiceTheLastCounts() throws {
        func trade(_ price: String) -> String {
            #"{"market_ticker":"M","yes_price_dollars":"\#(price)","count_fp":"1.00","taker_book_side":"ask"}"#
        }
        let twice =
            #"{"type":"trade","sid":1,"seq":null,"msg":\#(trade("oops")),"sid":2,"msg":\#(trade("0.31"))}"#
        let (frame, _) = try decode(twice)
        #expect(frame.price == Price(cents: 31) && frame.sid == 2 && frame.seq == nil)
        let renamed = #"{"type":"trade","sid":1,"msg":\#(trade("0.31")),"type":"orderbook_delta","sid":null}"#
        #expect(throws: WireError.self) { try decode(renamed) }
    }

    @Test func controlFramesCarryTheirNumbers() throws {
        #expect(
            try decode(#"{"type":"ok","id":4,"sid":1,"seq":3,"msg":{"market_tickers":["A"]}}"#).0.seq == 3)
        #expect(try decode(#"{"id":5,"type":"ok","msg":[{"channel":"fill","sid":1}]}"#).0.id == 5)
        #expect(
            try decode(#"{"type":"error","id":1,"msg":{"code":8,"msg":"Unknown channel name"}}"#).0.kind
                == .error)
    }

    @Test(arguments: [
        "0", "1", "1.0000", "-0.5", "NaN", "0.00000001", "1e-1", "99999999999999999999", "",
    ])
    func impossiblePricesAreRefused(_ price: String) {
        #expect(throws: WireError.self) {
            try decode(delta(#""price_dollars":"\#(price)","delta_fp":"1.00","side":"yes""#))
        }
    }

    /// Any order of fields, any spacing, and escapes: the quick path and the general one agree.
    @Test(arguments: [1, 2, 3])
    func mutatedFramesDecodeAlikeByBothPaths(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let frames = [
            delta(
                #""price_dollars":"0.4700","delta_fp":"-4.00","side":"no","ts":"2026-11-23T14:00:00.7Z","ts_ms":1795442400700"#
            ),
            #"{"type":"trade","sid":11,"seq":2,"msg":{"trade_id":"t","market_ticker":"M","yes_price_dollars":"0.3600","no_price_dollars":"0.6400","count_fp":"136.00","taker_side":"no","taker_outcome_side":"no","taker_book_side":"ask","ts":1669149841,"ts_ms":1669149841000}}"#,
            #"{"type":"orderbook_snapshot","sid":2,"seq":2,"msg":{"market_ticker":"M","yes_dollars_fp":[["0.0800","300.00"],["0.2200","333.00"]],"no_dollars_fp":[["0.5400","20.00"]]}}"#,
        ]
        for step in 0..<60_000 {
            var bytes = Array(frames[Int(generator.next() % 3)].utf8)
            for _ in 0..<(generator.next() % 3 + 1) {
                let index = Int(generator.next() % UInt64(bytes.count))
                switch generator.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(bytes[Int(generator.next() % UInt64(bytes.count))], at: index)
                default: bytes[index] = Array("0123456789.\"\\{}[],: -".utf8)[Int(generator.next() % 21)]
                }
            }
            var quick = MessageDecoder(usesYesPrice: false)
            var general = MessageDecoder(usesYesPrice: false)
            let a = try? bytes.withUnsafeBufferPointer { try quick.decode($0) }
            let b = (try? JSONParser.parse(bytes)).flatMap { try? general.decode($0) }
            let isAlike =
                a?.kind == b?.kind && a?.seq == b?.seq && a?.sid == b?.sid && a?.price == b?.price
                && a?.side == b?.side
                && a?.quantity == b?.quantity && a?.exchangeTime == b?.exchangeTime
                && (a?.kind != .snapshot || quick.levels == general.levels)
            if !isAlike {
                Issue.record("seed \(seed) step \(step): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test(.enabled(if: !RecordedData.isMissing, "set MARTLET_DATA"))
    func everySampleOfTheExchangeDecodes() throws {
        var kinds = 0
        for file in try RecordedData.files("../kalshi/samples") {
            let name = file.lastPathComponent
            guard name.hasPrefix("ws-"), !name.hasPrefix("ws-cmd-") else { continue }
            var decoder = MessageDecoder(usesYesPrice: false)
            let text = try String(contentsOf: file, encoding: .utf8)
            let frame = try decoder.decode(text)
            // Communications are not traded on: kept whole as unknown.
            if case .unknown(let type) = frame.kind {
                #expect(type.hasPrefix("rfq") || type.hasPrefix("quote"), "\(name)")
            }
            kinds += 1
        }
        #expect(kinds > 30)
    }
}
