import Foundation
import Testing

@testable import MartletNetwork

@Suite struct CryptoTests {
    @Test func digestsAgreeWithTheStandards() {
        #expect(
            Digest.hex(Digest.sha256("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Digest.hex(Digest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.hex(Digest.sha1("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64OfRFC4648(_ plain: String, _ encoded: String) {
        #expect(Base64.encode(plain.bytes) == encoded)
        #expect(Base64.decode(encoded) == plain.bytes)
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm9-", "Zg==Zg==", "Z===",
        "\u{e9}AAA",
    ])
    func base64RefusesEverythingElse(_ text: String) { #expect(Base64.decode(text) == nil) }

    @Test func base64AgreesWithFoundation() {
        var random = SeededRandom(2)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    // MARK: - Keys

    @Test func keysOfAllFormsAreToldByTheirAlgorithm() throws {
        let rsa = try PrivateKey.generate(.rsa)
        let edwards = try PrivateKey.generate(.ed25519)
        #expect(rsa.traditionalPEM().hasPrefix("-----BEGIN RSA PRIVATE KEY-----"))
        let forms: [(String, String?, KeyAlgorithm)] = [
            (rsa.traditionalPEM(), nil, .rsa), (try rsa.pem(), nil, .rsa), (try edwards.pem(), nil, .ed25519),
            (try rsa.pem(passphrase: "open sesame"), "open sesame", .rsa),
            (try edwards.pem(passphrase: "grüße"), "grüße", .ed25519), (try rsa.pem(), "not needed", .rsa),
        ]
        for (pem, passphrase, algorithm) in forms {
            let key = try PrivateKey(pem: pem.bytes, passphrase: passphrase)
            #expect(key.algorithm == algorithm)
            let message = "1700000000000GET/trade".bytes
            let signature = try key.sign(message)
            #expect(signature.count == (algorithm == .rsa ? 256 : 64))
            let original = algorithm == .rsa ? rsa : edwards
            let registered = try PublicKey(pem: original.publicKey.pem().bytes)
            #expect(registered.verify(signature, of: message))
            #expect(!registered.verify(signature, of: message + [0]))
            #expect(!registered.verify(signature + [0], of: message))
            #expect(!registered.verify([], of: message))
        }
    }

    @Test func badKeysAreRefusedAndSayWhy() throws {
        let rsa = try PrivateKey.generate(.rsa)
        let locked = try rsa.pem(passphrase: "right")
        func error(_ pem: String, _ passphrase: String? = nil) -> KeyError? {
            do throws(KeyError) {
                _ = try PrivateKey(pem: pem.bytes, passphrase: passphrase)
                return nil
            } catch {
                return error
            }
        }
        #expect(error("") == .noKey)
        #expect(error("no key at all") == .noKey)
        #expect(error(rsa.publicKey.pem()) == .notPrivate)
        #expect(error(locked) == .passphraseNeeded)
        #expect(error(locked, "") == .passphraseNeeded)
        #expect(error(locked, "wrong") == .wrongPassphrase)
        let pem = try rsa.pem()
        let lines = pem.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            error(lines[..<9].joined(separator: "\n")) == .damaged(line: 9, "the END line is missing"))
        for (index, wrong) in [(0, "-----BEGIN PUBLIC KEY-----"), (3, "MIIE*"), (5, "-----BEGIN A-----")] {
            var changed = lines
            changed[index] = wrong
            guard case .damaged(let line, _) = error(changed.joined(separator: "\n")) else {
                Issue.record("line \(index + 1) changed to \(wrong) is taken")
                continue
            }
            #expect(line == (index == 0 ? lines.count - 1 : index + 1))
        }
        #expect(error(pem.replacing("MII", with: "MIJ")) == .malformed)
        #expect(error(try PrivateKey.generate(.rsa, rsaBits: 1024).pem()) == .weak(bits: 1024))
        #expect(error(Self.ed448) == .unsupported(algorithm: "ED448"))
        #expect(throws: KeyError.self) { try PublicKey(pem: pem.bytes) }
    }

    /// It reads well and signs: only a signature held against the key shows it.
    @Test func aKeyWithAWrongDigitIsRefusedWhenItIsRead() throws {
        let whole = try PrivateKey.generate(.rsa).traditionalPEM()
        let lines = whole.split(separator: "\n").dropFirst().dropLast()
        let contents = try #require(Base64.decode(lines.joined()))
        // The modulus begins at the twelfth byte; the first prime comes behind both exponents.
        for place in [100, 200] {
            var damaged = contents
            damaged[place] ^= 4
            let pem =
                "-----BEGIN RSA PRIVATE KEY-----\n\(Base64.encode(damaged))\n-----END RSA PRIVATE KEY-----\n"
            #expect(throws: KeyError.malformed) { try PrivateKey(pem: pem.bytes) }
        }
        #expect(throws: Never.self) { try PrivateKey(pem: whole.bytes) }
    }

    @Test func aByteOrderMarkBeforeTheKeyIsSkipped() throws {
        let rsa = try PrivateKey.generate(.ed25519)
        #expect(try PrivateKey(pem: ("\u{feff}" + rsa.pem()).bytes).publicKey.pem() == rsa.publicKey.pem())
    }

    @Test func keysAreFoundAmongOtherBlocksAndUnderAWrongLabel() throws {
        let rsa = try PrivateKey.generate(.rsa)
        let pem = try rsa.pem()
        let mislabelled = pem.replacing("PRIVATE KEY", with: "RSA PRIVATE KEY")
        let windows = "\u{feff}notes\n" + pem.replacing("\n", with: " \r\n")
        let indented = pem.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        for text in [mislabelled, rsa.publicKey.pem() + pem, pem + pem, windows, indented] {
            #expect(try PrivateKey(pem: text.bytes).publicKey.pem() == rsa.publicKey.pem())
        }
    }

    @Test func whatIsNoKeyByItsStructureIsRefused() throws {
        let wrong = ["MAA=", "MAMCAQA=", "AgEA", "MIAAAA==", "MIEBAA==", "MAQCAQAFAA==", "MAMCAQAA"]
        for contents in wrong {
            let pem = "-----BEGIN PRIVATE KEY-----\n\(contents)\n-----END PRIVATE KEY-----\n"
            #expect(throws: KeyError.malformed, "\(contents)") { try PrivateKey(pem: pem.bytes) }
        }
    }

    static let ed448 = """
        -----BEGIN PRIVATE KEY-----
        MEcCAQAwBQYDK2VxBDsEOQKSbSrcI1Al9ZzUgFUOD4KoWoJbKs4R14s2OWacrwMn
        lVAvuCg3GFigeGXB/Io91epMLfh3debZ0w==
        -----END PRIVATE KEY-----
        """

    @Test func ed25519AgreesWithRFC8032() throws {
        // Test 2 of §7.1, its seed as PKCS#8.
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
            -----END PRIVATE KEY-----
            """
        let signature = try PrivateKey(pem: pem.bytes).sign([0x72])
        #expect(
            Digest.hex(signature)
                == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    }

    @Test func errorsHoldNoKeyMaterial() throws {
        let pem = try PrivateKey.generate(.rsa).pem()
        do {
            _ = try PrivateKey(pem: pem.replacing("MII", with: "MIJ").bytes, passphrase: "secret phrase")
        } catch {
            #expect(!"\(error)".contains("MI") && !"\(error)".contains("secret"))
        }
    }

    @Test func keyFilesThatOthersCanReadAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("my key.pem").path
        try "content".write(toFile: path, atomically: false, encoding: .utf8)
        for mode in [0o600, 0o400, 0o700] {
            chmod(path, mode_t(mode))
            #expect(try KeyFile.read(path) == "content".bytes)
        }
        for mode in [0o640, 0o604, 0o660, 0o644, 0o610] {
            chmod(path, mode_t(mode))
            #expect(throws: KeyError.permissions(path: path, remedy: "chmod 600 '\(path)'")) {
                try KeyFile.read(path)
            }
        }
        #expect(throws: KeyError.self) { try KeyFile.read(folder.path) }
        #expect(throws: KeyError.self) { try KeyFile.read(path + ".missing") }
    }
}

/// Project Wycheproof's RSA-PSS vectors, read from where `MARTLET_DATA` says.
@Suite struct WycheproofTests {
    struct File: Decodable {
        struct Group: Decodable {
            let publicKeyPem: String
            let sha: String
            let mgfSha: String?
            let sLen: Int
            let tests: [Case]
        }
        struct Case: Decodable {
            let tcId: Int
            let msg: String
            let sig: String
            let result: String
        }
        let testGroups: [Group]
    }

    static let folder = ProcessInfo.processInfo.environment["MARTLET_DATA"].map { $0 + "/wycheproof" }
    static let names = [
        "rsa_pss_2048_sha256_mgf1_32", "rsa_pss_2048_sha256_mgf1_32_params", "rsa_pss_3072_sha256_mgf1_32",
        "rsa_pss_4096_sha256_mgf1_32", "rsa_pss_2048_sha256_mgf1_0", "rsa_pss_2048_sha256_mgf1sha1_20",
        "rsa_pss_misc",
    ]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { ASCII.hexValue($0).map(UInt8.init) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test(
        .enabled(if: folder != nil, "skipped: MARTLET_DATA names no folder of recorded data"),
        arguments: names)
    func vectors(_ name: String) throws {
        let path = "\(try #require(Self.folder))/\(name)_test.json"
        let file = try JSONDecoder().decode(File.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
        var judged = 0
        for group in file.testGroups {
            // Only our parameters are valid here, whatever the vectors say of theirs.
            let isOurs = group.sha == "SHA-256" && group.mgfSha == "SHA-256" && group.sLen == 32
            guard let key = try? PublicKey(pem: group.publicKeyPem.bytes) else {
                #expect(!isOurs, "a key of \(name) is refused")
                continue
            }
            for test in group.tests {
                let accepted = key.verify(Self.bytes(test.sig), of: Self.bytes(test.msg))
                // With other parameters, what is right by theirs must be wrong by ours; what is wrong by theirs
                // may be right by ours (a salt of 32 bytes where none was due).
                if !isOurs && test.result != "valid" { continue }
                #expect(accepted == (isOurs && test.result == "valid"), "\(name) \(test.tcId)")
                judged += 1
            }
        }
        #expect(judged > 50)
    }
}
