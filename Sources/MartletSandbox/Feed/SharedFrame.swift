/// One message for many subscribers as WebSocket frames: the body lies in one place, and each subscriber's head is
/// written backwards in front of it, so that a frame costs some dozens of bytes and one copy into its socket.
///
///     | room | frame header | {"type":…,"sid":…,"seq":… | ,"msg":…,"sending_ts_ms":…} |
struct SharedFrame {
    /// Longest head: a type's name, three numbers, their keys and the frame's header.
    private static let room = 256
    private var bytes = [UInt8](repeating: 0, count: SharedFrame.room)
    private var start = SharedFrame.room

    /// Puts a body in place, with the time of sending in milliseconds.
    mutating func prepare(_ body: [UInt8]?, sending: Int64) {
        bytes.removeLast(bytes.count - SharedFrame.room)
        if let body {
            bytes.append(contentsOf: ",\"msg\":".utf8)
            bytes.append(contentsOf: body)
        }
        bytes.append(contentsOf: ",\"sending_ts_ms\":".utf8)
        var digits = sending.magnitude
        let first = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(digits % 10))
            digits /= 10
        } while digits > 0
        bytes[first...].reverse()
        bytes.append(UInt8(ascii: "}"))
    }

    /// The frame for one subscriber, header included, and where its text begins.
    mutating func withFrame(
        _ type: StaticString, id: Int64?, sid: Int, sequence: Int?,
        _ use: (_ frame: UnsafeRawBufferPointer, _ header: Int) -> Void
    ) {
        start = SharedFrame.room
        if let sequence { put(",\"seq\":", Int64(sequence)) }
        put("\"sid\":", Int64(sid))
        if let id {
            put(",")
            put("\"id\":", id)
        }
        put("\",")
        put(type)
        put("{\"type\":\"")
        let text = start
        putHeader(bytes.count - text)
        let begin = start
        bytes.withUnsafeBytes { use(UnsafeRawBufferPointer(rebasing: $0[begin...]), text - begin) }
    }

    private mutating func put(_ key: StaticString, _ value: Int64) {
        var digits = value.magnitude
        repeat {
            start -= 1
            bytes[start] = UInt8(ascii: "0") + UInt8(digits % 10)
            digits /= 10
        } while digits > 0
        if value < 0 {
            start -= 1
            bytes[start] = UInt8(ascii: "-")
        }
        put(key)
    }
    private mutating func put(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        start -= count
        precondition(start >= 14, "a head is longer than its room")
        let source = UnsafeRawBufferPointer(start: text.utf8Start, count: count)
        bytes.withUnsafeMutableBytes { [start] in
            UnsafeMutableRawBufferPointer(rebasing: $0[start..<(start + count)]).copyMemory(from: source)
        }
    }

    /// Of an unmasked, whole text message (RFC 6455 §5.2).
    private mutating func putHeader(_ length: Int) {
        let lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
        for place in 0..<lengthBytes {
            start -= 1
            bytes[start] = UInt8(truncatingIfNeeded: length >> (8 * place))
        }
        start -= 2
        bytes[start] = 0x81
        bytes[start + 1] = lengthBytes == 0 ? UInt8(length) : lengthBytes == 2 ? 126 : 127
    }
}
