import COpenSSL

/// The kind of a key, as the key itself says.
public enum KeyAlgorithm: String, Equatable, Sendable {
    case rsa
    case ed25519
    /// For certificates only; signs no requests.
    case ecdsaP256
}

/// A private key. Its bytes stay inside OpenSSL.
//
// @unchecked Sendable is sound because the key is not changed after `init`, and OpenSSL allows any number
// of threads to sign with one key at the same time.
public final class PrivateKey: @unchecked Sendable {
    public static let rsaBitsMin = 2048
    /// Bytes of salt in an RSA-PSS signature: the digest's length, in signing and in verifying.
    public static let pssSaltBytes: Int32 = 32

    let key: OpaquePointer
    public let algorithm: KeyAlgorithm

    init(owning key: OpaquePointer, algorithm: KeyAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }

    deinit { EVP_PKEY_free(key) }

    /// Reads PKCS#1 RSA, PKCS#8 RSA or PKCS#8 Ed25519; the label is not trusted, the key's own form and algorithm
    /// are.
    public convenience init(pem: [UInt8], passphrase: String? = nil) throws(KeyError) {
        let blocks = try PEMBlock.all(pem)
        guard let block = blocks.first(where: { $0.label.hasSuffix("PRIVATE KEY") }) else {
            throw blocks.isEmpty ? .noKey : .notPrivate
        }
        let read = try PrivateKey.open(block, of: pem, passphrase)
        do throws(KeyError) {
            self.init(owning: read, algorithm: try PEM.algorithm(of: read))
        } catch {
            EVP_PKEY_free(read)
            throw error
        }
        if algorithm == .rsa { try prove() }
    }

    /// A key with a digit wrong reads well and signs, and every signature is refused: better known here than from
    /// an exchange. One signature, verified.
    private func prove() throws(KeyError) {
        let text = Array("martlet".utf8)
        let signature: [UInt8]
        do throws(KeyError) {
            signature = try sign(text)
        } catch {
            // A key of the RSA-PSS kind can be bound to another digest or salt.
            guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA_PSS else { throw .malformed }
            throw .unsupported(algorithm: "RSA-PSS, bound to other parameters than the exchange's,")
        }
        guard publicKey.verify(signature, of: text) else { throw .malformed }
    }

    private static func open(_ block: PEMBlock, of pem: [UInt8], _ passphrase: String?) throws(KeyError)
        -> OpaquePointer
    {
        defer { ERR_clear_error() }
        if block.isLocked { return try unlock(pem[block.place], passphrase) }
        guard let shape = KeyShape(block.contents) else { throw .malformed }
        let count = block.contents.count
        let read =
            switch shape {
            case .encrypted: try unlock(pem[block.place], passphrase)
            case .general: copenssl_decode_pkcs8(block.contents, count)
            case .rsa: copenssl_decode_private_key(EVP_PKEY_RSA, block.contents, count)
            case .elliptic: copenssl_decode_private_key(EVP_PKEY_EC, block.contents, count)
            }
        guard let read else { throw .malformed }
        return read
    }

    private static func unlock(_ pem: ArraySlice<UInt8>, _ passphrase: String?) throws(KeyError)
        -> OpaquePointer
    {
        guard let bio = PEM.open(Array(pem)) else { throw .noKey }
        defer { BIO_free(bio) }
        let phrase = Array((passphrase ?? "").utf8)
        var asked: Int32 = 0
        let read = phrase.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            // An empty array may have no address, and none means none given.
            let given = passphrase == nil || buffer.isEmpty ? nil : buffer.baseAddress
            var context = copenssl_passphrase(passphrase: given, length: Int32(buffer.count), asked: 0)
            let result = copenssl_read_private_key(bio, &context)
            asked = context.asked
            return result
        }
        if let read { return read }
        guard asked != 0 else { throw .malformed }
        throw phrase.isEmpty ? .passphraseNeeded : .wrongPassphrase
    }

    /// Makes a throw-away key, for tests and the sandbox.
    public static func generate(_ algorithm: KeyAlgorithm, rsaBits: Int = rsaBitsMin) throws(KeyError)
        -> PrivateKey
    {
        let made =
            switch algorithm {
            case .rsa: copenssl_generate_rsa(UInt32(rsaBits))
            case .ed25519: copenssl_generate_ed25519()
            case .ecdsaP256: copenssl_generate_p256()
            }
        guard let made else { throw .signing }
        return PrivateKey(owning: made, algorithm: algorithm)
    }

    public var publicKey: PublicKey {
        EVP_PKEY_up_ref(key)
        return PublicKey(owning: key, algorithm: algorithm)
    }

    /// PKCS#8 PEM, unencrypted or under `passphrase` (AES-256). For keys this program made.
    public func pem(passphrase: String? = nil) throws(KeyError) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .signing }
        defer { BIO_free(bio) }
        let phrase = Array((passphrase ?? "").utf8.map(CChar.init(bitPattern:)))
        let cipher = passphrase == nil ? nil : EVP_aes_256_cbc()
        let written = PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, phrase, Int32(phrase.count), nil, nil)
        guard written == 1 else { throw .signing }
        return PEM.text(of: bio)
    }

    /// The older form: `BEGIN RSA PRIVATE KEY` (PKCS#1) for an RSA key.
    func traditionalPEM() -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        PEM_write_bio_PrivateKey_traditional(bio, key, nil, nil, 0, nil, nil)
        return PEM.text(of: bio)
    }

    /// RSA: PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt. Ed25519: pure. About 440 µs with
    /// RSA-2048, 30 with Ed25519. Throws only when OpenSSL has no memory or randomness.
    public func sign(_ message: UnsafeRawBufferPointer) throws(KeyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .signing }
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        let digest = algorithm == .ed25519 ? nil : EVP_sha256()
        guard EVP_DigestSignInit(context, &parameters, digest, nil, key) == 1,
            algorithm != .rsa || copenssl_pss(parameters, PrivateKey.pssSaltBytes) == 1
        else { throw .signing }
        let bytes = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var length = Int(EVP_PKEY_get_size(key))
        var signed: Int32 = 0
        let signature = [UInt8](unsafeUninitializedCapacity: length) { output, count in
            signed = EVP_DigestSign(context, output.baseAddress, &length, bytes, message.count)
            count = signed == 1 ? length : 0
        }
        guard signed == 1 else {
            ERR_clear_error()
            throw .signing
        }
        return signature
    }

    public func sign(_ message: [UInt8]) throws(KeyError) -> [UInt8] {
        // Typed throws do not pass through the standard library's closure here.
        let result = message.withUnsafeBytes { bytes in
            Result { () throws(KeyError) in try sign(bytes) }
        }
        return try result.get()
    }
}

/// A public key, as registered with an exchange.
//
// @unchecked Sendable is sound for the reason given at `PrivateKey`.
public final class PublicKey: @unchecked Sendable {
    let key: OpaquePointer
    public let algorithm: KeyAlgorithm

    init(owning key: OpaquePointer, algorithm: KeyAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }

    deinit { EVP_PKEY_free(key) }

    /// Reads `BEGIN PUBLIC KEY` (SPKI).
    public convenience init(pem: [UInt8]) throws(KeyError) {
        guard let block = try PEMBlock.all(pem).first(where: { $0.label == "PUBLIC KEY" }) else {
            throw .noKey
        }
        let read = copenssl_decode_public_key(block.contents, block.contents.count)
        ERR_clear_error()
        guard let read else { throw .malformed }
        do throws(KeyError) {
            self.init(owning: read, algorithm: try PEM.algorithm(of: read))
        } catch {
            EVP_PKEY_free(read)
            throw error
        }
    }

    /// SPKI PEM.
    public func pem() -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        PEM_write_bio_PUBKEY(bio, key)
        return PEM.text(of: bio)
    }

    /// Whether `signature` is this key's over `message`, with exactly the parameters that `sign` uses.
    public func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var parameters: OpaquePointer?
        let digest = algorithm == .ed25519 ? nil : EVP_sha256()
        guard EVP_DigestVerifyInit(context, &parameters, digest, nil, key) == 1,
            algorithm != .rsa || copenssl_pss(parameters, PrivateKey.pssSaltBytes) == 1
        else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

/// PEM text through OpenSSL's memory files.
enum PEM {
    static func open(_ bytes: [UInt8]) -> OpaquePointer? {
        guard !bytes.isEmpty, let bio = BIO_new(BIO_s_mem()) else { return nil }
        guard BIO_write(bio, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
            BIO_free(bio)
            return nil
        }
        return bio
    }

    static func text(of bio: OpaquePointer) -> String {
        var start: UnsafeMutablePointer<CChar>?
        let count = copenssl_bio_bytes(bio, &start)
        guard let start, count > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    static func algorithm(of key: OpaquePointer) throws(KeyError) -> KeyAlgorithm {
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS:
            let bits = Int(EVP_PKEY_get_bits(key))
            guard bits >= PrivateKey.rsaBitsMin else { throw .weak(bits: bits) }
            return .rsa
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_EC where EVP_PKEY_get_bits(key) == 256: return .ecdsaP256
        default:
            let name = EVP_PKEY_get0_type_name(key).map { String(cString: $0) } ?? "unknown"
            throw .unsupported(algorithm: name)
        }
    }
}
