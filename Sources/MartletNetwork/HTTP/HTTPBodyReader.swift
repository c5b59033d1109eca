/// Reads one message's body as its framing says, however it is split.
struct HTTPBodyReader {
    /// Where a body ends.
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    private enum State: Equatable {
        /// Bytes of a length-delimited body still to come.
        case length(Int)
        case untilClose
        case chunkSize
        case chunkData(Int)
        case chunkEnd
        case trailers
        case done
    }

    enum Step: Equatable {
        case needsMore
        /// The first bytes of the input, this many, are framing.
        case skip(Int)
        /// The first bytes of the input, this many, belong to the body.
        case data(Int)
        case end
    }

    private var state: State
    private let limits: HTTPLimits
    private var total = 0
    private var extensionBytes = 0
    private var scanned = 0
    private var trailers: HTTPHeadReader

    init(_ framing: Framing, limits: HTTPLimits) throws(HTTPParseError) {
        self.limits = limits
        trailers = HTTPHeadReader(bytesMax: limits.trailerBytes)
        switch framing {
        case .none: state = .done
        case .length(let length):
            guard length <= limits.bodyBytes else { throw .bodyTooLarge }
            state = length == 0 ? .done : .length(length)
        case .chunked: state = .chunkSize
        case .untilClose: state = .untilClose
        }
    }

    /// What the first of `bytes` are. The caller drops what was skipped or taken and asks again.
    mutating func next(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> Step {
        switch state {
        case .done: return .end
        case .length(let left):
            if bytes.isEmpty { return .needsMore }
            let taken = min(left, bytes.count)
            state = left == taken ? .done : .length(left - taken)
            return .data(taken)
        case .untilClose:
            if bytes.isEmpty { return .needsMore }
            try count(bytes.count)
            return .data(bytes.count)
        case .chunkSize: return try chunkSize(bytes)
        case .chunkData(let left):
            if bytes.isEmpty { return .needsMore }
            let taken = min(left, bytes.count)
            state = left == taken ? .chunkEnd : .chunkData(left - taken)
            return .data(taken)
        case .chunkEnd:
            if let first = bytes.first, first != ASCII.carriageReturn { throw .badChunk }
            if bytes.count < 2 { return .needsMore }
            guard bytes[1] == ASCII.lineFeed else { throw .badChunk }
            state = .chunkSize
            return .skip(2)
        case .trailers:
            guard let length = try trailerLength(bytes) else { return .needsMore }
            let whole = UnsafeRawBufferPointer(rebasing: bytes[..<length])
            _ = try HTTPHeadReader.fields(whole, from: 0, countMax: limits.headerCount)
            state = .done
            return .skip(length)
        }
    }

    /// The stream has ended; throws where the body had not.
    func end() throws(HTTPParseError) {
        guard state == .done || state == .untilClose else { throw .unexpectedEnd }
    }

    private mutating func trailerLength(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> Int? {
        do throws(HTTPParseError) {
            return try trailers.length(bytes)
        } catch .headTooLarge {
            throw .trailersTooLarge
        }
    }

    private mutating func count(_ bytes: Int) throws(HTTPParseError) {
        let (sum, overflow) = total.addingReportingOverflow(bytes)
        guard !overflow, sum <= limits.bodyBytes else { throw .bodyTooLarge }
        total = sum
    }

    private mutating func chunkSize(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> Step {
        while scanned < bytes.count, bytes[scanned] != ASCII.lineFeed {
            scanned += 1
            if scanned > limits.chunkLineBytes { throw .chunkTooLong }
        }
        if scanned == bytes.count {
            try checkPartialSize(bytes)
            return .needsMore
        }
        let lineEnd = scanned
        scanned = 0
        guard lineEnd >= 2, bytes[lineEnd - 1] == ASCII.carriageReturn else { throw .badChunk }
        let size = try parseSize(UnsafeRawBufferPointer(rebasing: bytes[..<(lineEnd - 1)]))
        try count(size)
        state = size == 0 ? .trailers : .chunkData(size)
        return .skip(lineEnd + 1)
    }

    /// Refuses what cannot become a size any more, so that a peer that stops there is not waited for.
    private func checkPartialSize(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) {
        if let first = bytes.first, ASCII.hexValue(first) == nil { throw .badChunk }
    }

    private mutating func parseSize(_ line: UnsafeRawBufferPointer) throws(HTTPParseError) -> Int {
        var size: UInt64 = 0
        var index = 0
        while index < line.count, let digit = ASCII.hexValue(line[index]) {
            guard size <= UInt64(Int.max) >> 4 else { throw .chunkTooLong }
            size = size << 4 | digit
            index += 1
        }
        guard index > 0 else { throw .badChunk }
        var rest = UnsafeRawBufferPointer(rebasing: line[index...])
        if rest.isEmpty { return Int(size) }
        extensionBytes += rest.count
        guard extensionBytes <= limits.chunkExtensionBytes else { throw .chunkTooLong }
        while let first = rest.first, first == ASCII.space || first == ASCII.tab {
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        }
        guard rest.first == UInt8(ascii: ";"), rest.allSatisfy(ASCII.isFieldContent) else { throw .badChunk }
        return Int(size)
    }
}

extension HTTPBodyReader {
    /// The framing that the headers give, strictly: what two readers could take differently is refused.
    /// Nil where the headers say nothing.
    static func framing(_ headers: HTTPHeaders, minorVersion: Int) throws(HTTPParseError) -> Framing? {
        let lengths = headers.all("Content-Length")
        if headers.contains("Transfer-Encoding") {
            guard lengths.isEmpty else { throw .lengthAndTransferEncoding }
            guard minorVersion == 1, headers.tokens("Transfer-Encoding") == ["chunked"] else {
                throw .unsupportedTransferEncoding
            }
            return .chunked
        }
        guard let text = lengths.first else { return nil }
        guard lengths.count == 1 else { throw .repeatedContentLength }
        if text.utf8.contains(UInt8(ascii: ",")) { throw .repeatedContentLength }
        guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit), let length = Int(text) else {
            throw .badContentLength
        }
        return .length(length)
    }
}
