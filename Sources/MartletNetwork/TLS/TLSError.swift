import COpenSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a peer's certificate was refused.
public enum CertificateProblem: Equatable, Sendable, CustomStringConvertible {
    case expired
    case notYetValid
    case wrongHost
    case unknownAuthority
    case selfSigned
    /// The certificate may not be used for a server (or client), by its extended key usage.
    case badPurpose
    /// A certificate of the chain was issued by one that may not issue.
    case notAnAuthority
    case chainTooLong
    case nameNotPermitted
    case weakKey
    case weakSignature
    case badSignature
    case revoked
    case unhandledCriticalExtension
    case missing
    /// Another of OpenSSL's `X509_V_ERR_` codes.
    case other(Int)

    init(verifyCode code: Int) {
        switch Int32(truncatingIfNeeded: code) {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongHost
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_CERT_REJECTED,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            self = .unknownAuthority
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_INVALID_PURPOSE: self = .badPurpose
        case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_NON_CA:
            self = .notAnAuthority
        case X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_CERT_CHAIN_TOO_LONG: self = .chainTooLong
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_SUBTREE_MINMAX:
            self = .nameNotPermitted
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL: self = .weakKey
        case X509_V_ERR_CA_MD_TOO_WEAK: self = .weakSignature
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: self = .badSignature
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: self = .unhandledCriticalExtension
        default: self = .other(code)
        }
    }

    public var description: String {
        switch self {
        case .expired: "the certificate has expired"
        case .notYetValid: "the certificate is not yet valid"
        case .wrongHost: "the certificate is for another host"
        case .unknownAuthority: "the certificate's authority is unknown"
        case .selfSigned: "the certificate is self-signed"
        case .badPurpose: "the certificate is not for this purpose"
        case .notAnAuthority: "the certificate was issued by one that is no authority"
        case .chainTooLong: "the certificate's chain is longer than its authorities allow"
        case .nameNotPermitted: "the certificate's name is outside what its authority may issue"
        case .weakKey: "a key of the certificate's chain is too short"
        case .weakSignature: "a signature of the certificate's chain uses a broken digest"
        case .badSignature: "a signature of the certificate's chain is wrong"
        case .revoked: "the certificate is revoked"
        case .unhandledCriticalExtension: "the certificate has an unknown critical extension"
        case .missing: "the peer showed no certificate"
        case .other(let code):
            "the certificate is refused: " + String(cString: X509_verify_cert_error_string(code))
        }
    }
}

/// What goes wrong inside TLS.
public enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    case certificate(CertificateProblem)
    /// The peer speaks no TLS, or no version of it that is allowed here.
    case version(String)
    /// The peer refused; its alert in OpenSSL's words.
    case alert(String)
    /// The peer chose an application protocol that was not offered.
    case unofferedProtocol(String)
    /// The stream ended without the peer's closing word: what came before may have been cut short.
    case truncated
    /// Key, certificate or trust file that cannot be used.
    case configuration(String)
    case failed(String)

    public var description: String {
        switch self {
        case .certificate(let problem): "TLS: \(problem)"
        case .version(let text): "TLS: no common version (\(text))"
        case .alert(let text): "TLS: the peer refused (\(text))"
        case .unofferedProtocol(let name): "TLS: the peer chose the protocol \(name), which was not offered"
        case .truncated: "TLS: the connection was cut off without a closing message"
        case .configuration(let text): "TLS: \(text)"
        case .failed(let text): "TLS: \(text)"
        }
    }
}

/// OpenSSL's queue of errors, one a thread.
enum OpenSSLErrors {
    /// Empties the queue and gives its first entry's words; never key material.
    static func drain() -> (code: UInt, text: String) {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return (0, "unknown failure") }
        if copenssl_is_system_error(code) != 0 {
            return (code, String(cString: strerror(copenssl_error_reason(code))))
        }
        if let reason = ERR_reason_error_string(code) { return (code, String(cString: reason)) }
        return (code, "error \(code)")
    }
}
