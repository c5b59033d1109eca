import Martlet

/// Deltas made from a seed, in the shape and length of recorded ones: for machines without recordings.
public enum MadeFrames {
    private static let tickers = [
        "KXNEXTTEAMNBA-26LJAM-MIA", "KXNEXTTEAMNBA-26LJAM-CLE", "KXBTCD-26JUL0317-T60499.99",
        "KXBTCD-26JUL0317-T60999.99", "KXHIGHNY-26NOV23-B54.5",
    ]

    /// So many `orderbook_delta` frames, in the exchange's own order of keys.
    public static func deltas(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var random = SplitMix64(seed: seed)
        var time = Timestamp(nanoseconds: 1_782_873_105_308_599_000)
        return (1...max(count, 1)).map { sequence in
            let market = Int(random.next() % UInt64(tickers.count))
            let cents = 1 + Int(random.next() % 99)
            // Mostly small, sometimes hundreds of thousands, as recorded.
            let size = Int64(1 + random.next() % 100_000_000) >> Int64(random.next() % 24)
            let sign = random.next() % 2 == 0 ? "-" : ""
            time = Timestamp(nanoseconds: time.nanoseconds + Int64(random.next() % 90_000) * 1000 + 1000)
            let id = hexadecimal(UInt64(market + 1) &* 0x9E37_79B9_7F4A_7C15)
            let price = FixedPoint.format(Int64(cents) * 10_000, decimals: 6, minimum: 4)
            let change = sign + FixedPoint.format(max(size, 1), decimals: 2, minimum: 2)
            let side = random.next() % 2 == 0 ? "yes" : "no"
            return Array(
                (#"{"type":"orderbook_delta","sid":1,"seq":\#(sequence),"msg":{"market_ticker":"#
                    + #""\#(tickers[market])","market_id":"\#(id)","price_dollars":"\#(price)","#
                    + #""delta_fp":"\#(change)","side":"\#(side)","ts":"\#(time)","ts_ms":\#(time.milliseconds)}}"#)
                    .utf8)
        }
    }

    /// In the form of a UUID.
    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        let full = Array(String(repeating: "0", count: 16 - digits.count) + digits)
        return String(full[0..<8]) + "-" + String(full[8..<12]) + "-4" + String(full[12..<15]) + "-8"
            + String(full[0..<3]) + "-" + String(full[4..<16])
    }
}
