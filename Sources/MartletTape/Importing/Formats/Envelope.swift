import Martlet
import MartletWire

/// The recorder's wrapping of one line: what it adds to the exchange's message, and where that stands.
enum Envelope {
    enum Content {
        /// The message's bytes within the line.
        case bytes(UnsafeRawBufferPointer)
        /// The message, parsed with its envelope.
        case value(JSONValue)
        /// The message's text was quoted within the envelope.
        case text(String)
        /// Something that the recorder itself says.
        case event(String, info: JSONValue?)
    }

    static let nanosecondKeys = [
        "recv_ns", "recv_ts_ns", "local_recv_ns", "receive_ns", "received_ns", "ts_ns",
    ]
    static let millisecondKeys = ["recv_ms", "recv_ts_ms", "received_ms", "received_at_ms"]
    static let textKeys = ["received_at", "recv_ts", "local_recv_ts", "recv_time", "captured_at"]
    static let connectionKeys = ["conn", "connection"]
    static let frameKeys = ["frame", "raw", "message", "data", "payload"]

    /// Unwraps one line; fills in its receive time and connection.
    static func open(
        _ bytes: UnsafeRawBufferPointer, _ line: inout RecordedLine
    ) throws(WireError) -> Content {
        if let frame = common(bytes, &line) ?? leadingTime(bytes, &line) { return .bytes(frame) }
        guard needsParsing(bytes) else { return .bytes(bytes) }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes)
        } catch {
            throw .notJSON(error)
        }
        guard value.object != nil else {
            throw .invalid(field: "line", value: "…", problem: "not an object")
        }
        line.receiveTime = try receiveTime(value)
        for key in connectionKeys {
            if let number = value[key]?.int64 { line.connection = Int(truncatingIfNeeded: number) }
        }
        if value["type"]?.string != nil { return .value(value) }
        if let name = value["event"]?.string { return .event(name, info: value["info"]) }
        for key in frameKeys {
            guard let inner = value[key] else { continue }
            if let text = inner.string { return .text(text) }
            if inner.object != nil { return .value(inner) }
        }
        throw .missing(field: "type", message: "line")
    }

    /// Bare messages begin with their `type`; anything else is looked at whole, a receive time beside it included.
    private static func needsParsing(_ bytes: UnsafeRawBufferPointer) -> Bool {
        !bytes.starts(with: Array("{\"type\"".utf8)) || bytes.last != UInt8(ascii: "}")
            || Array(bytes.suffix(64)).containsSubsequence(Array("recv".utf8))
            || Array(bytes.suffix(64)).containsSubsequence(Array("receive".utf8))
    }

    private static func receiveTime(_ value: JSONValue) throws(WireError) -> Timestamp {
        for key in nanosecondKeys {
            guard let member = value[key], !member.isNull else { continue }
            return try time(member, key, unit: 1)
        }
        for key in millisecondKeys {
            guard let member = value[key], !member.isNull else { continue }
            return try time(member, key, unit: 1_000_000)
        }
        for key in textKeys {
            guard let text = value[key]?.string else { continue }
            guard let time = Timestamp(rfc3339: text) else {
                throw .invalid(field: key, value: text, problem: "not a time")
            }
            return time
        }
        return .unknown
    }

    private static func time(_ value: JSONValue, _ key: String, unit: Int64) throws(WireError) -> Timestamp {
        let text = value.decimalText ?? ""
        guard let number = Int64(text), number > 0 else {
            throw .invalid(field: key, value: text, problem: "not a time")
        }
        let (nanoseconds, overflowed) = number.multipliedReportingOverflow(by: unit)
        guard !overflowed else { throw .invalid(field: key, value: text, problem: "not a time") }
        return Timestamp(nanoseconds: nanoseconds)
    }

    /// The form `{"recv_ns":…,"conn":…,"frame":{…}}`, in exactly this order, without parsing it.
    private static func common(
        _ bytes: UnsafeRawBufferPointer, _ line: inout RecordedLine
    ) -> UnsafeRawBufferPointer? {
        var place = 0
        func take(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard bytes.count - place >= count else { return false }
            for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
            place += count
            return true
        }
        guard take("{\"recv_ns\":"), let time = digits(bytes, &place), take(",\"conn\":"),
            let connection = digits(bytes, &place), take(",\"frame\":{"), bytes.last == UInt8(ascii: "}")
        else { return nil }
        line.receiveTime = Timestamp(nanoseconds: time)
        line.connection = Int(connection)
        return UnsafeRawBufferPointer(rebasing: bytes[place - 1..<bytes.count - 1])
    }

    /// A receive time in nanoseconds (or milliseconds, or RFC 3339) before a bare message.
    private static func leadingTime(
        _ bytes: UnsafeRawBufferPointer, _ line: inout RecordedLine
    ) -> UnsafeRawBufferPointer? {
        guard let first = bytes.first, first >= 0x30, first <= 0x39,
            let brace = bytes.firstIndex(of: UInt8(ascii: "{")), brace <= 64
        else { return nil }
        let separators: [UInt8] = [0x20, 0x09, 0x2C, 0x3B, 0x7C]
        guard let end = bytes[..<brace].firstIndex(where: { separators.contains($0) }) else { return nil }
        if let time = Timestamp(rfc3339: bytes[..<end]) {
            line.receiveTime = time
        } else {
            var place = 0
            guard let number = digits(bytes, &place), place == end else { return nil }
            // Milliseconds have 13 digits until the year 2286, nanoseconds 19.
            line.receiveTime =
                end <= 13 ? Timestamp(milliseconds: number) : Timestamp(nanoseconds: number)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[brace...])
    }

    private static func digits(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> Int64? {
        var value: Int64 = 0
        let start = place
        while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39 {
            guard place - start < 19 else { return nil }
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(bytes[place] - 0x30))
            guard !overflowed, !carried else { return nil }
            value = sum
            place += 1
        }
        return place > start ? value : nil
    }
}

extension Array where Element == UInt8 {
    func containsSubsequence(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return (0...count - other.count).contains { self[$0..<$0 + other.count].elementsEqual(other) }
    }
}
