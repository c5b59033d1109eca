// Values as programs build them: keys in the order given, so that outputs can be compared byte for byte.

extension JSONValue {
    package static func fields(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { Member($0.0, $0.1) })
    }
    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
    /// The shortest text that reads back the same; infinities and NaN, which JSON lacks, as null.
    package static func real(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        return .number(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }
    /// On one line.
    package var text: String { JSONWriter.text(self) }
}
