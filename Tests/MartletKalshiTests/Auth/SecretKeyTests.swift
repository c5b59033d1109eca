import Foundation
import MartletNetwork
import Testing

@testable import MartletKalshi

@Suite struct SecretKeyTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [KeyAlgorithm.rsa, .ed25519])
    func readsPlainAndEncryptedFilesByTheKeysOwnAlgorithm(_ algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let plain = try scratch.file("plain.pem", key.pem())
        #expect(try SecretKey(file: plain).algorithm == algorithm)
        let locked = try scratch.file("locked.pem", key.pem(passphrase: "swift as the wind"))
        let phrase = try scratch.file("phrase", "swift as the wind\n")
        #expect(try SecretKey(file: locked, passphrase: .file(phrase)).algorithm == algorithm)
        #expect(
            try SecretKey(file: locked, passphrase: .prompt { "swift as the wind" }).algorithm == algorithm)
        #expect(throws: KeyError.passphraseNeeded) { try SecretKey(file: locked) }
        #expect(throws: KeyError.passphraseNeeded) {
            try SecretKey(file: locked, passphrase: .prompt { nil })
        }
        #expect(throws: KeyError.wrongPassphrase) {
            try SecretKey(file: locked, passphrase: .prompt { "slow" })
        }
    }

    @Test func fieldNote31AFileThatOthersCanReadIsRefusedWithTheCommandThatMendsIt() throws {
        let pem = try PrivateKey.generate(.ed25519).pem()
        let path = try scratch.file("open key.pem", pem, permissions: 0o644)
        let error = #expect(throws: KeyError.self) { try SecretKey(file: path) }
        #expect("\(try #require(error))".contains("chmod 600 '\(path)'"))
        #expect(error == .permissions(path: path, remedy: "chmod 600 '\(path)'"))
        // The same holds for the file of the pass phrase.
        let locked = try scratch.file("locked.pem", PrivateKey.generate(.ed25519).pem(passphrase: "p"))
        let phrase = try scratch.file("phrase", "p", permissions: 0o640)
        #expect(throws: KeyError.permissions(path: phrase, remedy: "chmod 600 \(phrase)")) {
            try SecretKey(file: locked, passphrase: .file(phrase))
        }
    }

    @Test func publicKeysCertificatesAndRubbishAreToldApart() throws {
        let key = try PrivateKey.generate(.ed25519)
        let publicFile = try scratch.file("public.pem", key.publicKey.pem())
        #expect(throws: KeyError.notPrivate) { try SecretKey(file: publicFile) }
        let empty = try scratch.file("empty.pem", "nothing")
        #expect(throws: KeyError.noKey) { try SecretKey(file: empty) }
        let elliptic = try scratch.file("ec.pem", PrivateKey.generate(.ecdsaP256).pem())
        #expect(throws: KeyError.unsupported(algorithm: "EC")) { try SecretKey(file: elliptic) }
        #expect(throws: KeyError.self) { try SecretKey(file: scratch.path + "/absent.pem") }
    }

    @Test func fieldNote31NothingPrintsAKey() throws {
        let key = try PrivateKey.generate(.ed25519)
        let pem = try key.pem()
        let secret = pem.split(separator: "\n")[1]
        let credentials = try Credentials(keyID: RequestSigner.testKeyID, key: SecretKey(key))
        let signer = RequestSigner(credentials)
        var dumped = ""
        dump(credentials, to: &dumped)
        dump(signer, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\(credentials.key)", dumped] {
            #expect(!text.contains(secret))
        }
        #expect("\(credentials)" == "a952bcbe… (ed25519 key, not shown)")
    }
}
