import Martlet

/// The day of the last time stamp read, so that a date is computed once a day and not once a message.
struct DateCache {
    /// The date's first eight bytes, `2026-07-`, and the two of the day.
    var yearMonth: UInt64 = 0
    var day: UInt16 = 0
    /// Nanoseconds since 1970 at its midnight.
    var midnight: Int64 = 0
}

extension MessageDecoder {
    mutating func decodeFastDelta(
        _ base: UnsafePointer<UInt8>, _ count: Int, _ message: inout WireMessage
    ) -> Bool { false }
}
