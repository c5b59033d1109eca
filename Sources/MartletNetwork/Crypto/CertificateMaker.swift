import COpenSSL

/// Makes throw-away certificates: an authority for a sandbox, its servers' leaves, and, for tests, every
/// kind of bad one.
///
///     let authority = try CertificateMaker.authority(named: "sandbox")
///     let key = try PrivateKey.generate(.ecdsaP256)
///     let leaf = try authority.issue(CertificateRequest(names: ["localhost"]), key)
public struct CertificateMaker: Sendable {
    public let certificate: Certificate
    public let key: PrivateKey

    public static func authority(
        named name: String, algorithm: KeyAlgorithm = .ecdsaP256, rsaBits: Int = PrivateKey.rsaBitsMin
    ) throws -> CertificateMaker {
        let key = try PrivateKey.generate(algorithm, rsaBits: rsaBits)
        let certificate = try CertificateMaker.make(.authority(named: name), key, issuer: nil, signer: key)
        return CertificateMaker(certificate: certificate, key: key)
    }

    /// A certificate for `key`, signed by this authority.
    public func issue(_ request: CertificateRequest, _ key: PrivateKey) throws -> Certificate {
        try CertificateMaker.make(request, key, issuer: certificate, signer: self.key)
    }

    /// An authority below this one.
    public func subordinate(_ request: CertificateRequest) throws -> CertificateMaker {
        let key = try PrivateKey.generate(.ecdsaP256)
        return CertificateMaker(certificate: try issue(request, key), key: key)
    }

    public static func selfSigned(_ request: CertificateRequest, _ key: PrivateKey) throws -> Certificate {
        try make(request, key, issuer: nil, signer: key)
    }

    private static func make(
        _ request: CertificateRequest, _ key: PrivateKey, issuer: Certificate?, signer: PrivateKey
    ) throws(TLSError) -> Certificate {
        guard let x509 = X509_new() else { throw .configuration("no memory") }
        let made = Certificate(owning: x509)
        X509_set_version(x509, 2)
        let serial = SecureRandom.bytes(8).reduce(Int64(1)) { ($0 << 8 | Int64($1)) & 0x7fff_ffff_ffff_ffff }
        ASN1_INTEGER_set_int64(X509_get_serialNumber(x509), serial)
        X509_gmtime_adj(X509_getm_notBefore(x509), Int(request.validFromSeconds))
        X509_gmtime_adj(X509_getm_notAfter(x509), Int(request.validToSeconds))
        let name = X509_get_subject_name(x509)
        X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, request.commonName, -1, -1, 0)
        X509_set_issuer_name(x509, issuer.map { X509_get_subject_name($0.x509) } ?? name)
        X509_set_pubkey(x509, key.key)
        let signedBy = issuer?.x509 ?? x509
        // Strict verifiers (Python 3.13's default) refuse an issued certificate that does not name its issuer's key.
        let issuerKey = issuer == nil ? [] : [(NID_authority_key_identifier, "keyid:always")]
        for (kind, value) in request.extensions + issuerKey {
            guard copenssl_add_extension(x509, signedBy, kind, value) == 1 else {
                throw .configuration("the extension \(value): " + OpenSSLErrors.drain().text)
            }
        }
        let digest =
            switch (signer.algorithm, request.digest) {
            case (.ed25519, _): OpaquePointer?.none
            case (_, .sha256): EVP_sha256()
            case (_, .sha1): EVP_sha1()
            case (_, .md5): EVP_md5()
            }
        guard X509_sign(x509, signer.key, digest) > 0 else {
            throw .configuration("the certificate cannot be signed: " + OpenSSLErrors.drain().text)
        }
        return made
    }
}

/// What a certificate is to say. The plain one is a good server's.
public struct CertificateRequest: Sendable {
    public enum SigningDigest: Sendable {
        case sha256
        case sha1
        case md5
    }

    public var commonName = "martlet throw-away"
    /// DNS names, perhaps with a wildcard.
    public var names: [String]
    /// Numeric addresses.
    public var addresses: [String]
    /// Seconds from now; negative is in the past.
    public var validFromSeconds: Int64 = -3600
    public var validToSeconds: Int64 = 30 * 24 * 3600
    public var isAuthority = false
    public var pathLength: Int?
    /// OpenSSL's names; empty leaves the extension out.
    public var extendedKeyUsage = "serverAuth"
    public var nameConstraints = ""
    public var digest = SigningDigest.sha256

    public init(names: [String] = [], addresses: [String] = []) {
        self.names = names
        self.addresses = addresses
    }

    public static func authority(named name: String, pathLength: Int? = nil) -> CertificateRequest {
        var request = CertificateRequest()
        request.commonName = name
        request.isAuthority = true
        request.pathLength = pathLength
        request.extendedKeyUsage = ""
        return request
    }

    var extensions: [(Int32, String)] {
        var list: [(Int32, String)] = []
        let length = pathLength.map { ",pathlen:\($0)" } ?? ""
        list.append((NID_basic_constraints, "critical,CA:" + (isAuthority ? "TRUE" + length : "FALSE")))
        list.append((NID_key_usage, "critical," + (isAuthority ? "keyCertSign,cRLSign" : "digitalSignature")))
        list.append((NID_subject_key_identifier, "hash"))
        if !extendedKeyUsage.isEmpty { list.append((NID_ext_key_usage, extendedKeyUsage)) }
        if !nameConstraints.isEmpty { list.append((NID_name_constraints, nameConstraints)) }
        let alternatives = names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        if !alternatives.isEmpty { list.append((NID_subject_alt_name, alternatives.joined(separator: ","))) }
        return list
    }
}
