import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletReport
import MartletSimulation
import MartletTape
import MartletWire

/// What a session is: a plan, an exchange, and whether its orders are real.
struct SessionSetup {
    enum Mode: String {
        case paper, live
        var facts: RunFacts.Mode { self == .paper ? .paper : .live }
    }

    var mode: Mode
    var plan: BacktestPlan
    var environment: ExchangeEnvironment
    var signer: RequestSigner
    var tls: TLSContext
    /// The session's own folder.
    var folder: SessionFolder
    /// Where what was given lies: for the guard, and for `martlet halt`.
    var files: Files
    /// The exchange is our own, on this machine.
    var isDemo = false
    /// Trades although an earlier session was halted.
    var resumes = false
    /// Nanoseconds since 1970. Tests let a quarter of an hour pass at once.
    var clock: @Sendable () -> Int64 = { Clocks.wall() }

    struct Files {
        /// As `--environment` takes it.
        var environment: String
        var key: String
        var passphrase: String?
        var authority: String?
        /// This program.
        var program = "/proc/self/exe"
    }

    var settings: LiveSettings { plan.configuration.live }

    /// `Sessions/maker-20261123T090000Z`; the log makes it, under another name where it is taken.
    static func folder(of plan: BacktestPlan, at time: Timestamp) -> SessionFolder {
        let stamp = "\(time)".prefix(19).filter { $0 != "-" && $0 != ":" }
        // Like a backtest's report: where the command runs, wherever its configuration lies.
        let base = plan.configuration.live.folder
        return SessionFolder("\(base)/\(plan.name)-\(stamp)Z")
    }

    /// Who runs with what, for the journal.
    func journalHeader(_ trading: TradingSettings, _ started: Timestamp) throws -> JournalHeader {
        JournalHeader(
            session: (folder.path as NSString).lastPathComponent, mode: mode.rawValue,
            environment: "\(environment)", started: started.nanoseconds, program: JournalIdentity.program,
            machine: JournalIdentity.machine,
            seats: plan.strategies.map { strategy in
                let members = strategy.parameters.map { "\(JSONWriter.quoted($0.name)):\($0.value)" }
                return JournalHeader.Seat(
                    name: strategy.name, strategy: strategy.entry.name,
                    parameters: "{\(members.joined(separator: ","))}", markets: strategy.markets.patterns)
            }, trading: String(decoding: try JSONEncoder().encode(trading), as: UTF8.self))
    }

    /// The engine's settings: live, all money is what the exchange says; on paper, cash that the configuration gives
    /// no shard stands in equal parts on those that the session's markets are on, for it counts only where it is.
    func trading(on markets: [Market]) -> TradingSettings {
        var trading = plan.configuration.trading
        switch mode {
        case .live:
            trading.startingCash = .zero
            trading.startingCashOnShards = []
        case .paper:
            let shards = Set(markets.map(\.shard)).sorted()
            guard trading.startingCashOnShards.isEmpty, !shards.isEmpty, shards != [0] else { break }
            let part = Money(raw: trading.startingCash.raw / Int64(shards.count))
            let rest = trading.startingCash - Money(raw: part.raw * Int64(shards.count))
            trading.startingCash = rest
            trading.startingCashOnShards = shards.map { ShardCash(shard: $0, cash: part) }
        }
        return trading
    }
}
