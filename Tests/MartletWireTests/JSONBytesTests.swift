import Martlet
import Testing

@testable import MartletWire

@Suite struct JSONBytesTests {
    @Test func anOrderIsWrittenAsTheExchangeReadsIt() throws {
        var json = JSONBytes(capacity: 1)
        json.beginObject()
        json.key("ticker")
        json.string("KXHIGHNY-26NOV23-B54.5")
        json.key("side")
        json.string("bid")
        json.key("count")
        json.quantity(10)
        json.key("price")
        json.price(Price(cents: 47))
        json.key("post_only")
        json.bool(true)
        json.key("exchange_index")
        json.integer(-3)
        json.key("legs")
        json.beginArray()
        json.beginObject()
        json.endObject()
        json.null()
        json.integer(7)
        json.beginArray()
        json.endArray()
        json.endArray()
        json.key("last")
        json.bool(false)
        json.endObject()
        let expected =
            #"{"ticker":"KXHIGHNY-26NOV23-B54.5","side":"bid","count":"10.00","price":"0.4700","#
            + #""post_only":true,"exchange_index":-3,"legs":[{},null,7,[]],"last":false}"#
        #expect(json.text == expected)
        _ = try JSONParser.parse(json.text)
        json.clear()
        json.beginArray()
        json.integer(1)
        json.endArray()
        #expect(json.text == "[1]")
        #expect(json.withBytes { $0.count } == json.count)
    }

    /// Whatever the text, the parser reads it back.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func stringsSurvive(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var json = JSONBytes()
        for step in 0..<2_000 {
            var text = ""
            for _ in 0..<(random.next() % 40) {
                let limit: UInt64 = random.next() % 2 == 0 ? 0x80 : 0x1_1000
                if let scalar = Unicode.Scalar(UInt32(random.next() % limit)) {
                    text.unicodeScalars.append(scalar)
                }
            }
            json.clear()
            json.string(text)
            #expect(try JSONParser.parse(json.text) == .string(text), "seed \(seed) step \(step)")
        }
    }

    /// Numbers of all sizes as the general writer of fixed-point numbers has them, and back again.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func fixedPointNumbersAreExact(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var json = JSONBytes()
        for step in 0..<5_000 {
            let decimals = Int(random.next() % 9)
            let minimum = Int(random.next() % UInt64(decimals + 1))
            let value = Int64(bitPattern: random.next()) >> Int64(random.next() % 64)
            json.clear()
            json.fixed(value, decimals: decimals, minimum: minimum)
            let text = try #require(try JSONParser.parse(json.text).string)
            #expect(text == FixedPoint.format(value, decimals: decimals, minimum: minimum))
            #expect(try FixedPoint.parse(text.utf8, decimals: decimals) == value, "seed \(seed) step \(step)")
        }
        for value in [Int64.min, .max, 0, 1, -1] {
            json.clear()
            json.integer(value)
            #expect(json.text == String(value))
        }
    }
}
