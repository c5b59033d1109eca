import Martlet
import MartletEngine
import MartletLive
import MartletNetwork

// What the operator asks for, now or in an earlier session.
extension SessionRun {
    /// An earlier session's halt that nobody has taken back; nil where there is none, or it is to count no more.
    var hold: SessionIdentity.Hold? {
        setup.mode == .live && !setup.resumes ? earlier.hold : nil
    }

    /// Before the first order can leave: a crash, or a supervisor's new start, is no resume.
    func inherit(_ hold: SessionIdentity.Hold, _ session: TradingSession) {
        support?.keep(hold)
        let reason = "an earlier session was: \(hold.reason); 'martlet halt --resume' trades again"
        switch hold.state {
        case .halted: session.take(.command(.halt(reason: reason)), at: session.now)
        case .reduceOnly: session.take(.command(.reduceOnly(reason: reason)), at: session.now)
        }
    }

    /// What the operator asks for, on the dashboard or with `martlet halt`.
    func obey(_ command: OperatorCommand) {
        guard let session else { return }
        log.note("the operator: \(SessionRun.text(command))", level: .warning)
        commandsHeard += 1
        switch command {
        case .halt(let reason): support?.keep(.init(.halted, reason: reason))
        case .reduceOnly(let reason): support?.keep(.init(.reduceOnly, reason: reason))
        case .resume: return resume(session)
        case .tighten, .carry: break
        }
        session.take(.command(command), at: session.now)
    }

    private static func text(_ command: OperatorCommand) -> String {
        switch command {
        case .halt(let reason): "halt, \(reason)"
        case .reduceOnly(let reason): "reduce only, \(reason)"
        case .resume: "resume"
        case .tighten(let account, let strategies):
            "tighten "
                + [("account", account), ("strategies", strategies)].compactMap { name, limits in
                    limits.map { "\(name): \(LimitChanges.text($0))" }
                }.joined(separator: "; ")
        case .carry(let profit, _): "\(profit.display) realised before"
        }
    }

    /// A group that has reached its limit takes orders again only after a reset.
    private func resume(_ session: TradingSession) {
        let (client, loop, groups) = (client, loop, support?.identity.groups ?? [])
        let (log, number) = (log, commandsHeard)
        let handBack = LoopReturn { [weak self, weak session] (problem: String?) in
            guard let self, let session else { return }
            // Whatever was asked for since stands.
            guard number == commandsHeard else { return }
            if let problem {
                return log.note("not resumed: the order groups cannot be reset: \(problem)", level: .error)
            }
            support?.keep(nil)
            session.take(.command(.resume), at: session.now)
        }
        guard !groups.isEmpty else { return handBack.body(nil) }
        Task {
            var problem: String?
            do {
                try await LiveDriver.resetGroups(client, groups)
            } catch {
                problem = "\(error)"
            }
            loop.execute { [problem] in handBack.body(problem) }
        }
    }
}
