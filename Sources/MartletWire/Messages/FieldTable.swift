import Martlet

/// The fields of one JSON object, found and checked in one pass and read by name afterwards.
///
/// The message decoder's general way: any order, any spacing, unknown fields passed over. Nothing is copied, and
/// the array is reused from message to message.
struct FieldTable {
    struct Field {
        /// The key's first eight bytes, for a quick comparison.
        var word: UInt64
        var key: JSONToken
        var value: JSONToken
    }

    /// More fields than this in one object are refused: the widest message known has about 40.
    static let fieldsMax = 512

    var fields: [Field] = []
    var base: UnsafePointer<UInt8>
    /// What field paths begin with (`msg.`).
    var path: StaticString
    /// The first byte of the object.
    var start = 0

    init(path: StaticString) {
        self.path = path
        base = FieldTable.nothing
        fields.reserveCapacity(64)
    }

    /// What a table without a text points to. Never written, never freed; no field refers to it.
    private nonisolated(unsafe) static let nothing = UnsafePointer<UInt8>(
        UnsafeMutablePointer<UInt8>.allocate(capacity: 1))

    mutating func clear(_ base: UnsafePointer<UInt8>) {
        self.base = base
        start = 0
        fields.removeAll(keepingCapacity: true)
    }

    /// Reads the object at the scanner; `nested` may take a member's value over, and says so.
    @inline(__always)
    mutating func read(
        _ scanner: inout JSONScanner, depth: Int,
        nested: (inout JSONScanner, JSONToken) throws(JSONError) -> JSONToken?
    ) throws(JSONError) {
        clear(scanner.base)
        start = scanner.position
        var fields: [Field] = []
        swap(&fields, &self.fields)
        defer { swap(&fields, &self.fields) }
        try scanner.object(depth: depth) { (scanner, key) throws(JSONError) in
            guard fields.count < FieldTable.fieldsMax else { throw JSONError(.tooLong, at: scanner.position) }
            let value: JSONToken
            if let taken = try nested(&scanner, key) {
                value = taken
            } else {
                value = try scanner.value(depth: depth)
            }
            fields.append(
                Field(word: FieldTable.word(scanner.base + Int(key.start), key.count), key: key, value: value))
        }
    }

    @inline(__always)
    static func word(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        if count >= 8 { return SWAR.load(bytes) }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[index]) << UInt64(index &* 8) }
        return word
    }

    @inline(__always)
    private func matches(_ field: Field, _ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        if field.key.isEscaped { return JSONText.string(field.key, in: base) == "\(name)" }
        guard field.key.count == count, field.word == FieldTable.word(name.utf8Start, count) else { return false }
        for index in min(8, count)..<count where base[Int(field.key.start) + index] != name.utf8Start[index] {
            return false
        }
        return true
    }

    // MARK: Look-up

    /// The value of that name, or nil when it is absent or null. A name that stands twice is refused: no reading
    /// of it would be safe. O(fields).
    @inline(__always)
    func find(_ name: StaticString) throws(WireError) -> JSONToken? {
        var found: JSONToken?
        for field in fields where matches(field, name) {
            if found != nil { throw error(.duplicate, name, field.value) }
            found = field.value
        }
        guard let found, found.kind != .null else { return nil }
        return found
    }

    /// Whether the name stands there, even as null.
    func contains(_ name: StaticString) -> Bool { fields.contains { matches($0, name) } }

    @inline(never)
    func error(_ problem: WireError.Problem, _ name: StaticString, _ token: JSONToken? = nil) -> WireError {
        let shown = token.map {
            String(
                decoding: UnsafeBufferPointer(start: base + Int($0.start), count: min($0.count, 60)), as: UTF8.self)
        }
        return WireError(
            problem, field: "\(path)\(name)", value: shown ?? "", offset: token.map { Int($0.start) } ?? start)
    }

    // MARK: Typed reads

    /// A decimal in 10^-`decimals` from a JSON number or a string.
    @inline(__always)
    func decimal(_ name: StaticString, _ decimals: Int) throws(WireError) -> Int64? {
        guard let token = try find(name) else { return nil }
        return try decimal(token, name, decimals)
    }

    @inline(__always)
    func decimal(_ token: JSONToken, _ name: StaticString, _ decimals: Int) throws(WireError) -> Int64 {
        do throws(FixedPoint.ParseError) {
            switch token.kind {
            case .number: return try Decimal64.parse(base + Int(token.start), token.count, decimals: decimals)
            case .string:
                if token.isEscaped {
                    return try FixedPoint.parse(JSONText.unescaped(token, in: base), decimals: decimals)
                }
                let start = base + Int(token.start)
                return try Decimal64.parsePlain(start, token.count, decimals: decimals)
            default: break
            }
        } catch {
            throw self.error(.badNumber(error), name, token)
        }
        throw error(.wrongKind(expected: "a number or a decimal string"), name, token)
    }

    func price(_ name: StaticString) throws(WireError) -> Price? {
        guard let token = try find(name) else { return nil }
        return try price(token, name)
    }

    func price(_ token: JSONToken, _ name: StaticString) throws(WireError) -> Price {
        guard let micros = Int32(exactly: try decimal(token, name, 6)) else {
            throw error(.impossible("is beyond any price"), name, token)
        }
        return Price(micros: micros)
    }

    /// A price in whole cents, of the exchange's earlier messages.
    func cents(_ name: StaticString) throws(WireError) -> Price? {
        guard let token = try find(name) else { return nil }
        return try cents(token, name)
    }

    func cents(_ token: JSONToken, _ name: StaticString) throws(WireError) -> Price {
        let cents = try decimal(token, name, 0)
        guard (-100...100).contains(cents) else { throw error(.impossible("is beyond any price"), name, token) }
        return Price(cents: Int(cents))
    }

    func quantity(_ name: StaticString) throws(WireError) -> Quantity? {
        try decimal(name, 2).map { Quantity(hundredths: $0) }
    }
    func money(_ name: StaticString) throws(WireError) -> Money? {
        try decimal(name, 8).map { Money(raw: $0) }
    }
    @inline(__always)
    func integer(_ name: StaticString) throws(WireError) -> Int64? { try decimal(name, 0) }
    func int(_ name: StaticString) throws(WireError) -> Int? { try integer(name).map { Int($0) } }

    func bool(_ name: StaticString) throws(WireError) -> Bool? {
        guard let token = try find(name) else { return nil }
        switch token.kind {
        case .boolTrue: return true
        case .boolFalse: return false
        default: throw error(.wrongKind(expected: "true or false"), name, token)
        }
    }

    func stringToken(_ name: StaticString) throws(WireError) -> JSONToken? {
        guard let token = try find(name) else { return nil }
        guard token.kind == .string else { throw error(.wrongKind(expected: "a string"), name, token) }
        return token
    }
    func string(_ name: StaticString) throws(WireError) -> String? {
        try stringToken(name).map { JSONText.string($0, in: base) }
    }
    func requiredString(_ name: StaticString) throws(WireError) -> String {
        guard let text = try string(name) else { throw error(.missing, name) }
        return text
    }
    /// Whether a string token's text is this one.
    @inline(__always)
    func text(_ token: JSONToken, is text: StaticString) -> Bool {
        if token.isEscaped { return JSONText.string(token, in: base) == "\(text)" }
        guard token.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<token.count where base[Int(token.start) + index] != text.utf8Start[index] { return false }
        return true
    }

    /// An array of strings.
    func strings(_ name: StaticString) throws(WireError) -> [String]? {
        guard let token = try find(name) else { return nil }
        guard case .array(let elements) = try value(token) else {
            throw error(.wrongKind(expected: "an array of strings"), name, token)
        }
        var result: [String] = []
        for element in elements {
            guard let text = element.string else {
                throw error(.wrongKind(expected: "an array of strings"), name, token)
            }
            result.append(text)
        }
        return result
    }

    /// The whole value.
    func value(_ name: StaticString) throws(WireError) -> JSONValue? {
        guard let token = try find(name) else { return nil }
        return try value(token)
    }
    func value(_ token: JSONToken) throws(WireError) -> JSONValue {
        do throws(JSONError) {
            return try JSONParser.parse(token, in: base)
        } catch {
            throw WireError(error)
        }
    }

    // MARK: Times

    func milliseconds(_ name: StaticString) throws(WireError) -> Timestamp? {
        try scaledTime(name, 1_000_000)
    }
    /// Unix seconds.
    func seconds(_ name: StaticString) throws(WireError) -> Timestamp? {
        try scaledTime(name, 1_000_000_000)
    }
    private func scaledTime(_ name: StaticString, _ factor: Int64) throws(WireError) -> Timestamp? {
        guard let token = try find(name) else { return nil }
        let (nanoseconds, overflowed) = try decimal(token, name, 0).multipliedReportingOverflow(by: factor)
        guard !overflowed, nanoseconds != .min else { throw error(.badTime, name, token) }
        return Timestamp(nanoseconds: nanoseconds)
    }
    /// RFC 3339 text, or unix seconds where the field holds a number.
    func time(_ name: StaticString) throws(WireError) -> Timestamp? {
        guard let token = try find(name) else { return nil }
        if token.kind == .number { return try seconds(name) }
        guard token.kind == .string else { throw error(.wrongKind(expected: "a time"), name, token) }
        let text = UnsafeBufferPointer(start: base + Int(token.start), count: token.count)
        let time =
            if token.isEscaped { Timestamp(rfc3339: JSONText.unescaped(token, in: base)) } else {
                TimeText.parse(text)
            }
        guard let time else { throw error(.badTime, name, token) }
        return time
    }
    /// The best of a millisecond field and a text field of the same moment: the text where it agrees to the
    /// millisecond, since it is finer, else the milliseconds.
    func bestTime(_ millisecondsName: StaticString, _ textName: StaticString) throws(WireError) -> Timestamp {
        let coarse = try milliseconds(millisecondsName)
        let fine = try time(textName)
        return TimeText.best(milliseconds: coarse, text: fine)
    }
}
