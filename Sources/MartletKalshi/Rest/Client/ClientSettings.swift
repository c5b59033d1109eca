import MartletNetwork

/// How ``KalshiClient`` goes about its calls. Times in nanoseconds.
public struct ClientSettings: Sendable {
    /// Attempts of a GET, the first included. Nothing else is ever sent twice.
    public var attempts = 5
    /// The wait before the second attempt; doubled for each further one, and between half and all of it by chance.
    public var backOff = Nanoseconds.milliseconds(250)
    public var backOffMax = Nanoseconds.seconds(10)
    /// A call that the rate limit would hold back for longer fails.
    public var budgetWaitMax = Nanoseconds.seconds(60)
    /// Each request's deadline, from its leaving the queue to the answer's last byte.
    public var timeout = Nanoseconds.seconds(30)
    public var http = HTTPClientConfiguration()
    /// Seed of the jitter; nil takes one from the system.
    public var seed: UInt64?

    public init() {}
}

/// SplitMix64: chance for jitter.
struct Jitter: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// From half of `span` to all of it.
    mutating func wait(_ span: Int64) -> Int64 {
        let half = max(span / 2, 1)
        return half + Int64(next() % UInt64(half + 1))
    }
}
