/// A pure reader of WebSocket frames: bytes in, events out, no I/O.
///
/// It is given, each time, the bytes from the first unconsumed one on. A frame is read where it lies: its
/// payload is unmasked and checked in place as it arrives, each byte once, and an unfragmented message is
/// delivered as a slice of the caller's buffer. Only fragments are copied, each once, into one buffer.
struct WebSocketParser: ~Copyable {
    enum Role {
        case client
        case server
    }

    enum Event {
        /// Nothing more without more bytes.
        case needsMore
        /// A fragment was taken in.
        case fragment
        /// A whole message. The bytes hold until the next call or the buffer's next change.
        case message(WebSocketMessageKind, UnsafeRawBufferPointer)
        case ping(UnsafeRawBufferPointer)
        case pong(UnsafeRawBufferPointer)
        /// Nil: the frame had no code.
        case close(UInt16?, reason: String)
    }

    /// A fragment buffer larger than this is given back after its message.
    static let keptAssembly = 1024 * 1024

    private let role: Role
    private let messageMax: Int
    private var frame: WebSocketFrameHeader?
    /// Bytes of the present frame's payload that have been unmasked and checked.
    private var checked = 0
    /// The kind of the fragmented message under way.
    private var fragmented: WebSocketMessageKind?
    private var assembly = ByteBuffer(capacity: 256)
    private var assemblyIsDelivered = false
    private var utf8 = UTF8Validator()

    init(role: Role, messageMax: Int) {
        self.role = role
        self.messageMax = messageMax
    }

    mutating func next(
        _ bytes: UnsafeMutableRawBufferPointer
    ) throws(WebSocketViolation) -> (consumed: Int, event: Event) {
        if assemblyIsDelivered { dropAssembly() }
        if frame == nil {
            guard let header = try WebSocketFrameHeader.read(UnsafeRawBufferPointer(bytes)) else {
                return (0, .needsMore)
            }
            try check(header)
            frame = header
            checked = 0
        }
        guard let header = frame else { return (0, .needsMore) }
        let available = min(header.payloadLength, bytes.count - header.headerLength)
        if available > checked {
            let start = header.headerLength + checked
            let fresh = UnsafeMutableRawBufferPointer(
                rebasing: bytes[start..<(header.headerLength + available)])
            if let mask = header.mask { WebSocketMask.apply(mask, to: fresh, offset: checked) }
            if isText(header) {
                guard utf8.accept(UnsafeRawBufferPointer(fresh)) else { throw .invalidUTF8 }
            }
            checked = available
        }
        guard available == header.payloadLength else { return (0, .needsMore) }
        frame = nil
        let end = header.headerLength + header.payloadLength
        let payload = UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(bytes)[header.headerLength..<end])
        return (end, try complete(header, payload))
    }

    private func check(_ header: WebSocketFrameHeader) throws(WebSocketViolation) {
        switch (role, header.mask) {
        case (.server, nil): throw .unmasked
        case (.client, .some): throw .masked
        default: break
        }
        switch header.opcode {
        case .continuation: if fragmented == nil { throw .unexpectedContinuation }
        case .text, .binary: if fragmented != nil { throw .interruptedMessage }
        default: return
        }
        let sum = header.payloadLength.addingReportingOverflow(assembly.count)
        if sum.overflow || sum.partialValue > messageMax { throw .messageTooBig(limit: messageMax) }
    }

    private func isText(_ header: WebSocketFrameHeader) -> Bool {
        header.opcode == .text || (header.opcode == .continuation && fragmented == .text)
    }

    private mutating func complete(
        _ header: WebSocketFrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketViolation) -> Event {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close: return try WebSocketParser.close(payload)
        case .text, .binary:
            let kind: WebSocketMessageKind = header.opcode == .text ? .text : .binary
            guard header.isFinal else {
                fragmented = kind
                assembly.append(payload)
                return .fragment
            }
            try endText(kind)
            return .message(kind, payload)
        case .continuation:
            assembly.append(payload)
            guard header.isFinal, let kind = fragmented else { return .fragment }
            try endText(kind)
            fragmented = nil
            assemblyIsDelivered = true
            return .message(kind, UnsafeRawBufferPointer(assembly.readable))
        }
    }

    private mutating func endText(_ kind: WebSocketMessageKind) throws(WebSocketViolation) {
        guard kind == .text else { return }
        guard utf8.isComplete else { throw .invalidUTF8 }
    }

    private mutating func dropAssembly() {
        assemblyIsDelivered = false
        if assembly.capacity > WebSocketParser.keptAssembly {
            assembly = ByteBuffer(capacity: 256)
        } else {
            assembly.removeAll()
        }
    }

    private static func close(_ payload: UnsafeRawBufferPointer) throws(WebSocketViolation) -> Event {
        if payload.isEmpty { return .close(nil, reason: "") }
        guard payload.count >= 2 else { throw .badClosePayload }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard WebSocketCloseCode.mayBeSent(code) else { throw .badCloseCode(code) }
        let reason = UnsafeRawBufferPointer(rebasing: payload[2...])
        var utf8 = UTF8Validator()
        guard utf8.accept(reason), utf8.isComplete else { throw .invalidUTF8 }
        return .close(code, reason: String(decoding: reason, as: UTF8.self))
    }
}

/// The close codes of RFC 6455 §7.4.
public enum WebSocketCloseCode {
    public static let normal: UInt16 = 1000
    public static let goingAway: UInt16 = 1001

    /// 1004 to 1006 and 1015 never stand in a frame; 1016 to 2999 are nobody's yet.
    static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
