import Martlet
import MartletWire

/// A request to the exchange as a value: what is asked, not how it travels. Signed and sent by ``KalshiClient`` or
/// by the live driver.
public struct RestRequest: Hashable, Sendable {
    public enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    public var method: Method
    /// After `/trade-api/v2`, its parameters already encoded: `/markets/KXHIGHNY-26NOV23-B54.5`.
    public var path: String
    /// In the order in which they are sent. Values are encoded on their way out.
    public var query: [(name: String, value: String)] = []
    /// JSON as bytes; nil for none. A POST or PUT without one is sent `{}`, for the exchange refuses a body-less one.
    public var body: [UInt8]?
    /// Which budget pays.
    public var scope: BudgetScope
    /// Orders of a batch, each billed.
    public var items = 1
    /// The exchange answers without a signature; one does no harm.
    public var isPublic = false
    /// A member by which the body of a 500, 503 or 504 is known to be the answer all the same; nil: none is.
    var faultMember: String?

    init(_ method: Method, _ path: String, scope: BudgetScope = .read) {
        self.method = method
        self.path = path
        self.scope = scope
    }

    /// The path that is signed and billed.
    public var fullPath: String { ExchangeEnvironment.apiPath + path }
    /// Path with query, as in the request line.
    public var target: String {
        guard !query.isEmpty else { return fullPath }
        return fullPath + "?" + query.map { "\($0.name)=\(URLText.encode($0.value))" }.joined(separator: "&")
    }
    /// The body as it is sent.
    public var bodyBytes: [UInt8] {
        if let body { return body }
        return method == .post || method == .put ? Array("{}".utf8) : []
    }

    public static func == (a: RestRequest, b: RestRequest) -> Bool {
        a.method == b.method && a.target == b.target && a.body == b.body && a.scope == b.scope
            && a.items == b.items
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(method)
        hasher.combine(target)
        hasher.combine(body)
    }
}

// Building, in the order of the documentation's tables; what is nil is left out.
extension RestRequest {
    func with(_ name: String, _ value: String?) -> RestRequest {
        guard let value, !value.isEmpty else { return self }
        var request = self
        request.query.append((name, value))
        return request
    }
    func with(_ name: String, _ value: Int?) -> RestRequest { with(name, value.map { String($0) }) }
    func with(_ name: String, _ value: Bool?) -> RestRequest {
        with(name, value.map { $0 ? "true" : "false" })
    }
    /// The exchange's query times are whole seconds.
    func with(_ name: String, seconds time: Timestamp?) -> RestRequest {
        with(name, time.map { String($0.seconds) })
    }
    func with(_ name: String, list values: [String]) -> RestRequest {
        with(name, values.joined(separator: ","))
    }
    func sending(_ members: [(String, JSONValue?)]) -> RestRequest {
        var request = self
        let value = JSONValue.object(members.compactMap { member in member.1.map { .init(member.0, $0) } })
        request.body = Array(JSONWriter.text(value).utf8)
        return request
    }
    /// Answered without a signature.
    func open() -> RestRequest {
        var request = self
        request.isPublic = true
        return request
    }
    func billing(_ items: Int) -> RestRequest {
        var request = self
        request.items = items
        return request
    }
}

/// Percent-encoding of one segment or query value: all but RFC 3986's unreserved characters.
enum URLText {
    private static let hex = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            // A list's comma is the exchange's own separator.
            case 0x2c: bytes.append(byte)
            default: bytes += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        // "." and ".." would be taken as steps of a path.
        return bytes == [0x2e]
            ? "%2E" : bytes == [0x2e, 0x2e] ? "%2E%2E" : String(decoding: bytes, as: UTF8.self)
    }
}

/// A request with how its answer is read.
///
///     let balance = try await client.send(Endpoints.balance())
public struct RestCall<Response: Sendable>: Sendable {
    public var request: RestRequest
    /// Reads the body of a 2xx answer; `null` where there was none.
    public let decode: @Sendable (JSONValue) throws(WireError) -> Response

    init(_ request: RestRequest, _ decode: @escaping @Sendable (JSONValue) throws(WireError) -> Response) {
        self.request = request
        self.decode = decode
    }
}
