import Martlet

/// How fast deltas get from the wire's bytes into books: what `martlet bench decode` runs.
///
/// Counted for each message: the WebSocket frame's header, the UTF-8 check, the decoding, the ticker look-up, the
/// sequence check and the book's update. Not counted: TLS and the copy into the receive buffer, and between two
/// passes setting the books back to where the recording began.
///
/// The recorded deltas are numbered anew (so that the sequence check finds each in order) and lie behind one another
/// as unmasked server frames in one buffer, which is gone over again and again. The books that the last pass leaves
/// must be, level by level, those of a ``SlowReplay`` of the same bytes, or there is no rate.
public final class WireBenchmark {
    public struct Figures: Hashable, Sendable {
        /// Over all passes.
        public var messages: Int
        /// Over all passes, frame headers included.
        public var bytes: Int
        public var nanoseconds: Int64
        /// Of all levels of all books at the end; equal to the slow replay's.
        public var bookHash: UInt64
        public var markets: Int
        public var messagesPerSecond: Double { Double(messages) * 1e9 / Double(max(nanoseconds, 1)) }
        public var bytesPerSecond: Double { Double(bytes) * 1e9 / Double(max(nanoseconds, 1)) }
    }

    /// Why there is no rate to print.
    public enum Failure: Error, Hashable, Sendable {
        /// The frames hold no `orderbook_delta`.
        case noDeltas
        /// A recorded delta that is none to the quick ways, at this byte of the stream.
        case refused(at: Int)
        case outOfOrder(SequenceTracker.Verdict)
        case book(BookFault)
        case badFrame(at: Int)
        /// The books at the end are not those of the slow replay.
        case wrongBooks(found: UInt64, expected: UInt64)
    }

    private let stream: [UInt8]
    private var decoder = MessageDecoder(usesYesPrice: false)
    /// Sound: allocated and freed here alone; books cannot live in an array, since they cannot be copied.
    private let books: UnsafeMutablePointer<OrderBook>
    private let bookCount: Int
    private let start: [SlowReplay.Level]
    private let expectedHash: UInt64
    private let messagesPerPass: Int

    /// Takes the deltas among the frames, and the levels of the snapshots; leaves out the rest. With a seed the keys
    /// of every message are shuffled, each message's otherwise.
    public init(frames: [[UInt8]], shuffleSeed: UInt64? = nil) throws(Failure) {
        var random = SplitMix64(seed: shuffleSeed ?? 0)
        var replay = SlowReplay()
        var payloads: [[UInt8]] = []
        for frame in frames {
            guard let value = try? JSONParser.parse(frame), let kind = replay.take(value) else { continue }
            if kind == .delta {
                payloads.append(WireBenchmark.payload(value, payloads.count + 1, shuffleSeed, &random))
            }
        }
        guard !payloads.isEmpty else { throw .noDeltas }
        messagesPerPass = payloads.count
        start = replay.start()
        stream = payloads.flatMap { [0x81, 126, UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
        // In the order in which the slow replay met them, so that both name a book by the same integer.
        for ticker in replay.tickers { _ = decoder.tickers.intern(ticker) }
        bookCount = replay.tickers.count
        expectedHash = SlowReplay.hash(replay.end(), replay.tickers)
        books = .allocate(capacity: bookCount)
        for index in 0..<bookCount { (books + index).initialize(to: OrderBook()) }
    }

    deinit {
        books.deinitialize(count: bookCount)
        books.deallocate()
    }

    /// Runs passes until `seconds` have gone by on the clock that is given (nanoseconds of any origin).
    public func run(seconds: Double, clock: () -> Int64) throws(Failure) -> Figures {
        var done = 0
        var elapsed: Int64 = 0
        repeat {
            try restore()
            let before = clock()
            let result = stream.withUnsafeBufferPointer { stream in
                Result { () throws(Failure) in try WireBenchmark.pass(stream, &decoder, books) }
            }
            elapsed += clock() - before
            try result.get()
            done += 1
        } while Double(elapsed) < seconds * 1e9
        let hash = SlowReplay.hash(levels(), (0..<bookCount).map { decoder.tickers.ticker($0) })
        guard hash == expectedHash, bookCount == decoder.tickers.count else {
            throw .wrongBooks(found: hash, expected: expectedHash)
        }
        return Figures(
            messages: done * messagesPerPass, bytes: done * stream.count, nanoseconds: elapsed,
            bookHash: hash, markets: bookCount)
    }

    private func restore() throws(Failure) {
        for index in 0..<bookCount { books[index].clear() }
        for level in start {
            if let fault = books[level.market].set(level.size, side: level.side, price: level.price) {
                throw .book(fault)
            }
        }
    }

    private func levels() -> [SlowReplay.Level] {
        var levels: [SlowReplay.Level] = []
        for market in 0..<bookCount {
            for side in [Side.bid, .ask] {
                var price = books[market].best(side)
                while let at = price {
                    levels.append(
                        .init(market: market, side: side, price: at, size: books[market].size(side, at: at)))
                    price = books[market].next(side, behind: at)
                }
            }
        }
        return levels
    }

    /// Once over the stream. The decoder is lent for the whole pass, so that nothing is checked for each message
    /// that a caller with a decoder of its own would not pay.
    private static func pass(
        _ stream: UnsafeBufferPointer<UInt8>, _ decoder: inout MessageDecoder,
        _ books: UnsafeMutablePointer<OrderBook>
    ) throws(Failure) {
        var tracker = SequenceTracker()
        var delta = BookDelta()
        var position = 0
        while position < stream.count {
            // FIN and text, no mask, 16-bit length: the server's form for 126 to 65,535 bytes.
            guard position + 4 <= stream.count, stream[position] == 0x81, stream[position + 1] == 126 else {
                throw .badFrame(at: position)
            }
            let count = Int(stream[position + 2]) << 8 | Int(stream[position + 3])
            guard position + 4 + count <= stream.count else { throw .badFrame(at: position) }
            let payload = UnsafeBufferPointer(rebasing: stream[position + 4..<position + 4 + count])
            guard decoder.decodeDelta(payload, into: &delta) else { throw .refused(at: position) }
            position += 4 + count
            let verdict = tracker.check(sid: delta.sid, sequence: delta.sequence)
            guard verdict == .inOrder else { throw .outOfOrder(verdict) }
            if let fault = books[Int(delta.market.index)].add(
                delta.change, side: delta.side, price: delta.price)
            {
                throw .book(fault)
            }
        }
    }

    // MARK: Preparation

    /// The message as the exchange writes it, with a newline behind, numbered anew. At least 126 bytes long.
    private static func payload(
        _ value: JSONValue, _ sequence: Int, _ seed: UInt64?, _ random: inout SplitMix64
    ) -> [UInt8] {
        var numbered = renumbered(value, sequence)
        if seed != nil { numbered = shuffled(numbered, &random) }
        var bytes = Array(JSONWriter.text(numbered).utf8)
        repeat { bytes.append(UInt8(ascii: "\n")) } while bytes.count < 126
        return bytes
    }

    private static func renumbered(_ value: JSONValue, _ sequence: Int) -> JSONValue {
        guard var members = value.object else { return value }
        for index in members.indices {
            if members[index].key == "seq" { members[index].value = .number(String(sequence)) }
            if members[index].key == "sid" { members[index].value = .number("1") }
        }
        return .object(members)
    }

    private static func shuffled(_ value: JSONValue, _ random: inout SplitMix64) -> JSONValue {
        guard var members = value.object else { return value }
        members.shuffle(using: &random)
        for index in members.indices { members[index].value = shuffled(members[index].value, &random) }
        return .object(members)
    }
}
