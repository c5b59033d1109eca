import MartletWire

/// A value of a configuration with the place where it was written, so that every error can name it.
package struct ConfigurationNode: Sendable {
    package indirect enum Value: Sendable {
        case null
        case bool(Bool)
        /// The number's own text, a JSON number: decimals stay decimals.
        case number(String)
        case string(String)
        case array([ConfigurationNode])
        case object([Member])
    }
    package struct Member: Sendable {
        package var key: String
        package var origin: Origin
        package var value: ConfigurationNode
    }
    /// Where a value came from.
    package enum Origin: Sendable, Hashable {
        case file(line: Int, column: Int)
        /// A flag of the command line, as it was typed.
        case flag(String)
        /// A default of the program.
        case builtIn
    }

    package var value: Value
    package var origin: Origin

    package init(_ value: Value, _ origin: Origin) {
        self.value = value
        self.origin = origin
    }

    package subscript(key: String) -> ConfigurationNode? {
        guard case .object(let members) = value else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Sets or adds a member; makes an object of what is none.
    package mutating func set(_ key: String, to node: ConfigurationNode) {
        var members: [Member] = []
        if case .object(let present) = value { members = present }
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value = node
        } else {
            members.append(Member(key: key, origin: node.origin, value: node))
        }
        value = .object(members)
    }

    /// Takes a member out.
    package mutating func remove(_ key: String) -> Member? {
        guard case .object(var members) = value, let index = members.firstIndex(where: { $0.key == key })
        else {
            return nil
        }
        let member = members.remove(at: index)
        value = .object(members)
        return member
    }

    /// What it is, for messages: `a list`.
    package var kind: String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// As strict JSON on one line: for decoders and for messages.
    package var json: String { jsonValue.text }
    private var jsonValue: JSONValue {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .number(let text): .number(text)
        case .string(let text): .string(text)
        case .array(let items): .array(items.map(\.jsonValue))
        case .object(let members): .fields(members.map { ($0.key, $0.value.jsonValue) })
        }
    }
}
