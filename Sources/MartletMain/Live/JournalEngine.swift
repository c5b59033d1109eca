import Foundation
import Martlet
import MartletEngine
import MartletTape

/// The engine of a journal's header, built from the strategies compiled into this program.
struct JournalEngine {
    let seats: [StrategySeat]
    let settings: TradingSettings

    /// - Parameter changes: parameters set anew, `size=5` for all strategies or `maker.size=5` for one.
    init(_ header: JournalHeader, _ registry: StrategyRegistry, changes: [Assignment] = []) throws {
        do {
            settings = try JSONDecoder().decode(TradingSettings.self, from: Data(header.trading.utf8))
        } catch {
            throw CommandError("the journal's settings cannot be read: \(error)")
        }
        var used: Set<Int> = []
        seats = try header.seats.map { seat in
            guard let entry = registry.entry(seat.strategy) else {
                throw CommandError.usage("the journal's \(registry.unknown(seat.strategy))")
            }
            let reader = ConfigurationReader(file: "the journal")
            var node = ConfigurationNode(try JSON5Parser.parse(seat.parameters).value, .builtIn)
            for (index, change) in changes.enumerated() {
                let parts = change.path.split(separator: ".").map(String.init)
                guard let name = parts.last, parts.count == 1 || parts[0] == seat.name, node[name] != nil
                else {
                    continue
                }
                used.insert(index)
                let value = (try? JSON5Parser.parse(change.value).value) ?? .string(change.value)
                node.set(name, to: ConfigurationNode(value, .flag("--with \(change.path)=\(change.value)")))
            }
            let (strategy, values) = try entry.configure(node, "parameters of \(seat.name)", reader)
            return ConfiguredStrategy(
                name: seat.name, entry: entry, strategy: strategy, markets: TickerFilter(seat.markets),
                parameters: values
            ).seat
        }
        if let missing = changes.indices.first(where: { !used.contains($0) }) {
            throw CommandError.usage(
                "--with \(changes[missing].path): no strategy of the journal has that parameter")
        }
    }

    func engine() -> Engine { Engine(seats: seats, settings: settings) }
}
