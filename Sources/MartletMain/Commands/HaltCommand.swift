import Foundation
import Martlet
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletWire

/// `martlet halt` and `martlet guard`: what stops a session from outside.
enum HaltCommand {
    static let reason = ValueFlag("reason", .text("TEXT"), "why, for the log")
    static let resume = Switch("resume", "trade again after a halt")
    static let reduceOnly = Switch("reduce-only", "only orders that bring positions nearer to zero")
    static let status = Switch("status", "only show how the session stands")
    static let everything = Switch(
        "everything", "cancel all orders of the account, other programs' too, and those of the next minute")
    static let tighten = ListFlag(
        "tighten", .assignment("LIMIT=VALUE"), "a stricter limit of the account, such as maxOrderSize=5")

    static func command() -> Command {
        var command = Command(
            name: "halt", summary: "stop a running session: cancel everything and confirm it")
        command.discussion = """
            Speaks to the session of the folder, or to the one that runs. When it does not answer within two seconds, \
            or is dead, its orders are taken off the exchange from here: its order groups are triggered, what rests is \
            cancelled by id, and the exchange is asked until it lists none of it. Exit code 0: nothing rests.

            A halt outlives its session: the next one of the same configuration on the same account starts halted, until \
            --resume here or 'martlet live --resume'.
            """
        command.operands = [.init("SESSION", .optional, "the session's folder (the newest under Sessions)")]
        command.flags = [reason, status, reduceOnly, resume, tighten, everything]
        command.examples = [
            ("martlet halt", "stop what runs"), ("martlet halt --status --json", "how it stands"),
            ("martlet halt --tighten maxOrderSize=5", "smaller orders from now on; looser needs a restart"),
        ]
        command.run = { try run($0, $1) }
        return command
    }

    private static func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        let folder = try folder(invocation.operands.first)
        let identity: SessionIdentity
        do {
            identity = try SessionIdentity(folder: folder)
        } catch {
            throw CommandError.usage("'\(folder.path)' holds no session: name a session's folder")
        }
        let door = identity.isRunning ? SessionDoor(identity) : nil
        if invocation[status] {
            guard let door, let text = door.status() else {
                throw CommandError("the session \(identity.session) does not answer")
            }
            try terminal.line(text)
            return .success
        }
        let changes = invocation[tighten]
        if invocation[resume], !identity.isRunning {
            return try forget(identity, folder, invocation, terminal)
        }
        if invocation[resume] || invocation[reduceOnly] || !changes.isEmpty {
            guard let door else { throw CommandError("the session \(identity.session) does not run") }
            let (path, body) =
                !changes.isEmpty
                ? ("/tighten", try tightened(changes))
                : (invocation[resume] ? "/resume" : "/reduce-only", reasonBody(invocation))
            try door.post(path, body)
            try terminal.line(
                invocation.isJSON ? "{\"accepted\":true}" : "accepted by session \(identity.session)")
            return .success
        }
        if !invocation[everything], let door, let outcome = try halt(door, invocation) {
            try put(outcome, identity, invocation, terminal)
            return .success
        }
        if identity.isRunning { hold(identity, folder, invocation, terminal) }
        return try sweep(identity, invocation, terminal)
    }

    /// A session that runs and does not hear is ended by its guard and may be started anew: that one is to know.
    private static func hold(
        _ identity: SessionIdentity, _ folder: SessionFolder, _ invocation: Invocation, _ terminal: Terminal
    ) {
        var held = identity
        held.hold = .init(.halted, reason: invocation[reason] ?? "the operator asked for it")
        do {
            try held.write(to: folder)
        } catch {
            terminal.note("a later session will not know of this halt: \(error)")
        }
    }

    /// `--resume` on a session that has ended: the next one trades.
    private static func forget(
        _ identity: SessionIdentity, _ folder: SessionFolder, _ invocation: Invocation, _ terminal: Terminal
    ) throws -> ExitCode {
        guard identity.hold != nil else {
            throw CommandError("the session \(identity.session) does not run, and was not halted")
        }
        var free = identity
        free.hold = nil
        do {
            try free.write(to: folder)
        } catch {
            throw CommandError("'\(folder.identity)' cannot be written: \(error)")
        }
        try terminal.line(
            invocation.isJSON
                ? "{\"accepted\":true}"
                : "session \(identity.session) has ended; the next one is not halted from the start")
        return .success
    }

    private static func reasonBody(_ invocation: Invocation) -> JSONValue {
        .fields([("reason", .string(invocation[reason] ?? "the operator asked for it"))])
    }
    private static func tightened(_ changes: [Assignment]) throws -> JSONValue {
        let members = try changes.map { change -> (String, JSONValue) in
            guard let value = try? JSONParser.parse(Array(change.value.utf8)) else {
                throw CommandError.usage(
                    "--tighten \(change.path)=\(change.value): '\(change.value)' is no number")
            }
            return (change.path, value)
        }
        return .fields([("account", .fields(members))])
    }

    /// The session named, or the newest under `Sessions`.
    private static func folder(_ path: String?) throws -> SessionFolder {
        if let path { return SessionFolder(path) }
        let base = LiveSettings().folder
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).map {
            "\(base)/\($0)"
        }
        let known = names.compactMap { path -> (path: String, identity: SessionIdentity)? in
            (try? SessionIdentity(folder: SessionFolder(path))).map { (path, $0) }
        }
        let newest =
            known.filter(\.identity.isRunning).max { $0.identity.started < $1.identity.started }
            ?? known.max { $0.identity.started < $1.identity.started }
        guard let newest else { throw CommandError.usage("no session under '\(base)': name its folder") }
        return SessionFolder(newest.path)
    }

    /// Asks the session itself; nil when it does not answer or does not get there.
    private static func halt(_ door: SessionDoor, _ invocation: Invocation) throws -> Int? {
        do {
            try door.post("/halt", reasonBody(invocation))
        } catch {
            return nil
        }
        let deadline = Clocks.monotonic() + Nanoseconds.seconds(10)
        var (told, since) = (Int64(0), Clocks.monotonic())
        while Clocks.monotonic() < deadline {
            guard let text = door.status(), let state = try? JSONParser.parse(Array(text.utf8)) else {
                return nil
            }
            // Its door has a thread of its own: what it shows may stand still because the session does.
            if let time = state["time"]?.int64, time != told { (told, since) = (time, Clocks.monotonic()) }
            if Clocks.monotonic() - since > Nanoseconds.seconds(2) { return nil }
            let open = state["openOrders"]?.int64 ?? 1
            if state["risk"]?.string == "halted", open == 0, state["unknownOrders"]?.int64 == 0 { return 0 }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return nil
    }

    private static func put(
        _ cancelled: Int, _ identity: SessionIdentity, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            try terminal.line(
                JSONValue.fields([("confirmed", .bool(true)), ("session", .string(identity.session))]).text)
        } else {
            try terminal.line("halted: session \(identity.session) has no open order")
        }
    }

    private static func sweep(
        _ identity: SessionIdentity, _ invocation: Invocation, _ terminal: Terminal
    ) throws -> ExitCode {
        if identity.mode != "live" { throw CommandError("a paper session has no orders at the exchange") }
        terminal.note("the session does not answer: its orders are taken off from here")
        let client = try SessionDoor.client(identity)
        let (nonce, groups, all) = (identity.nonceValue, identity.groups, invocation[everything])
        let outcome = try AsyncWork.run {
            await SessionSweep(client, nonce: nonce, groups: groups).run(everything: all)
        }
        if invocation.isJSON {
            try terminal.line(
                JSONValue.fields([
                    ("confirmed", .bool(outcome.isConfirmed)), ("session", .string(identity.session)),
                    ("cancelled", .integer(outcome.cancelled)),
                    ("groups_triggered", .integer(outcome.groupsTriggered)),
                    ("left", .array(outcome.left.map { .string($0) })),
                    ("problems", .array(outcome.problems.map { .string($0) })),
                ]).text)
        }
        guard outcome.isConfirmed else {
            throw CommandError(
                "\(outcome.left.count) orders still rest, such as \(outcome.left.first ?? "unknown"): "
                    + (outcome.problems.last ?? "the exchange still lists them"))
        }
        if !invocation.isJSON {
            try terminal.line(
                "nothing rests: \(outcome.groupsTriggered) order groups triggered, \(outcome.cancelled) orders cancelled by id"
            )
        }
        return .success
    }

    // MARK: - The guard

    static func guardCommand() -> Command {
        var command = Command(
            name: "guard", summary: "watch over a session from outside it (started by 'martlet live')")
        command.discussion = """
            Started by a live session before its first order, as a process of its own. It feels the session's pulse on \
            its standard input; when that stops, it ends the session's process, triggers its order groups, cancels what \
            rests by id, and asks the exchange until it lists none of it. It signs for itself and reads the same key.
            """
        command.operands = [.init("SESSION", .one, "the session's folder")]
        command.run = { invocation, terminal in
            let folder = SessionFolder(invocation.operands[0])
            return try GuardRun(folder).run()
        }
        return command
    }
}

/// The guard process.
private struct GuardRun {
    let folder: SessionFolder
    let identity: SessionIdentity
    let client: KalshiClient

    init(_ folder: SessionFolder) throws {
        self.folder = folder
        identity = try SessionIdentity(folder: folder)
        client = try SessionDoor.client(identity)
    }

    func run() throws -> ExitCode {
        // A terminal's Ctrl-C and a supervisor's SIGTERM are for the session: the guard outlives it.
        signal(SIGINT, SIG_IGN)
        signal(SIGTERM, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let settings = (try? GuardSettings(folder: folder)) ?? GuardSettings(LiveSettings())
        let alerts = try? AlertSender(settings.alerts, session: identity.session)
        let verdict = GuardWatch.wait(timeout: settings.timeout)
        guard verdict != .dismissed else { return .success }
        if verdict == .stuck { kill(identity.pid, SIGKILL) }
        let fate = verdict == .stuck ? "stopped answering and was ended" : "is dead"
        note("the session \(fate): cancelling what rests")
        // Who died cannot tell.
        tell(alerts, "the session \(fate): cancelling what rests")
        let sweep = SessionSweep(client, nonce: identity.nonceValue, groups: identity.groups)
        let outcome = try clear(sweep)
        let end =
            outcome.isConfirmed
            ? "nothing rests: \(outcome.groupsTriggered) groups triggered, \(outcome.cancelled) orders cancelled"
            : "it is not confirmed that nothing rests: \(outcome.left.count) orders were still listed"
                + (outcome.left.isEmpty ? "" : ", \(outcome.left.joined(separator: ", "))")
        note(end)
        tell(alerts, "the session \(fate); \(end)")
        alerts?.drain(seconds: 60)
        return outcome.isConfirmed ? .success : .failure
    }

    private func tell(_ alerts: AlertSender?, _ text: String) {
        alerts?.send(
            .init(kind: "guard", level: .error, text: text, time: Timestamp(nanoseconds: Clocks.wall())))
    }

    /// Sweeps until the exchange says that nothing rests. What ended the session may have ended the line as well, so
    /// it is tried for long; an exchange on this machine has more likely gone with it.
    private func clear(_ sweep: SessionSweep) throws -> SessionSweep.Outcome {
        let isOfThisMachine = client.environment.endpoint.host.hasPrefix("127.")
        let end = Clocks.monotonic() + Nanoseconds.seconds(isOfThisMachine ? 15 : 3600)
        var pause = 1.0
        while true {
            let outcome = try AsyncWork.run { await sweep.run() }
            for problem in outcome.problems.suffix(5) { note(problem) }
            if outcome.isConfirmed || Clocks.monotonic() > end { return outcome }
            note("not confirmed yet: \(outcome.left.count) orders are listed")
            Thread.sleep(forTimeInterval: pause)
            pause = min(pause * 2, 30)
        }
    }

    private func note(_ text: String) {
        let line = "\(Timestamp(nanoseconds: Clocks.wall())) \(text)\n"
        let file = open(folder.path + "/guard.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let bytes = Array(line.utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}

/// The way to a running session, and to its exchange when it does not answer.
struct SessionDoor {
    private let identity: SessionIdentity
    private let port: Int
    private let client: AsyncHTTPClient

    /// Nil for a session without a control server.
    init?(_ identity: SessionIdentity) {
        guard let port = identity.port, let client = try? AsyncHTTPClient(tls: nil) else { return nil }
        self.identity = identity
        self.port = port
        self.client = client
    }

    func status() -> String? { try? send("GET", "/status", nil) }
    func post(_ path: String, _ body: JSONValue) throws { _ = try send("POST", path, body) }

    private func send(_ method: String, _ path: String, _ body: JSONValue?) throws -> String {
        guard let url = HTTPURL("http://127.0.0.1:\(port)\(path)") else { throw CommandError("no address") }
        let headers: HTTPHeaders = [
            SessionControl.tokenHeader: identity.token, "Content-Type": "application/json",
        ]
        let request = HTTPRequest(
            method, url, headers: headers, body: body.map { Array(JSONWriter.text($0).utf8) } ?? [])
        let client = client
        let answer: HTTPResponse
        do {
            answer = try AsyncWork.run { try await client.send(request, timeout: Nanoseconds.seconds(2)) }
        } catch {
            throw CommandError("the session \(identity.session) does not answer: \(error)")
        }
        let text = String(decoding: answer.body, as: UTF8.self)
        guard (200..<300).contains(answer.status) else {
            throw CommandError(
                "the session refused (\(answer.status)): \(text.trimmingCharacters(in: .newlines))")
        }
        return text
    }

    /// A client of the session's exchange, with the session's own key.
    static func client(_ identity: SessionIdentity) throws -> KalshiClient {
        do {
            let environment = try ExchangeEnvironment(identity.environment)
            let credentials = try Credentials(
                keyID: identity.keyID, file: identity.keyFile,
                passphrase: identity.passphraseFile.map { .file($0) } ?? .none)
            let tls = try TLSContext(clientTrusting: identity.authorityFile.map { .file($0) } ?? .system)
            var settings = ClientSettings()
            settings.timeout = Nanoseconds.seconds(3)
            settings.attempts = 3
            return try KalshiClient(
                environment, signer: RequestSigner(credentials), tls: tls, settings: settings)
        } catch {
            throw CommandError("the session's exchange cannot be reached: \(error)")
        }
    }
}
