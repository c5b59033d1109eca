import Martlet

/// Times as the exchange writes them.
enum TimeText {
    /// RFC 3339 text with up to nine decimals, or nil.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? { Timestamp(rfc3339: text) }

    /// Of two readings of one moment the finer where both agree to the millisecond, else the milliseconds.
    @inline(__always)
    static func best(milliseconds: Timestamp?, text: Timestamp?) -> Timestamp {
        guard let milliseconds else { return text ?? .unknown }
        guard let text else { return milliseconds }
        let difference = text.nanoseconds.subtractingReportingOverflow(milliseconds.nanoseconds)
        return !difference.overflow && difference.partialValue >= 0 && difference.partialValue < 1_000_000
            ? text : milliseconds
    }
}
