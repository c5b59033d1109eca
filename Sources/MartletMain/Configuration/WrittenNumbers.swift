import Foundation

// A number that its type cannot hold: 1.5 for a count. Foundation's decoder says of it only that the whole text is
// no valid JSON, so it is looked for.

extension ConfigurationReader {
    /// The number without which the decoder no longer fails at no place at all, or nil when it is none.
    func unrepresentableNumber(
        _ type: (some Decodable).Type, in root: ConfigurationNode, _ path: String
    ) -> (path: String, text: String, origin: ConfigurationNode.Origin)? {
        guard failsBlindly(type, root) else { return nil }
        let numbers = root.writtenNumbers(path)
        for count in numbers.indices {
            var left = count + 1
            guard !failsBlindly(type, root.zeroing(&left)) else { continue }
            return numbers[count]
        }
        return nil
    }

    private func failsBlindly(_ type: (some Decodable).Type, _ root: ConfigurationNode) -> Bool {
        do {
            _ = try JSONDecoder().decode(type, from: Data(root.json.utf8))
            return false
        } catch DecodingError.dataCorrupted(let context) {
            return context.codingPath.isEmpty
        } catch {
            return false
        }
    }
}

extension ConfigurationNode {
    /// The numbers that do not come from the program's defaults, in order.
    fileprivate func writtenNumbers(_ path: String) -> [(path: String, text: String, origin: Origin)] {
        switch value {
        case .number(let text): origin == .builtIn ? [] : [(path, text, origin)]
        case .array(let items):
            items.enumerated().flatMap { $0.element.writtenNumbers("\(path)[\($0.offset)]") }
        case .object(let members):
            members.flatMap {
                $0.value.writtenNumbers(path.isEmpty ? $0.key : "\(path).\($0.key)")
            }
        case .null, .bool, .string: []
        }
    }

    /// With zero in the place of the first `count` of them.
    fileprivate func zeroing(_ count: inout Int) -> ConfigurationNode {
        var node = self
        switch value {
        case .number:
            guard origin != .builtIn, count > 0 else { return self }
            count -= 1
            node.value = .number("0")
        case .array(let items):
            node.value = .array(items.map { $0.zeroing(&count) })
        case .object(let members):
            node.value = .object(
                members.map {
                    Member(key: $0.key, origin: $0.origin, value: $0.value.zeroing(&count))
                })
        case .null, .bool, .string: break
        }
        return node
    }
}
