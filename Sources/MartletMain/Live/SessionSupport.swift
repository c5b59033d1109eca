import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import Synchronization

/// What stands beside a session: its identity on disk, its door, its guard, its alerts.
final class SessionSupport {
    private(set) var identity: SessionIdentity
    private let setup: SessionSetup
    private let log: SessionLog
    private var control: SessionControl?
    private var guardian: GuardProcess?
    private var alerts: AlertSender?
    private let encoder = JSONEncoder()
    private var lostSince: [Int: Timestamp] = [:]
    private var toldLost: Set<Int> = []
    private var summaryDue: Timestamp = .distantFuture
    private var isGuardTold = false
    /// The next halt is for what every start looks at anew: it does not outlive the session.
    private var isPassingHalt = false

    init(_ setup: SessionSetup, _ log: SessionLog, nonce: UInt64, started: Timestamp) throws {
        self.setup = setup
        self.log = log
        let token = (0..<16).map { _ in String(Int.random(in: 0...255) | 0x100, radix: 16).suffix(2) }
            .joined()
        identity = SessionIdentity(
            session: (setup.folder.path as NSString).lastPathComponent, mode: setup.mode.rawValue,
            pid: getpid(),
            environment: setup.files.environment, keyID: setup.signer.credentials.keyID,
            keyFile: setup.files.key, passphraseFile: setup.files.passphrase,
            authorityFile: setup.files.authority, nonce: nonce, token: token, started: started.nanoseconds)
    }

    /// Before the first order: the identity is on disk, the guard stands, the door is open.
    func start(
        _ loop: EventLoop, groups: [SessionIdentity.Group], command: @escaping (OperatorCommand) -> Void
    ) throws {
        identity.groups = groups
        let settings = setup.settings
        if settings.dashboard {
            let handOver = LoopReturn(command)
            do {
                let control = try SessionControl(port: settings.dashboardPort, token: identity.token) {
                    asked in
                    loop.execute { handOver.body(asked) }
                }
                self.control = control
                identity.port = control.port
            } catch {
                throw CommandError(
                    "the dashboard cannot be opened: \(error); set 'live.dashboardPort' to another")
            }
        }
        try write()
        if settings.guardProcess, setup.mode == .live {
            do {
                guardian = try GuardProcess(program: setup.files.program, folder: setup.folder)
            } catch {
                throw CommandError("\(error)")
            }
        }
        do {
            alerts = try AlertSender(
                settings.alerts, session: identity.session)
        } catch {
            throw CommandError("\(error)")
        }
        scheduleSummary(Timestamp(nanoseconds: Clocks.wall()))
    }

    private func write() throws {
        do {
            try identity.write(to: setup.folder)
        } catch {
            throw CommandError(FileProblem.writing(setup.folder.identity, error))
        }
    }

    /// Where a browser finds the dashboard. Its token is for people at a terminal: what others read, such as the
    /// system's journal, names the file that has it, which only its owner can read.
    func tellAddress(_ terminal: Terminal) {
        guard let control else { return }
        let address = "http://127.0.0.1:\(control.port)/#\(identity.token)"
        let path = setup.folder.path + "/dashboard.txt"
        let isWritten = FileManager.default.createFile(
            atPath: path, contents: Data((address + "\n").utf8), attributes: [.posixPermissions: 0o600])
        if terminal.isInteractive {
            terminal.note("dashboard: \(address)")
        } else if isWritten {
            terminal.note("dashboard: the address stands in \(path)")
        }
    }

    // MARK: - While it runs

    /// The loop is alive. Ten times a second.
    func pulse() {
        guard let guardian, !guardian.pulse(), !isGuardTold else { return }
        isGuardTold = true
        log.note("the guard is gone: nothing cancels our orders if this process dies", level: .error)
    }

    func publish(_ status: StatusSnapshot) {
        if let control, let json = try? encoder.encode(status) { control.publish(Array(json), status) }
        let now = Timestamp(nanoseconds: status.time)
        watchConnections(now)
        if now >= summaryDue {
            scheduleSummary(now)
            tell("summary", .info, SessionScreen.summary(status), at: now)
        }
    }

    private func scheduleSummary(_ now: Timestamp) {
        let hour = setup.settings.alerts.summaryHour
        guard setup.settings.alerts.dailySummary else { return }
        let day: Int64 = 86_400
        var next = Timestamp(seconds: now.seconds / day * day + Int64(min(hour, 23)) * 3600)
        while next <= now { next = next + .hours(24) }
        summaryDue = next
    }

    // MARK: - What outlives the session

    /// From now on, and after a crash and a new start, until it is taken back.
    func keep(_ hold: SessionIdentity.Hold?) {
        if hold?.state == .reduceOnly, identity.hold?.state == .halted { return }
        guard identity.hold != hold else { return }
        identity.hold = hold
        if hold == nil { isPassingHalt = false }
        do {
            try write()
        } catch {
            log.note("a later session will not know of this halt: \(error)", level: .error)
        }
    }

    private func keepHalt(_ reason: String) {
        defer { isPassingHalt = false }
        if isPassingHalt || identity.hold?.state == .halted { return }
        keep(.init(.halted, reason: reason))
    }

    /// What a session says, where it is worth an alert.
    func heard(_ event: SessionEvent, at time: Timestamp) {
        switch event {
        case .halted(let reason): keepHalt(reason)
        case .silent, .journalFull: isPassingHalt = true
        default: break
        }
        switch event {
        case .connected(let number):
            lostSince[number] = nil
            if toldLost.remove(number) != nil { tell("connected", .info, event.text, at: time) }
        case .disconnected(let number, _): if lostSince[number] == nil { lostSince[number] = time }
        case .halted, .limit, .difference, .unknownOrder, .groupTriggered, .silent, .journalFull,
            .exchangePaused, .exchangeResumed:
            tell(event.name, event.level, event.text, at: time)
        case .refused, .agreed, .resolved, .stranger, .remark: break
        }
    }

    private func watchConnections(_ now: Timestamp) {
        for (number, since) in lostSince where now - since >= setup.settings.alerts.disconnected {
            guard toldLost.insert(number).inserted else { continue }
            tell(
                "disconnected", .error,
                "connection \(number) has been lost for \(Int((now - since).seconds)) s", at: now)
        }
    }

    func tell(_ kind: String, _ level: LogLevel, _ text: String, at time: Timestamp) {
        alerts?.send(.init(kind: kind, level: level, text: text, time: time))
    }

    // MARK: - The end

    func finish() {
        identity.ended = Clocks.wall()
        do {
            try write()
        } catch {
            log.note("the session's end is not written down: \(error)", level: .warning)
        }
        guardian?.dismiss()
        guardian = nil
        control?.close()
        control = nil
        alerts?.drain(seconds: SessionSupport.lastAlerts)
    }
    /// How long the end waits for alerts that are on their way.
    private static let lastAlerts = 5.0
}
