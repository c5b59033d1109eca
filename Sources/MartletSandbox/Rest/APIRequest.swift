import Martlet
import MartletNetwork
import MartletWire

/// A request to the exchange, split and decoded.
struct APIRequest {
    let method: String
    /// As sent: what the client signed.
    let path: String
    /// The path's segments below `/trade-api/v2`, percent-decoded.
    let segments: [String]
    let query: [(name: String, value: String)]
    let headers: HTTPHeaders
    let body: [UInt8]
    /// Who signed it; nil for an anonymous one.
    var member: Member?
    /// The key that it was signed with.
    var key: KeyEntry?
    /// Values of the pattern's `:names`, in order.
    var parameters: [String] = []
    /// The exchange's own endpoints take nothing but JSON by name; the control endpoint looks at the body alone.
    var demandsContentType = true

    static let prefix = ["trade-api", "v2"]

    /// Nil where path or query cannot be decoded, or the path plays tricks (empty or dotted segments).
    init?(_ request: HTTPServerRequest) {
        method = request.method
        path = request.path
        headers = request.headers
        body = request.body
        var parts: [String] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let text = PercentText.decode(part, plusIsSpace: false), !text.isEmpty, text != ".",
                text != "..", !text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
            else { return nil }
            parts.append(text)
        }
        segments = parts
        var pairs: [(String, String)] = []
        for pair in (request.head.query ?? "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decode(halves[0], plusIsSpace: true),
                let value = PercentText.decode(halves.count > 1 ? halves[1] : "", plusIsSpace: true)
            else { return nil }
            pairs.append((name, value))
        }
        query = pairs
    }

    /// Segments below `/trade-api/v2`; nil for any other path.
    var below: ArraySlice<String>? {
        segments.starts(with: APIRequest.prefix) ? segments.dropFirst(2) : nil
    }

    // MARK: Query

    /// A parameter's value; nil where absent or empty.
    func text(_ name: String) -> String? {
        query.last { $0.name == name && !$0.value.isEmpty }?.value
    }
    /// Comma-separated values, also of a repeated parameter.
    func list(_ name: String, most: Int = 1000) throws(APIError) -> [String]? {
        let values = query.filter { $0.name == name && !$0.value.isEmpty }
            .flatMap { $0.value.split(separator: ",").map(String.init) }
        guard values.count <= most else { throw .badRequest("\(name) has more than \(most) values") }
        return values.isEmpty ? nil : values
    }
    func whole(_ name: String, in range: ClosedRange<Int64> = 0...Int64.max) throws(APIError) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw .badRequest("\(name) is '\(text.prefix(40))'")
        }
        return value
    }
    func flag(_ name: String) throws(APIError) -> Bool {
        switch text(name) {
        case nil, "false", "False", "0": return false
        case "true", "True", "1": return true
        case let other?: throw .badRequest("\(name) is '\(other.prefix(40))'; write true or false")
        }
    }
    func subaccount() throws(APIError) -> Int? {
        try locked(try whole("subaccount", in: 0...63).map(Int.init))
    }
    /// The subaccount of a key that is locked to one; such a key may name no other.
    func locked(_ given: Int?) throws(APIError) -> Int? {
        guard let only = key?.subaccount else { return given }
        guard given == nil || given == only else { throw .forbidden }
        return only
    }
    func shard() throws(APIError) -> Int? {
        try whole("exchange_index", in: -1...Int64(Exchange.shards.count - 1)).map(Int.init)
    }

    // MARK: Body

    /// The body's object.
    func object() throws(APIError) -> JSONValue {
        let type = headers["Content-Type"]?.lowercased() ?? ""
        guard !demandsContentType || type.hasPrefix("application/json") else {
            throw APIError(400, "invalid_content_type", "Content-Type must be application/json")
        }
        guard !body.isEmpty else { throw .badRequest("a JSON body is needed") }
        do {
            let value = try JSONParser.parse(body)
            guard value.object != nil else { throw APIError.badRequest("the body is no JSON object") }
            return value
        } catch let error as APIError {
            throw error
        } catch {
            throw .badRequest("the body is not JSON: \(error)")
        }
    }
    /// The body's object, an empty one where there is no body.
    func optionalObject() throws(APIError) -> JSONValue { body.isEmpty ? .object([]) : try object() }
    func owner() throws(APIError) -> Member {
        guard let member else { throw .authentication("UNAUTHORIZED") }
        return member
    }
}

/// `%41` and `+`.
enum PercentText {
    /// Nil where a percent sign has no two digits behind it, or the bytes are no UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

/// Reads a body's members, and says which is wrong.
struct BodyReader {
    let value: JSONValue
    init(_ value: JSONValue) { self.value = value }

    private func member(_ name: String) -> JSONValue? {
        guard let found = value[name], !found.isNull else { return nil }
        return found
    }
    func text(_ name: String) throws(APIError) -> String? {
        guard let found = member(name) else { return nil }
        guard let text = found.string else { throw .badRequest("\(name) must be a string") }
        return text
    }
    func required(_ name: String) throws(APIError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw .badRequest("\(name) is required") }
        return text
    }
    func flag(_ name: String) throws(APIError) -> Bool? {
        guard let found = member(name) else { return nil }
        guard let flag = found.bool else { throw .badRequest("\(name) must be true or false") }
        return flag
    }
    func whole(_ name: String, in range: ClosedRange<Int64>) throws(APIError) -> Int64? {
        guard let found = member(name) else { return nil }
        guard let value = found.int64, range.contains(value) else {
            throw .badRequest(
                "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
    func price(_ name: String) throws(APIError) -> Price? {
        guard let found = member(name) else { return nil }
        guard let text = found.string, let micros = try? FixedPoint.parse(text.utf8, decimals: 4),
            micros.magnitude <= 10_000_000
        else {
            throw APIError(400, "invalid_price", "invalid price", details: "\(name) must be dollars as text")
        }
        return Price(micros: Int32(micros * 100))
    }
    func count(_ name: String) throws(APIError) -> Quantity? {
        guard let found = member(name) else { return nil }
        guard let text = found.string, let quantity = try? Quantity(parsing: text) else {
            throw APIError(
                400, "invalid_order_size", "invalid order size", details: "\(name) must be contracts as text")
        }
        return quantity
    }
    func subaccount(_ name: String = "subaccount") throws(APIError) -> Int? {
        try whole(name, in: 0...63).map(Int.init)
    }
    func shard(_ name: String = "exchange_index") throws(APIError) -> Int? {
        try whole(name, in: -1...Int64(Exchange.shards.count - 1)).map(Int.init)
    }
}
