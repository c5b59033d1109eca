import Foundation
import MartletNetwork
import MartletWire

/// This same program as `martlet sandbox`, in a process of its own, with accounts whose keys we hold.
///
/// Keys lie in a folder that goes with it.
final class SandboxProcess {
    struct Account {
        let keyID: String
        let key: PrivateKey
    }

    let accounts: [Account]
    let rest: HTTPURL
    let feed: HTTPURL
    let markets: [String]
    let tls: TLSContext?
    let controlToken: String
    let pid: Int32
    private let process: Process
    private let folder: String

    /// - Parameter arguments: of `martlet sandbox`, beside the accounts and `--json`.
    init(accounts count: Int, arguments: [String]) throws {
        let folder = try TemporaryFolder.make("martlet-bench")
        self.folder = folder
        let process = Process()
        self.process = process
        do {
            accounts = try (0..<count).map { index in
                Account(keyID: "load-\(index)", key: try PrivateKey.generate(.ed25519))
            }
            var all = ["sandbox", "--json"] + arguments
            for account in accounts {
                let file = "\(folder)/\(account.keyID).pem"
                try NewFile.write(account.key.publicKey.pem(), to: file, mode: 0o600)
                all += ["--account", "\(account.keyID)=\(file)"]
            }
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = all
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            pid = process.processIdentifier
            let line = try SandboxProcess.readLine(output.fileHandleForReading)
            let ready = try JSONParser.parse(Array(line.utf8))
            guard let rest = ready["rest"]?.string.flatMap({ HTTPURL($0) }),
                let feed = ready["websocket"]?.string.flatMap({ HTTPURL($0) }),
                let token = ready["control_token"]?.string
            else { throw CommandError("the sandbox did not say where it is: \(line.prefix(200))") }
            (self.rest, self.feed, controlToken) = (rest, feed, token)
            markets = (ready["markets"]?.array ?? []).compactMap(\.string)
            tls = try ready["ca"]?.string.map { try TLSContext(clientTrusting: .file($0)) }
        } catch {
            if process.isRunning { process.terminate() }
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Ends the process and waits for it.
    func stop() {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
    deinit { stop() }

    private static func readLine(_ file: FileHandle) throws -> String {
        var line: [UInt8] = []
        while true {
            let bytes = file.availableData
            if bytes.isEmpty { throw CommandError("the sandbox ended before it was ready; see above") }
            line += bytes
            if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
                return String(decoding: line[..<end], as: UTF8.self)
            }
        }
    }

    // MARK: What it costs

    /// Its anonymous resident memory in bytes.
    var residentBytes: Int { ResidentMemory.anonymousBytes(of: pid) ?? 0 }
    /// Processor time it has used, in seconds.
    var processorSeconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        // Behind the name: state is field 3, user and system time are 14 and 15 (proc(5)).
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            return 0
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
