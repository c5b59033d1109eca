import Foundation
import MartletNetwork
import MartletWire
import Testing

@testable import MartletMain

/// `martlet sandbox` as a script meets it.
@Suite struct SandboxCommandTests {
    /// A sandbox that is ready, and its one line.
    private final class Running {
        let process: Process
        let ready: JSONValue
        private let output: Pipe
        private let error: Pipe

        init(_ arguments: [String]) throws {
            (process, output, error) = try MartletProcess.start(["sandbox", "--json"] + arguments)
            var line: [UInt8] = []
            while line.last != UInt8(ascii: "\n") {
                let bytes = output.fileHandleForReading.availableData
                if bytes.isEmpty { break }
                line += bytes
            }
            ready = try JSONParser.parse(line)
        }
        deinit { if process.isRunning { process.terminate() } }

        func end(_ signal: Int32) throws -> MartletProcess.Result {
            kill(process.processIdentifier, signal)
            return try MartletProcess.finish(process, output, error)
        }
    }

    private func get(_ url: String, trusting file: String?) async throws -> Int {
        let client = try AsyncHTTPClient(tls: try file.map { try TLSContext(clientTrusting: .file($0)) })
        return try await client.send(HTTPRequest("GET", try #require(HTTPURL(url)))).status
    }

    @Test(arguments: [true, false])
    func saysWhereItIsAndEndsInOrder(isPlain: Bool) async throws {
        let sandbox = try Running((isPlain ? ["--plain"] : []) + ["--markets", "12", "--seed", "3"])
        let ready = sandbox.ready
        #expect(ready["ready"]?.bool == true)
        let rest = try #require(ready["rest"]?.string)
        let port = try #require(ready["port"]?.int64)
        #expect(rest == "http\(isPlain ? "" : "s")://127.0.0.1:\(port)/trade-api/v2")
        #expect(
            ready["websocket"]?.string == "ws\(isPlain ? "" : "s")://127.0.0.1:\(port)/trade-api/ws/v2")
        #expect((ready["ca"] == nil) == isPlain)
        #expect(ready["markets"]?.array?.isEmpty == false)
        #expect(ready["pid"]?.int64 == Int64(sandbox.process.processIdentifier))
        #expect(ready["control"]?.string != nil && ready["control_token"]?.string != nil)
        let key = try #require(ready["private_key"]?.string)
        #expect(FileManager.default.fileExists(atPath: key))
        #expect(try await get(rest + "/exchange/status", trusting: ready["ca"]?.string) == 200)
        let second = try MartletProcess.run(["sandbox", "--port", "\(port)"])
        #expect(second.code == 1)
        #expect(second.error.hasPrefix("martlet: port \(port) cannot be listened on"))
        #expect(second.error.contains("choose another"))
        let result = try sandbox.end(isPlain ? SIGTERM : SIGINT)
        #expect(result.code == 0 && result.error == "")
        // Nothing is left behind: neither the key nor the certificates.
        #expect(!FileManager.default.fileExists(atPath: key))
        if let file = ready["ca"]?.string { #expect(!FileManager.default.fileExists(atPath: file)) }
    }

    @Test(arguments: [
        (["--port", "70000"], "--port"), (["--tier", "gold"], "--tier"),
        (["--fault", "gremlins=1"], "gremlins"),
        (["--fault", "server_error=2"], "server_error"),
        (["--rule", "nested_errors=maybe"], "nested_errors"),
        (["--account", "alice"], "--account"), (["--account", "alice=/nowhere.pem"], "martlet sandbox keys"),
        (["--speed", "0"], "--speed"), (["extra"], "extra"),
    ])
    func aWrongFlagIsNamed(arguments: [String], name: String) throws {
        let result = try MartletProcess.run(["sandbox"] + arguments)
        #expect(result.code == 2, "\(arguments)")
        #expect(result.error.contains(name) && result.error.hasPrefix("martlet: "))
        #expect(result.output == "")
    }

    @Test func aKeyThatIsNoneAndAnAccountGivenTwiceAreNamed() throws {
        let folder = try ScratchFolder()
        try folder.write("nothing", to: "bad.pem")
        let bad = try MartletProcess.run(["sandbox", "--account", "alice=\(folder.path("bad.pem"))"])
        #expect(bad.code != 0 && bad.error.contains("'alice'"))
        let made = try MartletProcess.run(["sandbox", "keys", "bob"], in: folder.url)
        #expect(made.code == 0)
        let file = folder.path("bob-public.pem")
        let twice = try MartletProcess.run(["sandbox", "--account", "b=\(file)", "--account", "b=\(file)"])
        #expect(twice.code != 0 && twice.error.contains("'b' is given twice"))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path("bob-private.pem"))
        #expect((mode[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let again = try MartletProcess.run(["sandbox", "keys", "bob"], in: folder.url)
        #expect(again.code == 1 && again.error.contains("it is there already"))
    }

    /// A configuration file says what the flags say, and flags win over it; mistakes are named at their place.
    @Test func aConfigurationFileSetsItUp() async throws {
        let folder = NSTemporaryDirectory() + "martlet-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = try PrivateKey.generate(.ed25519)
        try key.publicKey.pem().write(toFile: folder + "/a.pem", atomically: false, encoding: .utf8)
        let file = folder + "/sandbox.json5"
        func write(_ text: String) throws { try text.write(toFile: file, atomically: false, encoding: .utf8) }

        try write(
            """
            { // a key of the file's own folder
              plain: true, markets: 12, tier: "nonsense-for-a-flag", accounts: { alice: "a.pem" },
              faults: { maintenance: true }, rules: { nested_errors: false } }
            """)
        let wrong = try MartletProcess.run(["sandbox", "--config", file])
        #expect(wrong.code == 2 && wrong.error.contains("sandbox.json5:2:"))
        try write(
            """
            { plain: true, markets: 12, accounts: { alice: "a.pem" },
              faults: { maintenance: true }, rules: { nested_errors: false } }
            """)
        let sandbox = try Running(["--config", file])
        // An account was given: no key had to be made.
        #expect(sandbox.ready["key_id"] == nil && sandbox.ready["ca"] == nil)
        let rest = try #require(sandbox.ready["rest"]?.string)
        #expect(try await get(rest + "/exchange/status", trusting: nil) == 200)
        #expect(try await get(rest + "/markets", trusting: nil) == 503)
        #expect(try sandbox.end(SIGTERM).code == 0)
        for (text, place) in [
            ("{prot: 1}", "1:2"), ("{faults: {none: 1}}", "1:11"), ("{rules: 3}", "1:2"), ("[]", "1:1"),
            ("{accounts: {a: \"none.pem\"}}", "1:13"), ("{speed: 0}", "1:9"),
        ] {
            try write(text)
            let result = try MartletProcess.run(["sandbox", "--config", file])
            #expect(result.code == 2 && result.error.contains("sandbox.json5:\(place):"), "\(result.error)")
        }
    }
}
