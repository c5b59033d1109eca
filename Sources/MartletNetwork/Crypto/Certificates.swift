import COpenSSL

/// An X.509 certificate.
//
// @unchecked Sendable is sound because the certificate is not changed once it is signed or read.
public final class Certificate: @unchecked Sendable {
    let x509: OpaquePointer

    init(owning x509: OpaquePointer) { self.x509 = x509 }

    deinit { X509_free(x509) }

    /// The certificates of a PEM text, in order: a chain file has the leaf first.
    public static func all(pem: String) throws(TLSError) -> [Certificate] {
        guard let bio = PEM.open(Array(pem.utf8)) else { return [] }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        var found: [Certificate] = []
        while let next = copenssl_read_certificate(bio) { found.append(Certificate(owning: next)) }
        let code = ERR_peek_last_error()
        guard code == 0 || copenssl_error_reason(code) == PEM_R_NO_START_LINE else {
            throw .configuration("a damaged certificate in the PEM text")
        }
        return found
    }

    public var pem: String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        PEM_write_bio_X509(bio, x509)
        return PEM.text(of: bio)
    }
}
