/// Why a key or its file cannot be used. Never holds key material.
public enum KeyError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case tooLarge(path: String)
    /// Others than the owner can read the file. The command mends it.
    case permissions(path: String, remedy: String)
    /// No key in PEM form where one was looked for.
    case noKey
    /// A public key or a certificate where the private key is needed.
    case notPrivate
    case passphraseNeeded
    case wrongPassphrase
    case malformed
    /// The file's text is no PEM at this line, counted from 1.
    case damaged(line: Int, String)
    case unsupported(algorithm: String)
    case weak(bits: Int)
    case signing

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "the key file \(path) cannot be read: \(reason)"
        case .tooLarge(let path): "\(path) is too large for a key file"
        case .permissions(let path, let remedy):
            "the key file \(path) can be read by others; mend it with: \(remedy)"
        case .noKey: "no key in PEM form was found"
        case .notPrivate: "this is a public key or a certificate; the private key is needed"
        case .passphraseNeeded: "the key is encrypted; a pass phrase is needed"
        case .wrongPassphrase: "the pass phrase does not open the key"
        case .malformed: "the key is damaged; copy or create it anew"
        case .damaged(let line, let problem):
            "line \(line) of the key file is damaged: \(problem); copy the file anew"
        case .unsupported(let algorithm): "keys of the kind \(algorithm) are not supported: RSA or Ed25519"
        case .weak(let bits): "an RSA key of \(bits) bits is too short: 2048 at least"
        case .signing: "the signature could not be made"
        }
    }
}
