import COpenSSL
import Synchronization

/// Whom a client trusts.
public enum TrustRoots: Equatable, Sendable {
    /// Nobody: every certificate is refused.
    case none
    case system
    /// A file of PEM certificates, and nothing else.
    case file(String)
    /// PEM certificates in memory, and nothing else.
    case pem(String)
}

public enum TLSVersion: Int32, Sendable {
    case v1_2 = 0x0303
    case v1_3 = 0x0304
}

/// One side's TLS settings: trust or certificate, versions, application protocols. Made once, shared by
/// all its connections, on any thread. A client always verifies the chain and the host's name.
//
// @unchecked Sendable is sound because OpenSSL's context is not changed after `init` (its own reference
// counts and ticket keys are locked) and the sessions are behind a mutex.
public final class TLSContext: @unchecked Sendable {
    /// Hosts whose session is kept for resumption; beyond it all are forgotten.
    static let sessionsMax = 256
    /// RSA below 2048 bits, SHA-1 and MD5 signatures are refused from this level on.
    static let securityLevel: Int32 = 2

    let context: OpaquePointer
    let isServer: Bool
    let protocols: [String]
    private let alpnChoice: UnsafeMutableRawPointer?
    private let sessions = Mutex<[String: KeptSession]>([:])

    /// A client's settings.
    public init(
        clientTrusting roots: TrustRoots, protocols: [String] = ["http/1.1"], minimum: TLSVersion = .v1_2,
        maximum: TLSVersion = .v1_3
    ) throws(TLSError) {
        context = try TLSContext.make(TLS_client_method(), minimum, maximum)
        isServer = false
        self.protocols = protocols
        alpnChoice = nil
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        copenssl_client_session_cache(context)
        try trust(roots)
        guard !protocols.isEmpty else { return }
        let wire = TLSContext.wireForm(protocols)
        // This call alone of OpenSSL's returns 0 for success.
        guard SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) == 0 else {
            throw .configuration("the application protocols cannot be used")
        }
    }

    /// A server's settings: its certificate, the chain up to (without) the root, its key.
    public convenience init(
        serverCertificates chain: [Certificate], key: PrivateKey, protocols: [String] = ["http/1.1"],
        minimum: TLSVersion = .v1_2, maximum: TLSVersion = .v1_3
    ) throws(TLSError) {
        try self.init(chain, key, protocols, minimum, maximum, securityLevel: TLSContext.securityLevel)
    }

    /// A server that shows even a weak certificate, for tests of the client.
    convenience init(laxServerCertificates chain: [Certificate], key: PrivateKey) throws(TLSError) {
        try self.init(chain, key, [], .v1_2, .v1_3, securityLevel: 0)
    }

    private init(
        _ chain: [Certificate], _ key: PrivateKey, _ protocols: [String], _ minimum: TLSVersion,
        _ maximum: TLSVersion, securityLevel: Int32
    ) throws(TLSError) {
        context = try TLSContext.make(TLS_server_method(), minimum, maximum)
        SSL_CTX_set_security_level(context, securityLevel)
        isServer = true
        self.protocols = protocols
        let wire = TLSContext.wireForm(protocols)
        let choice = UnsafeMutableRawPointer.allocate(byteCount: 4 + wire.count, alignment: 4)
        choice.storeBytes(of: UInt32(wire.count), as: UInt32.self)
        (choice + 4).copyMemory(from: wire, byteCount: wire.count)
        alpnChoice = choice
        if !protocols.isEmpty { copenssl_set_alpn_choice(context, choice) }
        copenssl_release_buffers(context)
        SSL_CTX_set_session_id_context(context, "martlet", 7)
        guard let leaf = chain.first else { throw .configuration("a server needs a certificate") }
        guard SSL_CTX_use_certificate(context, leaf.x509) == 1 else {
            throw .configuration("the certificate cannot be used: " + OpenSSLErrors.drain().text)
        }
        for certificate in chain.dropFirst() {
            guard copenssl_add_chain_certificate(context, certificate.x509) == 1 else {
                throw .configuration("the chain cannot be used: " + OpenSSLErrors.drain().text)
            }
        }
        guard SSL_CTX_use_PrivateKey(context, key.key) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw .configuration("the key does not fit the certificate: " + OpenSSLErrors.drain().text)
        }
    }

    deinit {
        SSL_CTX_free(context)
        alpnChoice?.deallocate()
    }

    private static func make(
        _ method: OpaquePointer?, _ minimum: TLSVersion, _ maximum: TLSVersion
    ) throws(TLSError) -> OpaquePointer {
        guard let context = SSL_CTX_new(method) else { throw .configuration(OpenSSLErrors.drain().text) }
        SSL_CTX_set_security_level(context, securityLevel)
        copenssl_set_modes(context)
        guard copenssl_set_min_version(context, minimum.rawValue) == 1,
            copenssl_set_max_version(context, maximum.rawValue) == 1
        else {
            SSL_CTX_free(context)
            throw .configuration("the versions cannot be set")
        }
        return context
    }

    private static func wireForm(_ protocols: [String]) -> [UInt8] {
        protocols.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) }
    }

    private func trust(_ roots: TrustRoots) throws(TLSError) {
        switch roots {
        case .none: return
        case .system:
            guard SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw .configuration("the system's certificates cannot be read")
            }
        case .file(let path):
            guard SSL_CTX_load_verify_file(context, path) == 1 else {
                throw .configuration(
                    "no certificates can be read from \(path): " + OpenSSLErrors.drain().text)
            }
        case .pem(let text):
            let certificates = try Certificate.all(pem: text)
            guard !certificates.isEmpty else { throw .configuration("no certificate in the PEM text") }
            let store = SSL_CTX_get_cert_store(context)
            for certificate in certificates { X509_STORE_add_cert(store, certificate.x509) }
        }
    }

    // MARK: - Sessions kept for resumption

    /// Offers the session kept for `peer` to a new connection.
    func resume(_ ssl: OpaquePointer, peer: String) {
        if let kept = sessions.withLock({ $0[peer] }) { SSL_set_session(ssl, kept.session) }
    }

    /// Keeps a connection's latest session, if the peer gave one that can be resumed.
    func remember(_ ssl: OpaquePointer, peer: String) {
        guard let session = SSL_get1_session(ssl) else { return }
        let latest = KeptSession(owning: session)
        guard SSL_SESSION_is_resumable(session) == 1 else { return }
        sessions.withLock { kept in
            if kept.count >= TLSContext.sessionsMax { kept.removeAll() }
            kept[peer] = latest
        }
    }

    /// Drops the session of a peer whose handshake failed.
    func forget(peer: String) {
        sessions.withLock { kept in kept[peer] = nil }
    }
}

/// One counted reference to OpenSSL's session.
//
// @unchecked Sendable is sound because sessions are counted atomically and not changed once received.
private final class KeptSession: @unchecked Sendable {
    let session: OpaquePointer
    init(owning session: OpaquePointer) { self.session = session }
    deinit { SSL_SESSION_free(session) }
}
