import Foundation
import Martlet

/// The strategies compiled into this program, by name.
package struct StrategyRegistry {
    package let entries: [StrategyEntry]

    /// Throws when two strategies share a name, which no configuration could tell apart.
    package init(_ types: [any Strategy.Type]) throws(CommandError) {
        entries = types.map { StrategyEntry($0) }.sorted { $0.name < $1.name }
        for (entry, next) in zip(entries, entries.dropFirst()) where entry.name == next.name {
            throw .usage("two strategies are named '\(entry.name)'; give one of them another `name`")
        }
    }

    package var names: [String] { entries.map(\.name) }
    package func entry(_ name: String) -> StrategyEntry? { entries.first { $0.name == name } }

    /// The error of a name that nobody has, with the nearest or all of them.
    package func unknown(_ name: String) -> String {
        var message = "unknown strategy '\(name)'"
        if let nearest = Nearest.match(name, among: names) {
            message += "; did you mean '\(nearest)'?"
        } else if names.isEmpty {
            message += "; this program has none compiled in"
        } else {
            message += "; there are \(names.joined(separator: ", "))"
        }
        return message
    }
}

/// A strategy's type without its type.
package struct StrategyEntry {
    package let type: any Strategy.Type
    package let name: String
    package let summary: String

    init(_ type: any Strategy.Type) {
        self.type = type
        name = type.name
        summary = type.summary
    }

    /// A parameter with its value, by default the default, as JSON text, and its line of help.
    package struct Parameter {
        package var name: String
        package var value: String
        package var help: String
    }

    /// In the order in which the type declares them.
    package func parameters() throws -> [Parameter] { try StrategyEntry.parameters(of: self.type) }

    private static func parameters<S: Strategy>(of type: S.Type) throws -> [Parameter] {
        try list(S.Parameters(), help: S.Parameters.help)
    }

    /// A value's coding keys with their JSON text, in the order of its properties.
    static func list(_ parameters: some StrategyParameters, help: [String: String]) throws(CommandError)
        -> [Parameter]
    {
        let tree = try ConfigurationReader.tree(of: parameters)
        guard case .object(let members) = tree.value else { return [] }
        let declared = Mirror(reflecting: parameters).children.compactMap(\.label)
        let names =
            declared.filter { tree[$0] != nil } + members.map(\.key).filter { !declared.contains($0) }
        return names.map { Parameter(name: $0, value: tree[$0]?.json ?? "null", help: help[$0] ?? "") }
    }
}
