import Martlet

/// How fast deltas get from the wire's bytes into books: what `martlet bench decode` runs.
///
/// Counted for each message: the WebSocket frame's header, the UTF-8 check, the decoding, the ticker look-up, the
/// sequence check and the book's update. Not counted: TLS and the copy into the receive buffer.
///
/// The recorded deltas are numbered anew (so that the sequence check finds each in order) and lie behind one another
/// as unmasked server frames in one buffer, which is gone over again and again. The books start deep enough that
/// no repetition drives a level below zero; each pass's end is checked against the sum of its changes.
package final class WireBenchmark {
    package struct Figures: Hashable, Sendable {
        package var messages: Int
        package var bytes: Int
        package var nanoseconds: Int64
        /// Of the fast way, of all.
        package var fast: Int
        package var messagesPerSecond: Double { Double(messages) * 1e9 / Double(max(nanoseconds, 1)) }
        package var bytesPerSecond: Double { Double(bytes) * 1e9 / Double(max(nanoseconds, 1)) }
    }

    /// Why there is no rate to print.
    package enum Failure: Error, Hashable, Sendable {
        case noDeltas
        case refused(WireError)
        case outOfOrder(SequenceTracker.Verdict)
        case book(BookFault)
        case badFrame(at: Int)
        case wrongTotal(market: String)
    }

    private var stream: [UInt8] = []
    private var decoder: MessageDecoder
    /// Sound: allocated and freed here alone; books cannot live in an array, since they cannot be copied.
    private let books: UnsafeMutablePointer<OrderBook>
    private let bookCount: Int
    private var changes: [Int64]
    private var messagesPerPass = 0
    private var passes = 0

    /// Deep enough for 10^9 passes over changes of some thousand contracts.
    private static let depth = Quantity(hundredths: 1_000_000_000_000_000)

    /// Takes the deltas among the frames and leaves out the rest.
    package init(frames: [[UInt8]], shuffleSeed: UInt64? = nil) throws {
        decoder = MessageDecoder(convention: .ownSide)
        var random = SplitMix64(seed: shuffleSeed ?? 0)
        var deltas: [WireMessage] = []
        for frame in frames {
            guard let message = try? decoder.decode(frame), message.kind == .delta else { continue }
            var value = try JSONParser.parse(frame)
            deltas.append(message)
            WireBenchmark.renumber(&value, deltas.count)
            if shuffleSeed != nil { WireBenchmark.shuffle(&value, &random) }
            var payload = Array(JSONWriter.text(value).utf8)
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
            if let fault = books[Int(delta.market.index)].set(
                WireBenchmark.depth, side: delta.side, price: delta.price)
            {
                throw Failure.book(fault)
            }
            changes[Int(delta.market.index)] += delta.quantity.hundredths
        }
    }

    deinit {
        books.deinitialize(count: bookCount)
        books.deallocate()
    }

    /// Runs passes until `seconds` have gone by on the clock that is given (nanoseconds of any origin).
    package func run(seconds: Double, clock: () -> Int64) throws -> Figures {
        let totals = (0..<bookCount).map { total($0) }
        let fastBefore = decoder.counts.fast
        let passesBefore = passes
        let start = clock()
        var elapsed: Int64 = 0
        repeat {
            for _ in 0..<16 { try pass() }
            elapsed = clock() - start
        } while Double(elapsed) < seconds * 1e9
        let done = passes - passesBefore
        for index in 0..<bookCount where total(index) != totals[index] + Int64(done) * changes[index] {
            throw Failure.wrongTotal(market: decoder.tickers.ticker(Market.ID(index)))
        }
        return Figures(
            messages: done * messagesPerPass, bytes: done * stream.count, nanoseconds: elapsed,
            fast: decoder.counts.fast - fastBefore)
    }

    private func total(_ index: Int) -> Int64 {
        books[index].total(.bid).hundredths + books[index].total(.ask).hundredths
    }

    /// Once over the stream.
    private func pass() throws {
        var tracker = SequenceTracker()
        var failure: Failure?
        stream.withUnsafeBytes { stream in
            var position = 0
            while position < stream.count {
                // FIN and text, no mask, 16-bit length: the server's form for 126 to 65,535 bytes.
                guard position + 4 <= stream.count, stream[position] == 0x81, stream[position + 1] == 126 else {
                    failure = .badFrame(at: position)
                    return
                }
                let count = Int(stream[position + 2]) << 8 | Int(stream[position + 3])
                let payload = UnsafeRawBufferPointer(rebasing: stream[position + 4..<position + 4 + count])
                position += 4 + count
                do throws(WireError) {
                    let message = try decoder.decode(payload)
                    let verdict = tracker.check(message)
                    guard verdict == .inOrder else {
                        failure = .outOfOrder(verdict)
                        return
                    }
                    if let fault = books[Int(message.market.index)].add(
                        message.quantity, side: message.side, price: message.price)
                    {
                        failure = .book(fault)
                        return
                    }
                } catch {
                    failure = .refused(error)
                    return
                }
            }
        }
        if let failure { throw failure }
        passes += 1
    }

    // MARK: Preparation

    private static func renumber(_ value: inout JSONValue, _ sequence: Int) {
        guard case .object(var object) = value else { return }
        for index in object.members.indices {
            if object.members[index].key == "seq" { object.members[index].value = .number(String(sequence)) }
            if object.members[index].key == "sid" { object.members[index].value = 1 }
        }
        value = .object(object)
    }

    private static func shuffle(_ value: inout JSONValue, _ random: inout SplitMix64) {
        guard case .object(var object) = value else { return }
        object.members.shuffle(using: &random)
        for index in object.members.indices { shuffle(&object.members[index].value, &random) }
        value = .object(object)
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): seeded chance for benchmarks.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(seed: UInt64) { state = seed }
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
