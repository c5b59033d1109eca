//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-------+-+-------------+-------------------------------+
//  |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//  |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//  |N|V|V|V|       |S|             |   (if payload len==126/127)   |
//  | |1|2|3|       |K|             |                               |
//  +-+-+-+-+-------+-+-------------+-------------------------------+
//  |  Masking-key (32), if MASK set                |  Payload data |
//  +-----------------------------------------------+---------------+

/// The frames' kinds (RFC 6455 §5.2).
enum WebSocketOpcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// Text is checked to be UTF-8 before it is delivered.
public enum WebSocketMessageKind: Equatable, Sendable {
    case text
    case binary
}

/// How a peer broke the protocol, and the code it is told.
public enum WebSocketViolation: Error, Equatable, Sendable, CustomStringConvertible {
    case reservedBits
    case unknownOpcode(UInt8)
    case fragmentedControl
    case controlTooLong
    case unmasked
    case masked
    case unexpectedContinuation
    case interruptedMessage
    case badLength
    case messageTooBig(limit: Int)
    case invalidUTF8
    case badClosePayload
    case badCloseCode(UInt16)

    public var closeCode: UInt16 {
        switch self {
        case .invalidUTF8: 1007
        case .messageTooBig: 1009
        default: 1002
        }
    }

    public var description: String {
        switch self {
        case .reservedBits: "reserved bits are set"
        case .unknownOpcode(let code): "the opcode \(code) is reserved"
        case .fragmentedControl: "a control frame is fragmented"
        case .controlTooLong: "a control frame is longer than 125 bytes"
        case .unmasked: "a client's frame is not masked"
        case .masked: "a server's frame is masked"
        case .unexpectedContinuation: "a continuation of nothing"
        case .interruptedMessage: "a new message began inside a fragmented one"
        case .badLength: "a malformed payload length"
        case .messageTooBig(let limit): "a message of more than \(limit) bytes"
        case .invalidUTF8: "text that is not UTF-8"
        case .badClosePayload: "a malformed close frame"
        case .badCloseCode(let code): "the close code \(code) may not be sent"
        }
    }
}

/// The header of one frame.
struct WebSocketFrameHeader: Equatable {
    var isFinal: Bool
    var opcode: WebSocketOpcode
    /// The key as its four bytes lie in memory; nil for an unmasked frame.
    var mask: UInt32?
    var headerLength: Int
    var payloadLength: Int

    /// Reads a header; nil while it is not whole. What is wrong is found as early as the bytes show it.
    static func read(_ bytes: UnsafeRawBufferPointer) throws(WebSocketViolation) -> WebSocketFrameHeader? {
        guard bytes.count >= 2 else {
            if let first = bytes.first { _ = try checkFirst(first) }
            return nil
        }
        let opcode = try checkFirst(bytes[0])
        let isMasked = bytes[1] & 0x80 != 0
        let short = Int(bytes[1] & 0x7f)
        if opcode.isControl && short > 125 { throw .controlTooLong }
        let lengthBytes = short < 126 ? 0 : short == 126 ? 2 : 8
        let headerLength = 2 + lengthBytes + (isMasked ? 4 : 0)
        guard bytes.count >= 2 + lengthBytes else { return nil }
        var length = UInt64(short)
        if lengthBytes > 0 {
            length = 0
            for index in 2..<(2 + lengthBytes) { length = length << 8 | UInt64(bytes[index]) }
            // The top bit must be zero, and the shortest form used.
            guard length >> 63 == 0, length >= (lengthBytes == 2 ? 126 : 65536) else { throw .badLength }
        }
        guard bytes.count >= headerLength else { return nil }
        let mask =
            isMasked ? bytes.loadUnaligned(fromByteOffset: headerLength - 4, as: UInt32.self) : nil
        return WebSocketFrameHeader(
            isFinal: bytes[0] & 0x80 != 0, opcode: opcode, mask: mask, headerLength: headerLength,
            payloadLength: Int(length))
    }

    private static func checkFirst(_ byte: UInt8) throws(WebSocketViolation) -> WebSocketOpcode {
        guard byte & 0x70 == 0 else { throw .reservedBits }
        guard let opcode = WebSocketOpcode(rawValue: byte & 0x0f) else { throw .unknownOpcode(byte & 0x0f) }
        guard !opcode.isControl || byte & 0x80 != 0 else { throw .fragmentedControl }
        return opcode
    }

    /// Longest header there is.
    static let lengthMax = 14

    /// Appends a whole frame to `buffer`, masked when a key is given.
    static func append(
        _ opcode: WebSocketOpcode, isFinal: Bool = true, _ payload: UnsafeRawBufferPointer, mask: UInt32?,
        to buffer: inout ByteBuffer
    ) {
        buffer.reserve(lengthMax + payload.count)
        let out = buffer.writable
        out[0] = opcode.rawValue | (isFinal ? 0x80 : 0)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        var position = 2
        if payload.count < 126 {
            out[1] = UInt8(payload.count) | maskBit
        } else if payload.count < 65536 {
            out[1] = 126 | maskBit
            out.storeBytes(of: UInt16(payload.count).bigEndian, toByteOffset: 2, as: UInt16.self)
            position = 4
        } else {
            out[1] = 127 | maskBit
            out.storeBytes(of: UInt64(payload.count).bigEndian, toByteOffset: 2, as: UInt64.self)
            position = 10
        }
        if let mask {
            out.storeBytes(of: mask, toByteOffset: position, as: UInt32.self)
            position += 4
        }
        let body = UnsafeMutableRawBufferPointer(rebasing: out[position..<(position + payload.count)])
        body.copyMemory(from: payload)
        if let mask { WebSocketMask.apply(mask, to: body, offset: 0) }
        buffer.produced(position + payload.count)
    }
}
