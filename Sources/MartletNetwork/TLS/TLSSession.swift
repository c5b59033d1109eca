import COpenSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What one read or write on a non-blocking stream came to.
enum IOResult {
    case bytes(Int)
    case wouldBlock
    case end
    case failed(NetworkError)
}

/// TLS on one connected, non-blocking descriptor. It owns OpenSSL's state, not the descriptor.
final class TLSSession {
    enum Handshake {
        case done
        case wantsRead
        case wantsWrite
        case failed(NetworkError)
    }

    private let ssl: OpaquePointer
    private let context: TLSContext
    private let peer: String
    private var remembered = false
    private var broken = false

    /// - Parameter host: for a client, whom the certificate must name: a host name or an IP address.
    init(_ context: TLSContext, descriptor: Int32, host: String?, port: UInt16) throws(TLSError) {
        guard let ssl = SSL_new(context.context) else { throw .failed(OpenSSLErrors.drain().text) }
        self.ssl = ssl
        self.context = context
        var name = host ?? ""
        if name.hasSuffix(".") { name.removeLast() }
        peer = "\(name):\(port)"
        guard SSL_set_fd(ssl, descriptor) == 1 else { throw .failed(OpenSSLErrors.drain().text) }
        if context.isServer {
            SSL_set_accept_state(ssl)
        } else {
            try expect(name)
            context.resume(ssl, peer: peer)
            SSL_set_connect_state(ssl)
        }
    }

    deinit { SSL_free(ssl) }

    private func expect(_ name: String) throws(TLSError) {
        guard !name.isEmpty else { throw .configuration("a client needs the host's name") }
        let parameters = SSL_get0_param(ssl)
        // A name in the subject alone does not count, and a wildcard stands for one whole label.
        X509_VERIFY_PARAM_set_hostflags(
            parameters,
            UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) | UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        if SocketAddress.isNumeric(name) {
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else {
                throw .configuration("\(name) is no address to verify")
            }
            return
        }
        guard X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1,
            copenssl_set_server_name(ssl, name) == 1
        else { throw .configuration("\(name) is no host name") }
    }

    // MARK: - Handshake

    func handshake() -> Handshake {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return finished() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case let code:
            let system = errno
            broken = true
            if !context.isServer { context.forget(peer: peer) }
            return .failed(handshakeError(code, system))
        }
    }

    private func finished() -> Handshake {
        if context.isServer { return .done }
        let verified = SSL_get_verify_result(ssl)
        if verified != Int(X509_V_OK) {
            broken = true
            return .failed(.tls(.certificate(CertificateProblem(verifyCode: verified))))
        }
        if let chosen = applicationProtocol, !context.protocols.contains(chosen) {
            broken = true
            return .failed(.tls(.unofferedProtocol(chosen)))
        }
        return .done
    }

    private func handshakeError(_ code: Int32, _ system: Int32) -> NetworkError {
        if code == SSL_ERROR_SYSCALL {
            ERR_clear_error()
            return system == 0 ? .endOfStream : .system(SystemError("TLS handshake", system))
        }
        let verified = SSL_get_verify_result(ssl)
        let (error, text) = OpenSSLErrors.drain()
        if copenssl_last_error_is_unexpected_eof(error) != 0 { return .endOfStream }
        if !context.isServer && verified != Int(X509_V_OK)
            && copenssl_error_reason(error) == SSL_R_CERTIFICATE_VERIFY_FAILED
        {
            return .tls(.certificate(CertificateProblem(verifyCode: verified)))
        }
        switch copenssl_error_reason(error) {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_VERSION_NUMBER, SSL_R_WRONG_SSL_VERSION,
            SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_HTTP_REQUEST,
            SSL_R_VERSION_TOO_LOW:
            return .tls(.version(text))
        case SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_DH_KEY_TOO_SMALL:
            return .tls(.certificate(.weakKey))
        case SSL_R_CA_MD_TOO_WEAK: return .tls(.certificate(.weakSignature))
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .tls(.certificate(.missing))
        case let reason where reason >= SSL_AD_REASON_OFFSET && copenssl_error_library(error) == ERR_LIB_SSL:
            return .tls(.alert(text))
        default: return .tls(.failed(text))
        }
    }

    // MARK: - Data

    func read(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        if broken { return .end }
        copenssl_forget_errors()
        var count = 0
        let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if result == 1 {
            rememberSession()
            return .bytes(count)
        }
        return failure(result)
    }

    /// After a read: whether bytes (perhaps of a record that is not whole yet) wait inside OpenSSL, of which
    /// the descriptor's readiness tells nothing.
    var hasPending: Bool { SSL_has_pending(ssl) == 1 }

    func write(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        if broken { return .failed(.closed) }
        copenssl_forget_errors()
        var count = 0
        let result = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return result == 1 ? .bytes(count) : failure(result)
    }

    /// Says the closing word, as well as it can be said without waiting.
    func shutdown() {
        guard !broken, SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func failure(_ result: Int32) -> IOResult {
        let code = SSL_get_error(ssl, result)
        let system = errno
        switch code {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .end
        case SSL_ERROR_SYSCALL:
            broken = true
            ERR_clear_error()
            return .failed(system == 0 ? .tls(.truncated) : .system(SystemError("TLS", system)))
        default:
            broken = true
            let (error, text) = OpenSSLErrors.drain()
            if copenssl_last_error_is_unexpected_eof(error) != 0 { return .failed(.tls(.truncated)) }
            let isAlert =
                copenssl_error_library(error) == ERR_LIB_SSL
                && copenssl_error_reason(error) >= SSL_AD_REASON_OFFSET
            return .failed(.tls(isAlert ? .alert(text) : .failed(text)))
        }
    }

    private func rememberSession() {
        // Tickets of TLS 1.3 come after the handshake; with the first data they have been read.
        if remembered || context.isServer { return }
        remembered = true
        context.remember(ssl, peer: peer)
    }

    // MARK: - What was agreed

    var wasResumed: Bool { SSL_session_reused(ssl) == 1 }
    var version: String { String(cString: SSL_get_version(ssl)) }

    var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }
}
