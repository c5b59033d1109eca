import MartletNetwork

/// Which exchange is talked to. This one value decides the REST and the WebSocket address together, so that
/// orders can never go to one exchange while prices come from another.
///
///     try ExchangeEnvironment("demo")
///     try ExchangeEnvironment("https://127.0.0.1:8443")
public struct ExchangeEnvironment: Hashable, Sendable, CustomStringConvertible {
    /// What an API key belongs to: a demo key fails in production and the other way round.
    public enum Kind: String, Hashable, Sendable {
        case production
        case demo
        /// A sandbox, a proxy, or anything else under an address of its own.
        case custom
    }

    /// The path that every REST call begins with, and that is signed whatever proxy stands before it.
    public static let apiPath = "/trade-api/v2"
    public static let feedPath = "/trade-api/ws/v2"

    public let kind: Kind
    /// Host and port of the REST interface.
    public let endpoint: Endpoint
    /// What stands before `/trade-api/v2` in a request's target; empty for the exchange itself.
    public let pathPrefix: String
    /// The feed's whole address.
    public let feed: HTTPURL

    public static let production = known(.production, "external-api.kalshi.com", "external-api-ws.kalshi.com")
    public static let demo = known(.demo, "external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co")

    /// Hosts of the exchange with the feed's host of each (API.md §1).
    private static let hosts: [(kind: Kind, rest: String, feed: String)] = [
        (.production, "external-api.kalshi.com", "external-api-ws.kalshi.com"),
        (.production, "api.elections.kalshi.com", "api.elections.kalshi.com"),
        (.demo, "external-api.demo.kalshi.co", "external-api-ws.demo.kalshi.co"),
        (.demo, "demo-api.kalshi.co", "demo-api.kalshi.co"),
    ]

    /// `production`, `demo`, or a base address such as `https://127.0.0.1:8443` (with or without
    /// `/trade-api/v2` at its end). Plain `http` is for this machine alone.
    public init(_ setting: String) throws(EnvironmentError) {
        switch setting {
        case Kind.production.rawValue: self = .production
        case Kind.demo.rawValue: self = .demo
        default: try self.init(base: setting)
        }
    }

    /// Both addresses given one by one: refused unless they are of one exchange.
    public init(rest: String, feed: String) throws(EnvironmentError) {
        try self.init(base: rest)
        guard let url = HTTPURL(feed), url.isWebSocket else { throw .notAnAddress(feed) }
        guard self.feed == url || isSameExchange(url.endpoint) else {
            throw .mixed(rest: rest, feed: feed)
        }
        self = ExchangeEnvironment(kind: kind, endpoint: endpoint, pathPrefix: pathPrefix, feed: url)
    }

    private init(base: String) throws(EnvironmentError) {
        guard let url = HTTPURL(base), !url.isWebSocket, !url.target.contains("?") else {
            throw .notAnAddress(base)
        }
        let host = url.endpoint.host
        let found = ExchangeEnvironment.hosts.first { $0.rest == host }
        if found == nil, ExchangeEnvironment.hosts.contains(where: { $0.feed == host }) {
            throw .notAnAddress(base)
        }
        guard url.endpoint.isSecure || (found == nil && Self.isLoopback(host)) else { throw .insecure(base) }
        var prefix = url.target
        while prefix.hasSuffix("/") { prefix.removeLast() }
        if prefix.hasSuffix(Self.apiPath) { prefix.removeLast(Self.apiPath.utf8.count) }
        var feedEndpoint = url.endpoint
        if let found { feedEndpoint.host = found.feed }
        let scheme = feedEndpoint.isSecure ? "wss" : "ws"
        let address = "\(scheme)://\(Self.authority(feedEndpoint))\(prefix)\(Self.feedPath)"
        guard let feed = HTTPURL(address) else { throw .notAnAddress(base) }
        self.init(kind: found?.kind ?? .custom, endpoint: url.endpoint, pathPrefix: prefix, feed: feed)
    }

    private init(kind: Kind, endpoint: Endpoint, pathPrefix: String, feed: HTTPURL) {
        self.kind = kind
        self.endpoint = endpoint
        self.pathPrefix = pathPrefix
        self.feed = feed
    }

    private static func known(_ kind: Kind, _ rest: String, _ feed: String) -> ExchangeEnvironment {
        guard let url = HTTPURL("wss://\(feed)\(feedPath)") else {
            preconditionFailure("the exchange's own address \(feed) is malformed")
        }
        return ExchangeEnvironment(
            kind: kind, endpoint: Endpoint(host: rest, port: 443, isSecure: true), pathPrefix: "", feed: url)
    }

    /// This machine: what is sent there crosses no wire.
    private static func isLoopback(_ host: String) -> Bool {
        guard host != "localhost", host != "::1" else { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func authority(_ endpoint: Endpoint) -> String {
        let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        return "\(host):\(endpoint.port)"
    }

    /// The exchange's hosts are told apart by what they are; any other feed must be on the REST host.
    private func isSameExchange(_ other: Endpoint) -> Bool {
        let theirs = Self.hosts.first { $0.feed == other.host || $0.rest == other.host }
        guard kind == .custom, theirs == nil else { return theirs?.kind == kind && other.isSecure }
        return other.host == endpoint.host && other.isSecure == endpoint.isSecure
    }

    public var description: String {
        let scheme = endpoint.isSecure ? "https" : "http"
        let address = "\(scheme)://\(endpoint.hostHeader)\(pathPrefix)\(Self.apiPath)"
        return kind == .custom ? address : "\(kind.rawValue) (\(address))"
    }
}

/// Why a setting names no exchange.
public enum EnvironmentError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAnAddress(String)
    case insecure(String)
    case mixed(rest: String, feed: String)

    public var description: String {
        switch self {
        case .notAnAddress(let text):
            "'\(text)' is no exchange: 'production', 'demo' or an address such as https://127.0.0.1:8443"
        case .insecure(let text):
            "'\(text)' would send signed requests without TLS to another machine: use https"
        case .mixed(let rest, let feed):
            "REST at \(rest) and the feed at \(feed) are not of one exchange: give the REST address alone"
        }
    }
}
