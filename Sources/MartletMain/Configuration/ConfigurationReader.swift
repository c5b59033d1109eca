import Foundation
import Martlet
import MartletWire

/// Lays a configuration over defaults and decodes the result, strictly: a key that the defaults do not have, or
/// a value that its type cannot be, is an error that says where it stands.
///
/// The encoded defaults are the list of known keys (synthesised `Codable` would ignore property defaults).
package struct ConfigurationReader {
    /// The file's name for messages.
    package let file: String

    package init(file: String) { self.file = file }

    /// Reads a file. Throws a usage ``CommandError``.
    package static func load(_ path: String) throws(CommandError) -> (ConfigurationNode, text: String) {
        let text: String
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard let decoded = String(validating: data, as: UTF8.self) else {
                throw CommandError.usage("'\(path)' is not UTF-8 text; a configuration is JSON5")
            }
            text = decoded
        } catch let error as CommandError {
            throw error
        } catch {
            throw .usage(FileProblem.reading(path, error))
        }
        do {
            return (try JSON5Parser.parse(text), text)
        } catch {
            throw .usage("\(path):\(error.line):\(error.column): \(error.message)")
        }
    }

    /// A value of type `Value` from what `node` says over `defaults`.
    ///
    /// `path` is where the node stands (`trading.router`), for messages. `elements` gives the defaults of an
    /// element for lists of objects, by path.
    /// `knownBeside` are keys that the caller has taken out, for the list of known ones. `isNonNegative`: no
    /// number may be below zero, as everywhere but in parameters.
    package func decode<Value: Codable>(
        _ node: ConfigurationNode, over defaults: Value, path: String = "",
        elements: [String: ConfigurationNode] = [:], knownBeside: [String] = [], isNonNegative: Bool = true
    ) throws(CommandError) -> Value {
        let base = try ConfigurationReader.tree(of: defaults)
        let laying = Laying(
            elements: elements, knownBeside: knownBeside, root: path, isNonNegative: isNonNegative)
        let merged = try merge(node, over: base, path, laying)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(merged.json.utf8))
        } catch let error as DecodingError {
            if let number = unrepresentableNumber(Value.self, in: merged, path) {
                let isWhole = number.text.allSatisfy { $0.isNumber || $0 == "-" }
                throw .usage(
                    "\(location(number.origin)): '\(number.path)' "
                        + (isWhole
                            ? "cannot be \(number.text): it is out of range"
                            : "must be a whole number, not \(number.text)"))
            }
            throw problem(error, in: merged, path)
        } catch {
            throw .usage("\(location(node.origin)): \(error)")
        }
    }

    /// A value's keys as a tree.
    package static func tree(of value: some Encodable) throws(CommandError) -> ConfigurationNode {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            var node = try JSON5Parser.parse(String(decoding: try encoder.encode(value), as: UTF8.self))
            node.forgetOrigins()
            return node
        } catch {
            throw CommandError("cannot list the keys of \(type(of: value)): \(error)")
        }
    }

    // MARK: Laying over

    private struct Laying {
        var elements: [String: ConfigurationNode]
        var knownBeside: [String]
        var root: String
        var isNonNegative: Bool
    }

    private func merge(
        _ node: ConfigurationNode, over base: ConfigurationNode, _ path: String,
        _ laying: Laying
    ) throws(CommandError) -> ConfigurationNode {
        switch (node.value, base.value) {
        case (.object(let members), .object(let known)):
            var result = base
            for member in members {
                guard let present = base[member.key] else {
                    let beside = path == laying.root ? laying.knownBeside : []
                    throw unknownKey(member, path, among: known.map(\.key) + beside)
                }
                let inner = joined(path, member.key)
                result.set(member.key, to: try merge(member.value, over: present, inner, laying))
            }
            result.origin = node.origin
            return result
        case (.array(let items), .array):
            guard let element = laying.elements[path] else { return node }
            var merged: [ConfigurationNode] = []
            for (index, item) in items.enumerated() {
                merged.append(try merge(item, over: element, "\(path)[\(index)]", laying))
            }
            return ConfigurationNode(.array(merged), node.origin)
        // A number may be written as text: a decimal that must stay exact.
        case (.string(let text), .number), (.number(let text), .number):
            if laying.isNonNegative { try checkRange(text, node, path) }
            return node
        case (.string, .string), (.bool, .bool): return node
        default:
            throw .usage("\(location(node.origin)): '\(path)' must be \(base.kind), not \(node.kind)")
        }
    }

    /// Refuses numbers that no setting can mean: below zero, or outside the key's own range.
    private func checkRange(_ text: String, _ node: ConfigurationNode, _ path: String) throws(CommandError) {
        guard let number = Double(text) else { return }
        let range = ConfigurationHelp.ranges[path] ?? 0...Double.infinity
        guard !range.contains(number) else { return }
        let limits =
            range.upperBound.isFinite
            ? "must lie between \(JSONValue.real(range.lowerBound).text) and \(JSONValue.real(range.upperBound).text)"
            : "must be \(JSONValue.real(range.lowerBound).text) or more"
        throw .usage("\(location(node.origin)): '\(path)' \(limits), not \(text)")
    }

    private func unknownKey(
        _ member: ConfigurationNode.Member, _ path: String, among known: [String]
    ) -> CommandError {
        let name = joined(path, member.key)
        var message = "\(location(member.origin)): unknown key '\(name)'"
        if let nearest = Nearest.match(member.key, among: known) {
            message += "; did you mean '\(joined(path, nearest))'?"
        } else {
            message += "; known here: \(known.joined(separator: ", "))"
        }
        return .usage(message)
    }

    // MARK: Messages

    /// What a decoder found wrong, at the place in the configuration.
    private func problem(
        _ error: DecodingError, in root: ConfigurationNode, _ path: String
    ) -> CommandError {
        let (context, fallback): (DecodingError.Context, String) =
            switch error {
            case .typeMismatch(_, let context): (context, "is of the wrong kind")
            case .valueNotFound(_, let context): (context, "is missing")
            case .keyNotFound(let key, let context): (context, "lacks '\(key.stringValue)'")
            case .dataCorrupted(let context): (context, "cannot be read")
            @unknown default: (.init(codingPath: [], debugDescription: "\(error)"), "cannot be read")
            }
        var node = root
        var name = path
        for key in context.codingPath {
            if let index = key.intValue, case .array(let items) = node.value, items.indices.contains(index) {
                node = items[index]
                name += "[\(index)]"
            } else if let inner = node[key.stringValue] {
                node = inner
                name = joined(name, key.stringValue)
            }
        }
        var reason = context.debugDescription.isEmpty ? fallback : context.debugDescription
        // Foundation speaks of Swift's types; the key's own help says what it takes.
        if reason.hasPrefix("Cannot initialize"), let help = ConfigurationHelp.help(for: name) {
            reason = help
        }
        return .usage("\(location(node.origin)): '\(name)' cannot be \(shown(node)): \(reason)")
    }

    /// A value as it stands, as far as a line has room.
    private func shown(_ node: ConfigurationNode) -> String {
        let text = node.json
        return text.count <= 80 ? text : "\(text.prefix(80))…"
    }

    /// `maker.json5:12:5`, `--set strategy.size=x`.
    package func location(_ origin: ConfigurationNode.Origin) -> String {
        switch origin {
        case .file(let line, let column): "\(file):\(line):\(column)"
        case .flag(let text): text
        case .builtIn: file
        }
    }

    private func joined(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension ConfigurationNode {
    fileprivate mutating func forgetOrigins() {
        origin = .builtIn
        switch value {
        case .array(var items):
            for index in items.indices { items[index].forgetOrigins() }
            value = .array(items)
        case .object(var members):
            for index in members.indices {
                members[index].origin = .builtIn
                members[index].value.forgetOrigins()
            }
            value = .object(members)
        case .null, .bool, .number, .string: break
        }
    }
}

/// Why a file could not be read or written, in words.
enum FileProblem {
    static func reading(_ path: String, _ error: any Error) -> String {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return "cannot read '\(path)': "
            + (isThere && isFolder.boolValue ? "a folder, not a file" : reason(error))
    }
    static func writing(_ path: String, _ error: any Error) -> String {
        "cannot write '\(path)': \(reason(error))"
    }
    private static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError, inner.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(inner.code))).lowercased()
        }
        switch error.code {
        case CocoaError.fileReadNoSuchFile.rawValue, CocoaError.fileNoSuchFile.rawValue: return "no such file"
        case CocoaError.fileReadNoPermission.rawValue, CocoaError.fileWriteNoPermission.rawValue:
            return "permission denied"
        case CocoaError.fileWriteOutOfSpace.rawValue: return "no space left on device"
        default: return error.localizedDescription
        }
    }
}
