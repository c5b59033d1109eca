import Testing

@testable import MartletNetwork

/// What a parser made of some bytes.
enum SeenFrame: Equatable {
    case text(String)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, String)
    case violation(WebSocketViolation)
}

enum Frames {
    /// A frame with any header, right or wrong.
    static func raw(_ first: UInt8, _ payload: [UInt8], mask: [UInt8]? = nil, form: Int? = nil) -> [UInt8] {
        let count = payload.count
        let bit: UInt8 = mask == nil ? 0 : 0x80
        var bytes = [first]
        switch form ?? (count < 126 ? 7 : count < 65536 ? 16 : 64) {
        case 7: bytes.append(UInt8(count) | bit)
        case 16: bytes += [126 | bit, UInt8(count >> 8), UInt8(count & 255)]
        default:
            bytes.append(127 | bit)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(count >> shift & 255)) }
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    static func parse(
        _ bytes: [UInt8], pieces: Int, role: WebSocketParser.Role = .client, limit: Int = 1 << 20
    ) -> [SeenFrame] {
        var parser = WebSocketParser(role: role, messageMax: limit)
        var pending: [UInt8] = []
        var seen: [SeenFrame] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            pending += bytes[start..<min(start + pieces, bytes.count)]
            var more = true
            while more {
                var consumed = 0
                pending.withUnsafeMutableBytes { raw in
                    do throws(WebSocketViolation) {
                        let (count, event) = try parser.next(raw)
                        consumed = count
                        switch event {
                        case .needsMore: more = false
                        case .fragment: break
                        case .message(.text, let bytes):
                            seen.append(.text(String(decoding: bytes, as: UTF8.self)))
                        case .message(.binary, let bytes): seen.append(.binary(Array(bytes)))
                        case .ping(let bytes): seen.append(.ping(Array(bytes)))
                        case .pong(let bytes): seen.append(.pong(Array(bytes)))
                        case .close(let code, let reason): seen.append(.close(code, reason))
                        }
                    } catch {
                        seen.append(.violation(error))
                        more = false
                    }
                }
                if case .violation = seen.last { return seen }
                pending.removeFirst(consumed)
            }
        }
        return seen
    }

    static func everyWay(
        _ bytes: [UInt8], role: WebSocketParser.Role = .client, limit: Int = 1 << 20
    ) -> [SeenFrame] {
        let whole = parse(bytes, pieces: max(bytes.count, 1), role: role, limit: limit)
        for pieces in [1, 2, 3, 5, 64, 1000] {
            #expect(parse(bytes, pieces: pieces, role: role, limit: limit) == whole, "in pieces of \(pieces)")
        }
        return whole
    }
}

@Suite struct WebSocketParserTests {
    let mask: [UInt8] = [0x12, 0xfe, 0x00, 0x7f]

    @Test func readsMessagesOfAllLengthForms() {
        for count in [0, 1, 125, 126, 127, 65535, 65536, 70000] {
            let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(Frames.everyWay(Frames.raw(0x82, payload)) == [.binary(payload)])
            #expect(
                Frames.everyWay(Frames.raw(0x82, payload, mask: mask), role: .server) == [.binary(payload)])
        }
    }

    @Test func joinsFragmentsWithControlFramesBetween() {
        let bytes =
            Frames.raw(0x01, "hé".bytes.dropLast()) + Frames.raw(0x89, "heartbeat".bytes)
            + Frames.raw(0x00, [0xa9]) + Frames.raw(0x8a, []) + Frames.raw(0x00, [])
            + Frames.raw(0x80, "!".bytes)
            + Frames.raw(0x81, "next".bytes)
        #expect(
            Frames.everyWay(bytes) == [.ping("heartbeat".bytes), .pong([]), .text("hé!"), .text("next")])
    }

    @Test func manyFragmentsAreLinear() {
        var bytes = Frames.raw(0x02, [1])
        for _ in 0..<200_000 { bytes += [0x00, 0x01, 0x01] }
        bytes += Frames.raw(0x80, [1])
        let clock = ContinuousClock.now
        let seen = Frames.parseAll(bytes, limit: 1 << 20)
        #expect(seen == 200_002)
        #expect(ContinuousClock.now - clock < .seconds(10))
    }

    @Test func refusesWhatTheProtocolForbids() {
        let long = [UInt8](repeating: 0x61, count: 126)
        let cases: [([UInt8], WebSocketViolation)] = [
            (Frames.raw(0xc1, []), .reservedBits), (Frames.raw(0xa1, []), .reservedBits),
            (Frames.raw(0x91, []), .reservedBits), (Frames.raw(0x83, []), .unknownOpcode(3)),
            (Frames.raw(0x8b, []), .unknownOpcode(11)), (Frames.raw(0x8f, []), .unknownOpcode(15)),
            (Frames.raw(0x09, []), .fragmentedControl), (Frames.raw(0x08, []), .fragmentedControl),
            (Frames.raw(0x89, long), .controlTooLong), (Frames.raw(0x88, long), .controlTooLong),
            (Frames.raw(0x80, []), .unexpectedContinuation), (Frames.raw(0x00, []), .unexpectedContinuation),
            (Frames.raw(0x01, []) + Frames.raw(0x81, []), .interruptedMessage),
            (Frames.raw(0x81, [], mask: mask), .masked), (Frames.raw(0x81, [1], form: 16), .badLength),
            (Frames.raw(0x81, long, form: 64), .badLength),
            ([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], .badLength),
            ([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], .badLength),
            ([0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0], .messageTooBig(limit: 1 << 20)),
            (Frames.raw(0x88, [3]), .badClosePayload),
            (Frames.raw(0x88, [0x03, 0xe8, 0xff]), .invalidUTF8),
        ]
        for (bytes, violation) in cases {
            #expect(Frames.everyWay(bytes) == [.violation(violation)], "\(bytes.prefix(12))")
        }
        #expect(Frames.everyWay(Frames.raw(0x81, [1]), role: .server) == [.violation(.unmasked)])
    }

    @Test func sizeLimitCountsFragmentsTogether() {
        let part = [UInt8](repeating: 0, count: 600)
        let bytes = Frames.raw(0x02, part) + Frames.raw(0x80, part)
        #expect(Frames.everyWay(bytes, limit: 1000) == [.violation(.messageTooBig(limit: 1000))])
        #expect(Frames.everyWay(bytes, limit: 1200) == [.binary(part + part)])
        #expect(Frames.everyWay(Frames.raw(0x82, part), limit: 600) == [.binary(part)])
    }

    @Test func closeCodes() {
        for code in 0...UInt16.max {
            let seen = Frames.parse(Frames.raw(0x88, [UInt8(code >> 8), UInt8(code & 255)]), pieces: 4)
            let isValid =
                (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
            guard seen == [isValid ? .close(code, "") : .violation(.badCloseCode(code))] else {
                Issue.record("\(code): \(seen)")
                return
            }
        }
        #expect(Frames.everyWay(Frames.raw(0x88, [])) == [.close(nil, "")])
        #expect(Frames.everyWay(Frames.raw(0x88, [0x03, 0xe8] + "bye é".bytes)) == [.close(1000, "bye é")])
    }

    @Test func badTextFailsAtItsFirstWrongByteBeforeTheFrameIsWhole() {
        var parser = WebSocketParser(role: .client, messageMax: 1000)
        var bytes: [UInt8] = [0x81, 100] + "abc".bytes + [0xed, 0xa0]
        #expect(throws: WebSocketViolation.invalidUTF8) {
            try bytes.withUnsafeMutableBytes { _ = try parser.next($0) }
        }
        for tail in [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x92]] as [[UInt8]] {
            #expect(Frames.everyWay(Frames.raw(0x81, "a".bytes + tail)) == [.violation(.invalidUTF8)])
            #expect(
                Frames.everyWay(Frames.raw(0x01, tail) + Frames.raw(0x80, [])) == [.violation(.invalidUTF8)])
        }
    }

    @Test func maskingAgreesWithTheDefinition() {
        var random = SeededRandom(3)
        for count in 0..<70 {
            for offset in 0..<5 {
                let key = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
                let plain = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                var masked = plain
                let word = key.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
                masked.withUnsafeMutableBytes { WebSocketMask.apply(word, to: $0, offset: offset) }
                #expect(masked == plain.enumerated().map { $1 ^ key[($0 + offset) % 4] })
            }
        }
    }

    @Test func validatorAgreesWithTheStandardLibrary() {
        var random = SeededRandom(5)
        let interesting: [UInt8] = [
            0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0,
            0xf1, 0xf4, 0xf5, 0xff,
        ]
        for _ in 0..<200_000 {
            let ascii = Int.random(in: 0...20, using: &random)
            let bytes =
                [UInt8](repeating: 0x20, count: ascii)
                + (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    interesting.randomElement(using: &random) ?? 0
                }
            var validator = UTF8Validator()
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let accepted =
                bytes[..<cut].withUnsafeBytes { validator.accept($0) }
                && bytes[cut...].withUnsafeBytes { validator.accept($0) } && validator.isComplete
            guard accepted == (String(validating: bytes, as: UTF8.self) != nil) else {
                Issue.record("\(bytes) cut at \(cut)")
                return
            }
        }
    }

    @Test func handshakeAcceptsRFCsExample() {
        #expect(WebSocketHandshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}

extension Frames {
    /// The number of frames in `bytes`, read in place.
    static func parseAll(_ bytes: [UInt8], limit: Int) -> Int {
        var parser = WebSocketParser(role: .client, messageMax: limit)
        var copy = bytes
        var frames = 0
        copy.withUnsafeMutableBytes { raw in
            var rest = raw
            while true {
                guard let (count, event) = try? parser.next(rest) else { return }
                if case .needsMore = event { return }
                frames += 1
                rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
            }
        }
        return frames
    }
}
