import Foundation
import MartletNetwork
import MartletWire

/// `martlet sandbox keys`.
extension SandboxCommand {
    static let keyType = ValueFlag("type", .choice("TYPE", ["ed25519", "rsa"]), "the kind of key (ed25519)")

    static func keys() -> Command {
        var command = Command(name: "keys", summary: "make a key pair for an account of the sandbox")
        command.discussion = """
            Writes NAME-private.pem (readable by you alone) and NAME-public.pem. Never overwrites. The key is for \
            the sandbox; keys for the real exchange are made there.
            """
        command.operands = [.init("NAME", .one, "the files' first part, and a usable key id")]
        command.flags = [keyType]
        command.examples = [
            ("martlet sandbox keys alice", "then: martlet sandbox --account alice=alice-public.pem")
        ]
        command.run = { invocation, terminal in
            let name = invocation.operands[0]
            let key = try PrivateKey.generate(invocation[keyType] == "rsa" ? .rsa : .ed25519)
            let (privateFile, publicFile) = ("\(name)-private.pem", "\(name)-public.pem")
            try NewFile.write(try key.pem(), to: privateFile, mode: 0o600)
            try NewFile.write(key.publicKey.pem(), to: publicFile, mode: 0o644)
            if invocation.isJSON {
                try terminal.line(
                    JSONValue.fields([
                        ("private_key", .string(privateFile)), ("public_key", .string(publicFile)),
                        ("type", .string(key.algorithm.rawValue)),
                    ]).text)
            } else {
                try terminal.line("\(privateFile)  the private key: give it to the client")
                try terminal.line(
                    "\(publicFile)  the public key: martlet sandbox --account KEYID=\(publicFile)")
            }
            return .success
        }
        return command
    }
}

/// Files that must not be there yet.
enum NewFile {
    static func write(_ text: String, to path: String, mode: mode_t) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            let reason =
                errno == EEXIST
                ? "it is there already; choose another name" : String(cString: strerror(errno))
            throw CommandError("'\(path)' cannot be written: \(reason)")
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw CommandError("'\(path)' cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
