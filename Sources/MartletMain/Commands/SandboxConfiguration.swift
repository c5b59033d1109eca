import MartletEngine
import MartletSandbox

/// A sandbox's configuration file: what the flags say, and accounts, faults and rules by name.
///
///     { port: 8443, tier: "prime", accounts: { alice: "alice-public.pem" }, faults: { latency_ms: 20 } }
///
/// Flags of the command line win over it.
struct SandboxConfiguration: Codable, Hashable, Sendable {
    var port = 0
    var plain = false
    var balance = 10_000
    var seed: UInt64 = 1
    var tier = "advanced"
    var markets = 24
    var activity = 1.0
    var changes = 0.0
    var tape = ""
    var speed = 1.0
    var paused = false

    /// Keys beside those above: objects whose members are names.
    private static let tables = ["accounts", "faults", "rules"]

    /// Reads a file into settings. Files that it names lie beside it.
    static func load(_ path: String, into settings: inout SandboxSettings) throws(CommandError) {
        var (root, _) = try ConfigurationReader.load(path)
        let reader = ConfigurationReader(file: path)
        guard case .object = root.value else {
            throw .usage(
                "\(reader.location(root.origin)): a configuration is an object { … }, not \(root.kind)")
        }
        var named: [String: ConfigurationNode.Member] = [:]
        for table in tables { named[table] = root.remove(table) }
        let values: SandboxConfiguration = try reader.decode(
            root, over: SandboxConfiguration(), knownBeside: tables)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        func beside(_ file: String) -> String { file.hasPrefix("/") ? file : folder + file }
        try values.check(root, reader)
        settings.port = values.port
        settings.isPlain = values.plain
        settings.balanceDollars = values.balance
        settings.seed = values.seed
        settings.tier = values.tier
        settings.world.markets = values.markets
        settings.world.activity = values.activity
        settings.world.changesPerSecond = values.changes
        settings.world.tape = values.tape.isEmpty ? nil : beside(values.tape)
        settings.world.speed = values.speed
        settings.isPaused = values.paused
        for entry in try entries(named["accounts"], reader) {
            settings.accounts.append(
                try SandboxCommand.account(entry.name, beside(entry.text), at: reader.location(entry.origin)))
        }
        for entry in try entries(named["faults"], reader) {
            do throws(Faults.Problem) {
                try settings.faults.set(entry.name, to: entry.text)
            } catch {
                throw .usage("\(reader.location(entry.origin)): \(error)")
            }
        }
        for entry in try entries(named["rules"], reader) {
            if let problem = SandboxRules.set(entry.name, to: entry.text, &settings.rules) {
                throw .usage("\(reader.location(entry.origin)): \(problem)")
            }
        }
    }

    /// The ranges that the flags have.
    private func check(_ root: ConfigurationNode, _ reader: ConfigurationReader) throws(CommandError) {
        func need(_ isRight: Bool, _ key: String, _ range: String) throws(CommandError) {
            guard !isRight else { return }
            throw .usage("\(reader.location(root[key]?.origin ?? root.origin)): '\(key)' must be \(range)")
        }
        try need(port <= 65_535, "port", "from 0 to 65535")
        try need(balance <= 1_000_000_000, "balance", "at most 1000000000")
        let tiers = RateLimits.tiers.map(\.tier) + ["unlimited"]
        try need(tiers.contains(tier), "tier", "one of \(tiers.joined(separator: ", "))")
        try need((1...5000).contains(markets), "markets", "from 1 to 5000")
        try need(activity <= 1000, "activity", "at most 1000")
        try need(changes <= 1_000_000, "changes", "at most 1000000")
        try need((0.001...100_000).contains(speed), "speed", "from 0.001 to 100000")
    }

    private static func entries(
        _ member: ConfigurationNode.Member?, _ reader: ConfigurationReader
    ) throws(CommandError) -> [(name: String, text: String, origin: ConfigurationNode.Origin)] {
        guard let member else { return [] }
        guard case .object(let members) = member.value.value else {
            throw .usage(
                "\(reader.location(member.origin)): '\(member.key)' must be an object, not \(member.value.kind)"
            )
        }
        var entries: [(name: String, text: String, origin: ConfigurationNode.Origin)] = []
        for inner in members {
            let text: String
            switch inner.value.value {
            case .number(let number): text = number
            case .string(let string): text = string
            case .bool(let flag): text = "\(flag)"
            case .null, .array, .object:
                throw .usage(
                    "\(reader.location(inner.origin)): '\(member.key).\(inner.key)' must be a number, a text, true "
                        + "or false, not \(inner.value.kind)")
            }
            entries.append((inner.key, text, inner.origin))
        }
        return entries
    }
}
