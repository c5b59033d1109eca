import Foundation
import MartletNetwork

/// Signatures: over standard input, or over a request's time stamp, method and path.
enum RSAProbe {
    static func run(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "verify" where arguments.count == 3: verify(arguments[1], arguments[2])
        case "sign" where arguments.count == 5: sign(arguments[1], arguments[2], arguments[3], arguments[4])
        default: Probe.usage()
        }
    }

    private static func verify(_ keyFile: String, _ signatureFile: String) -> Int32 {
        let message = Array(FileHandle.standardInput.readDataToEndOfFile())
        guard let pem = Probe.bytes(ofFile: keyFile), let signature = Probe.bytes(ofFile: signatureFile)
        else {
            Probe.complain("error the files cannot be read")
            return 1
        }
        do {
            let key = try PublicKey(pem: pem)
            return key.verify(signature, of: message) ? 0 : 1
        } catch {
            Probe.complain("error \(error)")
            return 1
        }
    }

    private static func sign(_ keyFile: String, _ timestamp: String, _ method: String, _ path: String)
        -> Int32
    {
        guard let pem = Probe.bytes(ofFile: keyFile) else {
            Probe.complain("error the key file cannot be read")
            return 1
        }
        do {
            let key = try PrivateKey(pem: pem)
            // Certificates may have such a key; the exchange takes none.
            guard key.algorithm != .ecdsaP256 else { throw KeyError.unsupported(algorithm: "EC") }
            let message = timestamp + method.uppercased() + path.prefix { $0 != "?" }
            print(Base64.encode(try key.sign(Array(message.utf8))))
            return 0
        } catch {
            Probe.complain("error \(error)")
            return 1
        }
    }
}
