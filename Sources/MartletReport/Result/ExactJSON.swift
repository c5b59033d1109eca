import Foundation
import Martlet

/// Writes a value as JSON: keys in the order of declaration, money, prices, counts and spans as exact decimals
/// (Foundation's encoder would pass them through floating point), not-a-number as null. Same value, same bytes.
package enum ExactJSON {
    /// With two spaces of indentation a level, or on one line.
    package static func text(_ value: some Encodable, isPretty: Bool = true) throws -> String {
        var out = ""
        try JSONNode.of(value, path: []).write(to: &out, indent: isPretty ? 0 : nil)
        return out
    }
    /// Reads what ``text(_:isPretty:)`` wrote. Throws `DecodingError`.
    package static func value<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// A piece of JSON while it is put together: a class, since a container outlives the call that makes it.
private final class JSONNode {
    enum Kind {
        case null
        case plain(String)
        case string(String)
        case array([JSONNode])
        case object([(key: String, value: JSONNode)])
    }
    var kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    static func of(_ value: some Encodable, path: [any CodingKey]) throws -> JSONNode {
        switch value {
        case let value as Money: return JSONNode(.plain(value.description))
        case let value as Price: return JSONNode(.plain(value.description))
        case let value as Quantity: return JSONNode(.plain(value.description))
        case let value as TimeSpan:
            return JSONNode(.plain(FixedPoint.format(value.nanoseconds, decimals: 9)))
        default:
            let node = JSONNode(.null)
            try value.encode(to: TreeEncoder(node: node, codingPath: path))
            return node
        }
    }

    func append(_ node: JSONNode, key: String) {
        if case .object(var members) = kind {
            kind = .null  // One owner, so that the append below does not copy.
            members.append((key, node))
            kind = .object(members)
        } else {
            kind = .object([(key, node)])
        }
    }
    func append(_ node: JSONNode) {
        if case .array(var items) = kind {
            kind = .null
            items.append(node)
            kind = .array(items)
        } else {
            kind = .array([node])
        }
    }

    func write(to out: inout String, indent: Int?) {
        switch kind {
        case .null: out += "null"
        case .plain(let text): out += text
        case .string(let text): JSONNode.quote(text, to: &out)
        case .array(let items):
            let isFlat = items.allSatisfy { $0.isLeaf }
            JSONNode.list(items.count, "[", "]", indent: isFlat ? nil : indent, to: &out) {
                index, out, inner in
                items[index].write(to: &out, indent: inner)
            }
        case .object(let members):
            JSONNode.list(members.count, "{", "}", indent: indent, to: &out) { index, out, inner in
                JSONNode.quote(members[index].key, to: &out)
                out += indent == nil ? ":" : ": "
                members[index].value.write(to: &out, indent: inner)
            }
        }
    }
    private var isLeaf: Bool {
        switch kind {
        case .null, .plain, .string: true
        case .array, .object: false
        }
    }

    private static func list(
        _ count: Int, _ open: String, _ close: String, indent: Int?, to out: inout String,
        _ item: (Int, inout String, Int?) -> Void
    ) {
        out += open
        for index in 0..<count {
            if index > 0 { out += "," }
            if let indent { out += "\n" + String(repeating: "  ", count: indent + 1) }
            item(index, &out, indent.map { $0 + 1 })
        }
        if let indent, count > 0 { out += "\n" + String(repeating: "  ", count: indent) }
        out += close
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

private struct TreeEncoder: Encoder {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.kind = .object([])
        return KeyedEncodingContainer(KeyedTree<Key>(node: node, codingPath: codingPath))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.kind = .array([])
        return ArrayTree(node: node, codingPath: codingPath)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleTree(node: node, codingPath: codingPath)
    }
}

private struct KeyedTree<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONNode
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) { node.append(JSONNode(.null), key: key.stringValue) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        node.append(try JSONNode.of(value, path: codingPath + [key]), key: key.stringValue)
    }
    private func child(_ key: Key) -> TreeEncoder {
        let child = JSONNode(.null)
        node.append(child, key: key.stringValue)
        return TreeEncoder(node: child, codingPath: codingPath + [key])
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { child(key).container(keyedBy: type) }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        child(key).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { TreeEncoder(node: node, codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { child(key) }
}

private struct ArrayTree: UnkeyedEncodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var count: Int { if case .array(let items) = node.kind { items.count } else { 0 } }

    mutating func encodeNil() { node.append(JSONNode(.null)) }
    mutating func encode<T: Encodable>(_ value: T) throws {
        node.append(try JSONNode.of(value, path: codingPath))
    }
    private func child() -> TreeEncoder {
        let child = JSONNode(.null)
        node.append(child)
        return TreeEncoder(node: child, codingPath: codingPath)
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { child().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { child().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { child() }
}

private struct SingleTree: SingleValueEncodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]

    mutating func encodeNil() { node.kind = .null }
    mutating func encode(_ value: Bool) { node.kind = .plain(value ? "true" : "false") }
    mutating func encode(_ value: String) { node.kind = .string(value) }
    mutating func encode(_ value: Double) { node.kind = number(value) }
    mutating func encode(_ value: Float) { node.kind = number(Double(value)) }
    mutating func encode(_ value: Int) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: Int8) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: Int16) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: Int32) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: Int64) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: UInt) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: UInt8) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: UInt16) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: UInt32) { node.kind = .plain("\(value)") }
    mutating func encode(_ value: UInt64) { node.kind = .plain("\(value)") }
    mutating func encode<T: Encodable>(_ value: T) throws {
        node.kind = try JSONNode.of(value, path: codingPath).kind
    }
    private func number(_ value: Double) -> JSONNode.Kind {
        guard value.isFinite else { return .null }
        return .plain(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }
}
