import Foundation
import MartletNetwork
import Testing

@Suite struct AuthCommandTests {
    private func keyFile(_ key: PrivateKey, _ folder: ScratchFolder, permissions: Int = 0o600) throws
        -> String
    {
        try folder.write(key.pem(), to: "key.pem")
        let path = folder.path("key.pem")
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
        return path
    }

    @Test func showsWhatTheAccountMayDo() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let flags = [
            "--environment", exchange.address, "--key-id", LoopbackExchange.keyID, "--key",
            try keyFile(exchange.key, folder),
        ]
        let result = try MartletProcess.run(["auth", "check"] + flags)
        #expect(result.code == 0 && result.error == "")
        for text in [
            "a952bcbe… (ed25519 key, not shown): the signature is accepted", "advanced",
            "300 tokens a second, at most 900", "$993.15", "trading     open",
        ] {
            #expect(result.output.contains(text), "\(text) in \(result.output)")
        }
        let json = try MartletProcess.run(["auth", "check", "--json"] + flags)
        #expect(json.output.contains(#""tier":"advanced""#) && json.output.contains(#""cash":"993.1452"#))
        let secret = try exchange.key.pem().split(separator: "\n")[1]
        for text in [result.output, result.error, json.output, json.error] {
            #expect(!text.contains(secret), "FIELD-NOTES 31")
        }
        #expect(exchange.requests.allSatisfy { $0.hasPrefix("GET ") })
    }

    @Test func saysWhatIsWrongWithAKey() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let path = try keyFile(exchange.key, folder)
        let place = ["--environment", exchange.address]
        let unknown = try MartletProcess.run(["auth", "check", "--key-id", "other", "--key", path] + place)
        #expect(unknown.code == 1 && unknown.error.contains("the key id is unknown there"))
        let strange = try keyFile(PrivateKey.generate(.ed25519), folder)
        let wrong = try MartletProcess.run(
            ["auth", "check", "--key-id", LoopbackExchange.keyID, "--key", strange] + place)
        #expect(wrong.code == 1 && wrong.error.contains("does not belong to the key id"))
        let readable = try keyFile(exchange.key, folder, permissions: 0o644)
        let refused = try MartletProcess.run(
            ["auth", "check", "--key-id", LoopbackExchange.keyID, "--key", readable] + place)
        #expect(refused.code == 1 && refused.error.contains("chmod 600 \(readable)"))
        let none = try MartletProcess.run(["auth", "check"] + place)
        #expect(none.code == 2 && none.error.contains("--key-id"))
    }
}
