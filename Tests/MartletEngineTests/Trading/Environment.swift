import Foundation

enum Environment {
    static var measures: Bool { ProcessInfo.processInfo.environment["MARTLET_MEASURE"] != nil }
    static var seed: UInt64? { ProcessInfo.processInfo.environment["MARTLET_SEED"].flatMap { UInt64($0) } }
}

enum JSONTree {
    /// The dotted paths of an encoded value's leaves, or nil when it does not come back equal.
    static func keys<Value: Codable & Equatable>(of value: Value) throws -> Set<String>? {
        let data = try JSONEncoder().encode(value)
        guard try JSONDecoder().decode(Value.self, from: data) == value else { return nil }
        var keys: Set<String> = []
        func walk(_ node: Any, _ path: String) {
            guard let object = node as? [String: Any] else {
                keys.insert(path)
                return
            }
            for (key, child) in object { walk(child, path.isEmpty ? key : "\(path).\(key)") }
        }
        walk(try JSONSerialization.jsonObject(with: data), "")
        return keys
    }
}
