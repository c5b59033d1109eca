#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Finds the end of a message's head as bytes come in, looking at each byte once, and takes it apart.
struct HTTPHeadReader {
    private let bytesMax: Int
    private var scanned = 0
    private var lineStart = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The length of the head with its final empty line, or nil while that is not there.
    /// - Parameter bytes: all that has come of this message so far; the same bytes again with more behind.
    mutating func length(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        while scanned < bytes.count {
            guard let found = memchr(base + scanned, Int32(ASCII.lineFeed), bytes.count - scanned) else {
                scanned = bytes.count
                break
            }
            let lineFeed = UnsafeRawPointer(found) - base
            guard lineFeed > lineStart, bytes[lineFeed - 1] == ASCII.carriageReturn else { throw .badLineEnd }
            scanned = lineFeed + 1
            if scanned > bytesMax { throw .headTooLarge }
            let isEmpty = lineFeed - 1 == lineStart
            lineStart = scanned
            if isEmpty { return scanned }
        }
        if scanned > bytesMax { throw .headTooLarge }
        return nil
    }

    /// Splits a whole head into its start line and fields.
    static func split(
        _ head: UnsafeRawBufferPointer, headerCountMax: Int
    ) throws(HTTPParseError) -> (start: UnsafeRawBufferPointer, headers: HTTPHeaders) {
        let start = try line(head, from: 0)
        return (start, try fields(head, from: start.count + 2, countMax: headerCountMax))
    }

    /// The fields from `offset` to the empty line.
    static func fields(
        _ bytes: UnsafeRawBufferPointer, from offset: Int, countMax: Int
    ) throws(HTTPParseError) -> HTTPHeaders {
        var headers = HTTPHeaders()
        var position = offset
        while position < bytes.count {
            let line = try line(bytes, from: position)
            position += line.count + 2
            if line.isEmpty { break }
            guard headers.fields.count < countMax else { throw .tooManyHeaders }
            let (name, value) = try field(line)
            headers.append(name, value)
        }
        return headers
    }

    private static func line(
        _ bytes: UnsafeRawBufferPointer, from start: Int
    ) throws(HTTPParseError) -> UnsafeRawBufferPointer {
        guard let base = bytes.baseAddress, start < bytes.count,
            let found = memchr(base + start, Int32(ASCII.lineFeed), bytes.count - start)
        else { throw .badLineEnd }
        let end = UnsafeRawPointer(found) - base
        guard end > start, bytes[end - 1] == ASCII.carriageReturn else { throw .badLineEnd }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end - 1])
    }

    private static func field(_ line: UnsafeRawBufferPointer) throws(HTTPParseError) -> (String, String) {
        if line[0] == ASCII.space || line[0] == ASCII.tab { throw .foldedHeader }
        var colon = 0
        while colon < line.count, ASCII.isToken(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { throw .badHeaderName }
        var start = colon + 1
        var end = line.count
        while start < end, line[start] == ASCII.space || line[start] == ASCII.tab { start += 1 }
        while end > start, line[end - 1] == ASCII.space || line[end - 1] == ASCII.tab { end -= 1 }
        let value = UnsafeRawBufferPointer(rebasing: line[start..<end])
        guard value.allSatisfy(ASCII.isFieldContent) else { throw .badHeaderValue }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    /// The minor version of `HTTP/1.0` or `HTTP/1.1`.
    static func minorVersion(_ text: UnsafeRawBufferPointer) throws(HTTPParseError) -> Int {
        guard text.count == 8, text.starts(with: "HTTP/".utf8) else { throw .badStartLine }
        guard text[5] == UInt8(ascii: "1"), text[6] == UInt8(ascii: "."),
            text[7] == UInt8(ascii: "0") || text[7] == UInt8(ascii: "1")
        else { throw .badVersion }
        return Int(text[7] - UInt8(ascii: "0"))
    }
}
