/// Masking keys that nobody can foretell, drawn many at a time: a system call for each would cost more than
/// the masking.
struct WebSocketMaskSource {
    static let batch = 256
    private var keys: [UInt32] = []

    mutating func next() -> UInt32 {
        if keys.isEmpty {
            keys = [UInt32](repeating: 0, count: WebSocketMaskSource.batch)
            keys.withUnsafeMutableBytes { SecureRandom.fill($0) }
        }
        return keys.removeLast()
    }
}
