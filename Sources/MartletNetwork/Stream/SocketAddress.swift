#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An IPv4 or IPv6 address with its port.
public struct SocketAddress: Equatable, Sendable, CustomStringConvertible {
    /// Storage as the system has it; the address family tells which kind it is.
    private var bytes: [UInt8]

    /// A numeric address; nil when `host` is none.
    public init?(numeric host: String, port: UInt16) {
        guard let first = try? SocketAddress.resolve(host, port: port, flags: AI_NUMERICHOST).first else {
            return nil
        }
        self = first
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    static func isNumeric(_ host: String) -> Bool {
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }

    /// Asks the system's resolver, which can take seconds: off the loop's thread, please.
    static func resolve(
        _ host: String, port: UInt16, flags: Int32 = 0
    ) throws(NetworkError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_flags = flags | AI_NUMERICSERV
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw .unresolved(host: host, reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr {
                let raw = UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
                found.append(SocketAddress(bytes: Array(raw)))
            }
            next = entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw .unresolved(host: host, reason: "no address") }
        return found
    }

    var family: Int32 { withSockaddr { address, _ in Int32(address.pointee.sa_family) } }

    public var port: UInt16 {
        // Both families keep the port in network order after the two bytes of family.
        UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        bytes.withUnsafeBytes { raw in
            withUnsafeTemporaryAllocation(of: sockaddr_storage.self, capacity: 1) { storage in
                let target = UnsafeMutableRawPointer(storage.baseAddress.unsafelyUnwrapped)
                let size = min(raw.count, MemoryLayout<sockaddr_storage>.size)
                UnsafeMutableRawBufferPointer(start: target, count: size)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: raw.prefix(size)))
                return body(
                    UnsafePointer(target.assumingMemoryBound(to: sockaddr.self)), socklen_t(raw.count))
            }
        }
    }

    /// The local address of a socket.
    static func local(of descriptor: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &storage) { raw in
            raw.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        guard result == 0 else { throw .last("getsockname") }
        return SocketAddress(bytes: withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) })
    }

    public var description: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = withSockaddr { address, length in
            getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return "?" }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)"
    }
}
