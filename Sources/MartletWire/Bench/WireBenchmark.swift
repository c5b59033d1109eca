import Martlet

/// How fast deltas get from the wire's bytes into books: what `martlet bench decode` runs.
///
/// Counted for each message: the WebSocket frame's header, the UTF-8 check, the decoding, the ticker look-up, the
/// sequence check and the book's update. Not counted: TLS and the copy into the receive buffer.
///
/// The recorded deltas are numbered anew (so that the sequence check finds each in order) and lie behind one another
/// as unmasked server frames in one buffer, which is gone over again and again. The books start deep enough that
/// no repetition drives a level below zero; each pass's end is checked against the sum of its changes.
public final class WireBenchmark {
    public struct Figures: Hashable, Sendable {
        public var messages: Int
        public var bytes: Int
        public var nanoseconds: Int64
        public var messagesPerSecond: Double { Double(messages) * 1e9 / Double(max(nanoseconds, 1)) }
        public var bytesPerSecond: Double { Double(bytes) * 1e9 / Double(max(nanoseconds, 1)) }
    }

    /// Why there is no rate to print.
    public enum Failure: Error, Hashable, Sendable {
        case noDeltas
        /// A recorded delta that is none to the quick ways, at this byte of the stream.
        case refused(at: Int)
        case outOfOrder(SequenceTracker.Verdict)
        case book(BookFault)
        case badFrame(at: Int)
        case wrongTotal(market: String)
    }

    private var stream: [UInt8] = []
    private var decoder = MessageDecoder(usesYesPrice: false)
    /// Sound: allocated and freed here alone; books cannot live in an array, since they cannot be copied.
    private let books: UnsafeMutablePointer<OrderBook>
    private let bookCount: Int
    private var changes: [Int64] = []
    private let messagesPerPass: Int

    /// Deep enough for 10^9 passes over changes of some thousand contracts.
    private static let depth = Quantity(hundredths: 1_000_000_000_000_000)

    /// Takes the deltas among the frames and leaves out the rest.
    public init(frames: [[UInt8]], shuffleSeed: UInt64? = nil) throws {
        var random = SplitMix64(seed: shuffleSeed ?? 0)
        var deltas: [WireFrame] = []
        for frame in frames {
            guard let value = try? JSONParser.parse(frame), let message = try? decoder.decode(value),
                message.kind == .delta
            else { continue }
            deltas.append(message)
            var numbered = WireBenchmark.renumbered(value, deltas.count)
            if shuffleSeed != nil { numbered = WireBenchmark.shuffled(numbered, &random) }
            var payload = Array(JSONWriter.text(numbered).utf8)
            payload.append(UInt8(ascii: "\n"))
            stream += [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
        }
        bookCount = decoder.tickers.count
        books = .allocate(capacity: max(bookCount, 1))
        for index in 0..<bookCount { (books + index).initialize(to: OrderBook()) }
        changes = Array(repeating: 0, count: bookCount)
        messagesPerPass = deltas.count
        guard !deltas.isEmpty else { throw Failure.noDeltas }
        for delta in deltas {
            if let fault = books[delta.market].set(WireBenchmark.depth, side: delta.side, price: delta.price)
            {
                throw Failure.book(fault)
            }
            changes[delta.market] += delta.quantity.hundredths
        }
    }

    deinit {
        books.deinitialize(count: bookCount)
        books.deallocate()
    }

    /// Runs passes until `seconds` have gone by on the clock that is given (nanoseconds of any origin).
    public func run(seconds: Double, clock: () -> Int64) throws -> Figures {
        let totals = (0..<bookCount).map { total($0) }
        var done = 0
        var elapsed: Int64 = 0
        let start = clock()
        repeat {
            for _ in 0..<16 {
                try stream.withUnsafeBufferPointer { stream in
                    try WireBenchmark.pass(stream, &decoder, books)
                }
            }
            done += 16
            elapsed = clock() - start
        } while Double(elapsed) < seconds * 1e9
        for index in 0..<bookCount where total(index) != totals[index] + Int64(done) * changes[index] {
            throw Failure.wrongTotal(market: decoder.tickers.ticker(index))
        }
        return Figures(messages: done * messagesPerPass, bytes: done * stream.count, nanoseconds: elapsed)
    }

    private func total(_ index: Int) -> Int64 {
        books[index].total(.bid).hundredths + books[index].total(.ask).hundredths
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

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): seeded chance for benchmarks.
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
