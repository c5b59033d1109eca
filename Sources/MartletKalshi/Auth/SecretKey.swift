import MartletNetwork

/// A private key that cannot be printed: its description, its mirror and its debug text say nothing of it.
public struct SecretKey: Sendable {
    let key: PrivateKey

    public init(_ key: PrivateKey) throws(KeyError) {
        switch key.algorithm {
        case .rsa, .ed25519: self.key = key
        case .ecdsaP256: throw .unsupported(algorithm: "EC")
        }
    }

    /// Reads a PEM file: PKCS#1 or PKCS#8 RSA, PKCS#8 Ed25519, told apart by the key's own algorithm. A file that
    /// others can read is refused with the command that mends it.
    /// - Parameter passphrase: asked for only when the key is encrypted.
    public init(file path: String, passphrase: Passphrase = .none) throws(KeyError) {
        let bytes = try KeyFile.read(path)
        do throws(KeyError) {
            try self.init(PrivateKey(pem: bytes))
        } catch .passphraseNeeded {
            guard let phrase = try passphrase.text() else { throw .passphraseNeeded }
            try self.init(PrivateKey(pem: bytes, passphrase: phrase))
        }
    }

    public var algorithm: KeyAlgorithm { key.algorithm }
}

/// Where the pass phrase of an encrypted key comes from.
public enum Passphrase: Sendable {
    case none
    /// A file that nobody else can read; one line end at its end is not part of the phrase.
    case file(String)
    /// Asks a person; nil when nobody answers.
    case prompt(@Sendable () -> String?)

    func text() throws(KeyError) -> String? {
        switch self {
        case .none: return nil
        case .file(let path):
            var bytes = try KeyFile.read(path)
            if bytes.last == 10 { bytes.removeLast() }
            if bytes.last == 13 { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        case .prompt(let ask): return ask()
        }
    }
}

extension SecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(\(key.algorithm.rawValue) key, not shown)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// An API key's id with its private key.
public struct Credentials: Sendable {
    /// The exchange's id of the key (a UUID).
    public let keyID: String
    public let key: SecretKey

    /// - Throws: `malformed` when the id could not stand in a header.
    public init(keyID: String, key: SecretKey) throws(KeyError) {
        guard !keyID.isEmpty, keyID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .malformed }
        self.keyID = keyID
        self.key = key
    }

    public init(keyID: String, file path: String, passphrase: Passphrase = .none) throws(KeyError) {
        try self.init(keyID: keyID, key: SecretKey(file: path, passphrase: passphrase))
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The beginning of the id is enough to tell keys apart.
    public var description: String { "\(keyID.prefix(8))… \(key)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
