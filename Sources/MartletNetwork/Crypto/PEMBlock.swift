/// One block of a PEM text (RFC 7468, with RFC 1421's headers, which the older encryption uses).
///
/// The text is read here and not by OpenSSL: a mistake is told with its line, and what is no key is refused before
/// OpenSSL's decoders, at a millisecond and more a try, see it.
struct PEMBlock: Equatable {
    /// What stands after BEGIN. It is a hint only: the contents say what they are.
    let label: String
    /// The contents are encrypted as the headers say ("Proc-Type: 4,ENCRYPTED").
    let isLocked: Bool
    let contents: [UInt8]
    /// Where the block stands in the text, both lines of dashes included.
    let place: Range<Int>

    /// All blocks of the text. What stands between them is skipped, as the standard wants it.
    static func all(_ text: [UInt8]) throws(KeyError) -> [PEMBlock] {
        var reader = PEMReader()
        // Some editors begin every file with a byte order mark.
        var start = text.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            try reader.take(text[start..<end], next: min(end + 1, text.count))
            start = end + 1
        }
        return try reader.finish()
    }
}

private struct PEMReader {
    private enum State {
        case outside
        case headers
        case body
    }

    private var state = State.outside
    private var found: [PEMBlock] = []
    private var line = 0
    private var label: [UInt8] = []
    private var start = 0
    private var isLocked = false
    private var encoded: [UInt8] = []

    /// - Parameter next: where the next line begins.
    mutating func take(_ untrimmed: ArraySlice<UInt8>, next: Int) throws(KeyError) {
        line += 1
        let content = PEMReader.trimmed(untrimmed)
        let begun = PEMReader.label(content, after: "-----BEGIN ")
        if state == .outside {
            if let begun { begin(begun, at: untrimmed.startIndex) }
            return
        }
        guard begun == nil else { throw .damaged(line: line, "a block begins before the last one has ended") }
        if let ended = PEMReader.label(content, after: "-----END ") {
            guard ended.elementsEqual(label) else {
                throw .damaged(line: line, "the END line names something else than the BEGIN line")
            }
            return try end(at: next)
        }
        if state == .headers {
            if content.contains(UInt8(ascii: ":")) {
                if String(decoding: content, as: UTF8.self).contains("ENCRYPTED") { isLocked = true }
                return
            }
            if content.isEmpty { return }
            state = .body
        }
        guard content.allSatisfy(Base64.isDigitOrPadding) else {
            throw .damaged(line: line, "it has a character that is not base64")
        }
        encoded.append(contentsOf: content)
    }

    func finish() throws(KeyError) -> [PEMBlock] {
        guard state == .outside else { throw .damaged(line: line, "the END line is missing") }
        return found
    }

    private mutating func begin(_ name: ArraySlice<UInt8>, at place: Int) {
        state = .headers
        label = Array(name)
        start = place
        isLocked = false
        encoded.removeAll(keepingCapacity: true)
    }

    private mutating func end(at place: Int) throws(KeyError) {
        guard let contents = Base64.decode(encoded) else {
            throw .damaged(line: line, "the base64 text before it is not whole")
        }
        state = .outside
        found.append(
            PEMBlock(
                label: String(decoding: label, as: UTF8.self), isLocked: isLocked, contents: contents,
                place: start..<place))
    }

    /// The name between `prefix` and the closing dashes.
    private static func label(_ line: ArraySlice<UInt8>, after prefix: StaticString) -> ArraySlice<UInt8>? {
        let count = prefix.utf8CodeUnitCount
        guard line.count >= count + 5, line.suffix(5).allSatisfy({ $0 == UInt8(ascii: "-") }),
            line.prefix(count).elementsEqual(UnsafeBufferPointer(start: prefix.utf8Start, count: count))
        else { return nil }
        return line.dropFirst(count).dropLast(5)
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
        var line = line
        while let last = line.last, isBlank(last) { line.removeLast() }
        while let first = line.first, isBlank(first) { line.removeFirst() }
        return line
    }
}
