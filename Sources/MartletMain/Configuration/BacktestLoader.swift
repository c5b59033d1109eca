import Foundation
import Martlet
import MartletEngine
import MartletSimulation

/// From a file and the flags of a command line to a plan, with every mistake named at its place.
package struct BacktestLoader {
    /// A key set from the command line.
    package struct Override {
        /// `trading.strategyLimits.maxOrderSize`, `strategy.size`, `strategies.0.parameters.size`.
        package var path: String
        package var node: ConfigurationNode

        package init(path: String, node: ConfigurationNode) {
            self.path = path
            self.node = node
        }
        /// `--set path=value`: the value is JSON5, or a text where it is not.
        package init(_ assignment: Assignment, flag: String) {
            let origin = ConfigurationNode.Origin.flag("--\(flag) \(assignment.path)=\(assignment.value)")
            path = assignment.path
            if let parsed = try? JSON5Parser.parse(assignment.value) {
                node = ConfigurationNode(parsed.value, origin)
            } else {
                node = ConfigurationNode(.string(assignment.value), origin)
            }
        }
    }

    private let registry: StrategyRegistry
    package init(registry: StrategyRegistry) { self.registry = registry }

    /// The strategy of a run that names none: the sample market maker, or the first there is in a program of
    /// one's own.
    private var sampleStrategy: String {
        let sample = "spread-maker"
        return registry.entry(sample) == nil ? registry.names.first ?? sample : sample
    }

    /// `path` nil: the defaults alone, with the sample strategy on the demonstration day.
    package func load(
        _ path: String?, strategy: String? = nil, overrides: [Override] = []
    ) throws(CommandError) -> BacktestPlan {
        var root = ConfigurationNode(.object([]), .builtIn)
        var text: String?
        if let path { (root, text) = try ConfigurationReader.load(path) }
        let reader = ConfigurationReader(file: path ?? "the defaults")
        guard case .object = root.value else {
            throw .usage(
                "\(reader.location(root.origin)): a configuration is an object { … }, not \(root.kind)")
        }
        try choose(strategy, in: &root, path)
        for override in overrides { try apply(override, to: &root) }

        let name =
            path.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent } ?? "demo"
        let uses = root.remove("strategies")
        var configuration = try decode(root, reader)
        if path == nil, configuration.tapes == ["demo"], configuration.trading.startingCashOnShards.isEmpty {
            // Some of the day's markets are on another shard, and cash counts only where it is.
            configuration.trading.startingCashOnShards = [ShardCash(shard: 2, cash: 5000)]
        }
        let strategies = try self.strategies(uses, reader)
        let folder = path.map { ($0 as NSString).deletingLastPathComponent } ?? ""
        return BacktestPlan(
            name: name, configuration: configuration, strategies: strategies, text: text, folder: folder)
    }

    // MARK: The run

    private func decode(
        _ root: ConfigurationNode, _ reader: ConfigurationReader
    ) throws(CommandError) -> BacktestConfiguration {
        let shard = try ConfigurationReader.tree(of: ShardCash(shard: 0, cash: 0))
        let configuration = try reader.decode(
            root, over: BacktestConfiguration(), elements: ["trading.startingCashOnShards": shard],
            knownBeside: ["strategies"])
        let choices = [
            ("tier", configuration.tier, RateLimits.tiers.map(\.tier) + ["unlimited"]),
            ("latency.model", configuration.latency.model, LatencyConfiguration.models),
            ("exchange.fees", configuration.exchange.fees, ExchangeConfiguration.feeChoices),
            ("exchange.taken", configuration.exchange.taken, TakenRule.allCases.map(\.rawValue)),
            ("exchange.crossing", configuration.exchange.crossing, CrossingRule.allCases.map(\.rawValue)),
        ]
        var checked = choices
        if QueueModel(name: configuration.queue) == nil {
            checked.append(("queue", configuration.queue, QueueModel.names))
        }
        for (key, value, known) in checked where !known.contains(value) {
            var message = "\(reader.location(origin(of: key, in: root))): '\(key)' cannot be \"\(value)\""
            if let nearest = Nearest.match(value, among: known) {
                message += "; did you mean \"\(nearest)\"?"
            } else {
                message += "; it is one of \(known.joined(separator: ", "))"
            }
            throw .usage(message)
        }
        if configuration.tapes.isEmpty {
            throw .usage(
                "\(reader.location(origin(of: "tapes", in: root))): 'tapes' is empty; name a tape or \"demo\""
            )
        }
        if configuration.tapes.contains("") {
            throw .usage(
                "\(reader.location(origin(of: "tapes", in: root))): 'tapes' holds an empty name; name a tape or \"demo\""
            )
        }
        if configuration.sampling > .zero, configuration.sampling < .milliseconds(100) {
            // Also what the run's length decides at the least: finer curves show nothing and take for ever.
            throw .usage(
                "\(reader.location(origin(of: "sampling", in: root))): 'sampling' must be 0, or 0.1 seconds or more"
            )
        }
        try checkShards(configuration.trading, root, reader)
        if configuration.latency.model == "recorded", configuration.latency.file.isEmpty {
            throw .usage(
                "\(reader.location(origin(of: "latency.model", in: root))): a recorded latency needs "
                    + "'latency.file', one number of microseconds a line")
        }
        return configuration
    }

    /// A shard's cash is said once: in `startingCash` for shard 0, here for the others.
    private func checkShards(
        _ trading: TradingSettings, _ root: ConfigurationNode, _ reader: ConfigurationReader
    ) throws(CommandError) {
        let shards = trading.startingCashOnShards
        let path = "trading.startingCashOnShards"
        for (index, entry) in shards.enumerated() {
            let place = reader.location(origin(of: path, in: root))
            if entry.shard == 0 {
                throw .usage("\(place): '\(path)' names shard 0, whose cash is 'trading.startingCash'")
            }
            if shards[..<index].contains(where: { $0.shard == entry.shard }) {
                throw .usage("\(place): '\(path)' names shard \(entry.shard) twice")
            }
        }
    }

    private func origin(of path: String, in root: ConfigurationNode) -> ConfigurationNode.Origin {
        var node = root
        for key in path.split(separator: ".") { node = node[String(key)] ?? node }
        return node.origin
    }

    // MARK: Strategies

    /// `--strategy NAME`: that one of the configuration's, or that one with its defaults.
    private func choose(
        _ name: String?, in root: inout ConfigurationNode, _ path: String?
    ) throws(CommandError) {
        let origin = ConfigurationNode.Origin.flag("--strategy \(name ?? sampleStrategy)")
        guard let name else {
            if path == nil { root.set("strategies", to: Self.list(sampleStrategy, .builtIn)) }
            return
        }
        if case .array(let items)? = root["strategies"]?.value {
            let chosen = items.filter { item in
                if case .string(name)? = item["name"]?.value { return true }
                if case .string(name)? = item["use"]?.value { return true }
                return false
            }
            if !chosen.isEmpty {
                root.set("strategies", to: ConfigurationNode(.array(chosen), origin))
                return
            }
        }
        guard registry.entry(name) != nil else { throw .usage("--strategy: \(registry.unknown(name))") }
        root.set("strategies", to: Self.list(name, origin))
    }

    private static func list(_ name: String, _ origin: ConfigurationNode.Origin) -> ConfigurationNode {
        var use = ConfigurationNode(.object([]), origin)
        use.set("use", to: ConfigurationNode(.string(name), origin))
        return ConfigurationNode(.array([use]), origin)
    }

    private func strategies(
        _ member: ConfigurationNode.Member?, _ reader: ConfigurationReader
    ) throws(CommandError) -> [ConfiguredStrategy] {
        guard let member else {
            throw .usage("\(reader.file): 'strategies' is missing; add strategies: [{ use: \"…\" }]")
        }
        guard case .array(let items) = member.value.value else {
            throw .usage(
                "\(reader.location(member.value.origin)): 'strategies' must be a list, not \(member.value.kind)"
            )
        }
        guard !items.isEmpty else {
            throw .usage("\(reader.location(member.origin)): 'strategies' is empty; a run needs one")
        }
        guard items.count <= 64 else {
            throw .usage("\(reader.location(member.origin)): 'strategies' has \(items.count); 64 is the most")
        }
        var configured: [ConfiguredStrategy] = []
        for (index, item) in items.enumerated() {
            let next = try strategy(item, "strategies[\(index)]", reader)
            if configured.contains(where: { $0.name == next.name }) {
                throw .usage(
                    "\(reader.location(item.origin)): two strategies are named '\(next.name)'; give one another "
                        + "'name'")
            }
            configured.append(next)
        }
        return configured
    }

    private func strategy(
        _ item: ConfigurationNode, _ path: String, _ reader: ConfigurationReader
    ) throws(CommandError) -> ConfiguredStrategy {
        var node = item
        guard case .object = node.value else {
            throw .usage(
                "\(reader.location(node.origin)): '\(path)' must be an object { use: \"…\" }, not \(node.kind)"
            )
        }
        let parameters = node.remove("parameters")?.value ?? ConfigurationNode(.object([]), node.origin)
        let use = try reader.decode(node, over: StrategyUse(), path: path, knownBeside: ["parameters"])
        guard !use.use.isEmpty else {
            throw .usage("\(reader.location(node.origin)): '\(path)' lacks 'use', the name of a strategy")
        }
        guard let entry = registry.entry(use.use) else {
            throw .usage(
                "\(reader.location(node["use"]?.origin ?? node.origin)): \(registry.unknown(use.use))")
        }
        let name = use.name.isEmpty ? entry.name : use.name
        let (strategy, values) = try entry.configure(parameters, "\(path).parameters", reader)
        return ConfiguredStrategy(
            name: name, entry: entry, strategy: strategy, markets: TickerFilter(use.markets),
            parameters: values
        )
    }

    // MARK: Overrides

    /// Sets one key; `strategy.X` means parameter X of the run's only strategy.
    private func apply(_ override: Override, to root: inout ConfigurationNode) throws(CommandError) {
        var keys = override.path.replacing("[", with: ".").replacing("]", with: "").split(separator: ".").map
        {
            String($0)
        }
        let reader = ConfigurationReader(file: "")
        let place = reader.location(override.node.origin)
        guard !keys.isEmpty else { throw .usage("\(place): the key is empty") }
        if keys[0] == "strategy" {
            guard case .array(let items)? = root["strategies"]?.value, items.count == 1, keys.count > 1 else {
                throw .usage(
                    "\(place): 'strategy.PARAMETER' needs a run of one strategy; write "
                        + "strategies.0.parameters.PARAMETER or choose one with --strategy NAME")
            }
            keys.replaceSubrange(0...0, with: ["strategies", "0", "parameters"])
        }
        root = try setting(root, keys[...], to: override.node, place)
    }

    private func setting(
        _ node: ConfigurationNode, _ keys: ArraySlice<String>, to value: ConfigurationNode, _ place: String
    ) throws(CommandError) -> ConfigurationNode {
        guard let key = keys.first else { return value }
        var node = node
        if case .array(var items) = node.value {
            guard let index = Int(key), items.indices.contains(index) else {
                throw .usage(
                    "\(place): the list has \(items.count) elements, numbered from 0; there is no '\(key)'")
            }
            items[index] = try setting(items[index], keys.dropFirst(), to: value, place)
            node.value = .array(items)
            return node
        }
        let inner = node[key] ?? ConfigurationNode(.object([]), value.origin)
        node.set(key, to: try setting(inner, keys.dropFirst(), to: value, place))
        return node
    }
}

extension StrategyEntry {
    /// The strategy with its parameters read, checked by `validate()`, and written out again as JSON.
    func configure(
        _ node: ConfigurationNode, _ path: String, _ reader: ConfigurationReader
    ) throws(CommandError) -> (any Strategy, parameters: [StrategyEntry.Parameter]) {
        try StrategyEntry.configure(self.type, node, path, reader)
    }

    private static func configure<S: Strategy>(
        _ type: S.Type, _ node: ConfigurationNode, _ path: String, _ reader: ConfigurationReader
    ) throws(CommandError) -> (any Strategy, parameters: [StrategyEntry.Parameter]) {
        let parameters = try reader.decode(node, over: S.Parameters(), path: path, isNonNegative: false)
        do {
            try parameters.validate()
        } catch {
            let place = (error as? ParameterError).flatMap { node[$0.parameter]?.origin } ?? node.origin
            throw .usage("\(reader.location(place)): strategy '\(S.name)': \(error)")
        }
        return (S(parameters: parameters), try StrategyEntry.list(parameters, help: S.Parameters.help))
    }
}
