import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletSandbox
import MartletWire

/// `martlet sandbox`: the exchange on loopback.
enum SandboxCommand {
    static let config = ValueFlag(
        "config", .file, "a JSON5 file with the same keys, and accounts, faults and rules; flags win over it")
    static let port = ValueFlag(
        "port", .whole("PORT", in: 0...65_535), "the port on 127.0.0.1 (0: any free one)")
    static let plain = Switch("plain", "HTTP and ws without TLS")
    static let account = ListFlag(
        "account", .assignment("KEYID=PUBLIC.pem"),
        "an account: its API key id and public key (RSA or Ed25519); again for more accounts")
    static let balance = ValueFlag(
        "balance", .whole("DOLLARS", in: 0...1_000_000_000), "cash of each account on each shard (10000)")
    static let seed = ValueFlag("seed", .seed, "what the world is drawn from (1)")
    static let tier = ValueFlag(
        "tier", .choice("NAME", RateLimits.tiers.map(\.tier) + ["unlimited"]), "rate limits (advanced)")
    static let markets = ValueFlag(
        "markets", .whole("N", in: 1...5000), "how many markets the world has, about (24)")
    static let activity = ValueFlag(
        "activity", .number("FACTOR", in: 0...1000),
        "how busy the world's agents are: 1 is usual, 0 leaves the books as they stand at the start")
    static let changes = ValueFlag(
        "changes", .number("N", in: 0...1_000_000),
        "book changes a second on top of the agents', for load tests (0)")
    static let tape = ValueFlag(
        "tape", .file, "replay a recorded day as the crowd instead of a generated world")
    static let speed = ValueFlag(
        "speed", .number("FACTOR", in: 0.001...100_000), "how many times faster than real the tape runs (1)")
    static let paused = Switch("paused", "the exchange's clock stands until the control endpoint steps it")
    static let fault = ListFlag(
        "fault", .assignment("NAME=VALUE"), "something that goes wrong, such as too_many_requests=0.1")
    static let rule = ListFlag(
        "rule", .assignment("NAME=VALUE"), "undocumented behaviour, such as refuse_replay=true")

    static func command() -> Command {
        var command = Command(
            name: "sandbox", summary: "a Kalshi-compatible exchange on loopback, no account needed")
        command.discussion = """
            Serves the exchange's REST and WebSocket protocol on 127.0.0.1, over TLS with a certificate authority \
            made at the start (or plain), with a world of markets traded by simple agents. Clients connect as to \
            the real exchange: only host, key and CA file change. Runs until Ctrl-C or SIGTERM, which both end it \
            with code 0.

            With --json it prints one line once it accepts connections: ready, rest, websocket, ca (absent with \
            --plain), markets (open, both sides quoted), port, control, control_token and pid. Without --account, \
            one is made with a key that is thrown away at the end; key_id and private_key say which.

            Under CONTROL, with the header 'Sandbox-Token: TOKEN', tests act behind their clients' backs:
            GET state, GET ledger?account=KEYID (cash, positions, orders and fills as the exchange has them), \
            GET, POST and DELETE faults ({"sequence_gap": 0.01}), POST advance ({"seconds": 5}), \
            pause ({"what": "trading", "exchange_index": 0}; none resumes), \
            markets/TICKER/pause, resume, close, determine and settle ({"result": "yes"}), \
            deposit ({"key": KEYID, "dollars": "100"}), disconnect, and \
            world ({"activity": 2, "changes_per_second": 100}).

            A configuration is a JSON5 file: {port: 8443, tier: "prime", accounts: {KEYID: "PUBLIC.pem"}, \
            faults: {latency_ms: 20}, rules: {refuse_replay: true}}.

            Faults: \(Faults.names.joined(separator: ", ")).
            Rules: \(SandboxRules.names.joined(separator: ", ")).
            """
        command.flags = [
            config, port, plain, account, balance, seed, tier, markets, activity, changes, tape, speed,
            paused, fault,
            rule,
        ]
        command.examples = [
            ("martlet sandbox", "an exchange with one account, and what to type to use it"),
            (
                "martlet sandbox --port 8443 --account my-key=public.pem --tier prime --json",
                "for scripts: one line when ready"
            ),
            ("martlet sandbox --paused --plain --seed 7", "tests step its clock"),
        ]
        command.subcommands = [keys()]
        command.run = { invocation, terminal in try run(invocation, terminal) }
        return command
    }

    // MARK: Settings

    private static func settings(_ invocation: Invocation) throws -> SandboxSettings {
        var settings = SandboxSettings()
        if let path = invocation[config] { try SandboxConfiguration.load(path, into: &settings) }
        if let value = invocation[port] { settings.port = value }
        if invocation[plain] { settings.isPlain = true }
        if let value = invocation[balance] { settings.balanceDollars = value }
        if let value = invocation[seed] { settings.seed = value }
        if let value = invocation[tier] { settings.tier = value }
        if let value = invocation[markets] { settings.world.markets = value }
        if let value = invocation[activity] { settings.world.activity = value }
        if let value = invocation[changes] { settings.world.changesPerSecond = value }
        if let file = invocation[tape] { settings.world.tape = file }
        if let value = invocation[speed] { settings.world.speed = value }
        if invocation[paused] { settings.isPaused = true }
        for entry in invocation[account] {
            settings.accounts.append(try account(entry.path, entry.value, at: "--account \(entry.path)"))
        }
        for entry in invocation[fault] {
            do throws(Faults.Problem) {
                try settings.faults.set(entry.path, to: entry.value)
            } catch {
                throw CommandError.usage("--fault: \(error)")
            }
        }
        for entry in invocation[rule] {
            if let problem = SandboxRules.set(entry.path, to: entry.value, &settings.rules) {
                throw CommandError.usage("--rule: \(problem)")
            }
        }
        return settings
    }

    /// An account with its public key read; `place` is where it was asked for, for the message.
    static func account(_ keyID: String, _ file: String, at place: String) throws(CommandError)
        -> SandboxSettings.Account
    {
        guard let pem = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw .usage("\(place): '\(file)' cannot be read; make keys with 'martlet sandbox keys'")
        }
        return .init(keyID: keyID, publicKeyPEM: pem)
    }

    // MARK: Running

    private static func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        var settings = try settings(invocation)
        let throwAway = settings.accounts.isEmpty ? try ThrowAwayKey() : nil
        defer { throwAway?.remove() }
        if let throwAway {
            settings.accounts = [.init(keyID: throwAway.keyID, publicKeyPEM: throwAway.publicPEM)]
        }
        Interrupt.install()
        // Sockets of either kind never take all that the process may open: a newcomer then finds room.
        let half = max(FileDescriptors.allowAll() / 2 - 64, 16)
        settings.connectionsMax = min(settings.connectionsMax, half)
        settings.sessionsMax = min(settings.sessionsMax, half)
        let loop = try EventLoop()
        let server: SandboxServer
        do {
            server = try SandboxServer(settings, loop: loop)
        } catch let error as SandboxError {
            throw CommandError(error.description)
        }
        defer { server.close() }
        if invocation.isJSON {
            try terminal.line(ready(server, throwAway).text)
        } else {
            try terminal.write(welcome(server, settings, throwAway))
        }
        try terminal.flush()
        let status = StatusLine(terminal)
        while !Interrupt.isRequested {
            try loop.runOnce(timeout: Nanoseconds.milliseconds(200))
            status.show(server.statusLine)
        }
        status.clear()
        server.close()
        // Close frames and last answers leave.
        try loop.runOnce(timeout: Nanoseconds.milliseconds(50))
        // Both signals are how it is meant to end.
        return .success
    }

    private static func ready(_ server: SandboxServer, _ key: ThrowAwayKey?) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("ready", .bool(true)), ("rest", .string(server.restURL)),
            ("websocket", .string(server.webSocketURL)),
        ]
        if let file = server.authorityFile { members.append(("ca", .string(file))) }
        members.append(("markets", .array(server.quotedMarkets.map { .string($0) })))
        members.append(("port", .integer(server.port)))
        members.append(("control", .string(server.controlURL)))
        members.append(("control_token", .string(server.controlToken)))
        if let key {
            members.append(("key_id", .string(key.keyID)))
            members.append(("private_key", .string(key.file)))
        }
        members.append(("pid", .integer(ProcessInfo.processInfo.processIdentifier)))
        return .fields(members)
    }

    private static func welcome(_ server: SandboxServer, _ settings: SandboxSettings, _ key: ThrowAwayKey?)
        -> String
    {
        let keyID = settings.accounts[0].keyID
        let keyFile = key?.file ?? "PRIVATE.pem"
        let market = server.quotedMarkets.first ?? "TICKER"
        let trust = server.authorityFile.map { "--cacert \($0) " } ?? ""
        let trustLine = server.authorityFile.map { "\n    configuration.ssl_ca_cert = \"\($0)\"" } ?? ""
        var rows = [
            ("REST", server.restURL), ("WebSocket", server.webSocketURL), ("API key id", keyID),
            ("private key", key == nil ? "yours, of the public key given" : keyFile),
        ]
        if let file = server.authorityFile { rows.append(("CA file", file)) }
        rows.append(("control", "\(server.controlURL) with 'Sandbox-Token: \(server.controlToken)'"))
        rows.append(("markets", "\(server.quotedMarkets.count) open, such as \(market)"))
        return """
            The sandbox exchange is ready. Ctrl-C ends it.

            \(HelpText.table(rows, indent: 2))

            Try
              curl \(trust)\(server.restURL)/markets/\(market)/orderbook

            The official Python SDK (pip install kalshi_python_sync)
                from kalshi_python_sync import Configuration, KalshiClient
                configuration = Configuration(host="\(server.restURL)")\(trustLine)
                configuration.api_key_id = "\(keyID)"
                configuration.private_key_pem = open("\(keyFile)").read()
                print(KalshiClient(configuration).get_balance())


            """
    }

    // MARK: Keys

    static let keyType = ValueFlag("type", .choice("TYPE", ["ed25519", "rsa"]), "the kind of key (ed25519)")

    private static func keys() -> Command {
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

/// The account of a sandbox that was given none: a key in a folder of its own, gone at the end.
private final class ThrowAwayKey {
    let keyID = "sandbox-key"
    let publicPEM: String
    let file: String
    private let folder: String

    init() throws {
        let key = try PrivateKey.generate(.ed25519)
        publicPEM = key.publicKey.pem()
        folder = try TemporaryFolder.make("martlet-sandbox-key")
        file = folder + "/private.pem"
        try NewFile.write(try key.pem(), to: file, mode: 0o600)
    }
    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

/// What the sandbox does now, on one line that is written over.
private final class StatusLine {
    private let terminal: Terminal
    private var nextDraw = Progress.monotonicSeconds() + 1
    private var isDrawn = false

    init(_ terminal: Terminal) { self.terminal = terminal }

    func show(_ text: @autoclosure () -> String) {
        guard terminal.isInteractive, !terminal.isQuiet else { return }
        let now = Progress.monotonicSeconds()
        guard now >= nextDraw else { return }
        nextDraw = now + 1
        isDrawn = true
        terminal.raw("\r\u{1B}[K" + String(text().prefix(max(10, terminal.columns - 1))))
    }
    func clear() {
        if isDrawn { terminal.raw("\r\u{1B}[K") }
    }
}
