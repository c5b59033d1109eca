// What the fuzzers of the network room's parsers share.

/// Feeds `bytes` in two pieces to a parser's step, which takes what is pending and returns what it consumed,
/// or nil for "no more". False where the parser refused.
func feed(
    _ bytes: UnsafeRawBufferPointer, cut: Int, _ step: (UnsafeMutableRawBufferPointer) -> (Int, more: Bool)?
) -> Bool {
    var pending: [UInt8] = []
    for piece in [bytes[..<cut], bytes[cut...]] {
        pending.append(contentsOf: piece)
        var more = true
        while more {
            let result = pending.withUnsafeMutableBytes { step($0) }
            guard let (consumed, goesOn) = result else { return false }
            pending.removeFirst(consumed)
            more = goesOn
        }
    }
    return true
}
