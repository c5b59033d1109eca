/// An absolute `http`, `https`, `ws` or `wss` address, taken apart.
public struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    public let scheme: String
    public let endpoint: Endpoint
    /// Path and query as they are sent; at least `/`. A fragment is dropped.
    public let target: String

    public var isWebSocket: Bool { scheme == "ws" || scheme == "wss" }

    /// Nil for anything but a plain absolute address: user names, spaces and control characters are refused.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy(ASCII.isVisible), let colon = text.firstIndex(of: ":"),
            text[colon...].hasPrefix("://")
        else { return nil }
        scheme = text[..<colon].lowercased()
        let isSecure: Bool
        switch scheme {
        case "http", "ws": isSecure = false
        case "https", "wss": isSecure = true
        default: return nil
        }
        let rest = text[colon...].dropFirst(3).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let after = rest[authority.endIndex...]
        target = after.hasPrefix("/") ? String(after) : "/" + after
        guard let (host, port) = HTTPURL.split(authority) else { return nil }
        endpoint = Endpoint(host: host, port: port ?? (isSecure ? 443 : 80), isSecure: isSecure)
    }

    private static func split(_ authority: Substring) -> (String, UInt16?)? {
        if authority.contains("@") { return nil }
        var host = authority
        var port = Substring()
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            port = authority[authority.index(after: end)...]
            guard SocketAddress.isNumeric(String(host)) else { return nil }
            guard port.isEmpty || port.hasPrefix(":") else { return nil }
            port = port.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains(":") || authority.hasPrefix("[") else { return nil }
        if port.isEmpty { return (host.lowercased(), nil) }
        guard port.utf8.allSatisfy(ASCII.isDigit), let number = UInt16(port), number > 0 else { return nil }
        return (host.lowercased(), number)
    }

    public var description: String { "\(scheme)://\(endpoint.hostHeader)\(target)" }
}

extension Endpoint {
    /// The value of the `Host` header: without the port where it is the scheme's own.
    public var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
