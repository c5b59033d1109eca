import MartletWire

// What commands print with `--json`: keys in the order given, so that outputs can be compared byte for byte.

extension JSONValue {
    static func fields(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { Member($0.0, $0.1) })
    }
    static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
    /// The shortest text that reads back the same; infinities and NaN, which JSON lacks, as null.
    static func real(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        return .number(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }
    /// On one line.
    var text: String { JSONWriter.text(self) }
}
