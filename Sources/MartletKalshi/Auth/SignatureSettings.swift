import MartletNetwork

/// How signatures are made ahead of time.
public struct SignatureSettings: Hashable, Sendable {
    /// How far a signature's date may lie from the exchange's clock, either way, in nanoseconds. The exchange's own
    /// tolerance is not documented; ±5 s was seen to be accepted.
    public var window = Nanoseconds.seconds(2)
    /// Signatures made ahead are dated this far into the future: they keep longer. At most the window.
    public var datedAhead: Int64 = 0
    /// A signature is replaced when this share of its life is over.
    public var refreshShare = 0.6
    /// The share of one core that signing ahead may take.
    public var cpuShare = 0.2
    /// How often the signing thread looks for what was used.
    public var pollInterval = Nanoseconds.milliseconds(2)
    /// Signatures kept ready for new orders, for batched cancels, and for each order near the touch.
    public var createDepth = 32
    public var cancelDepth = 8
    public var orderDepth = 1
    /// Orders whose own paths are kept signed.
    public var ordersMax = 32

    public init() {}

    /// From its making until it is not used any more.
    var life: Int64 { window + min(max(datedAhead, 0), window) }
}

/// What is signed ahead first.
public enum SignaturePriority: Int, Hashable, Comparable, Sendable {
    case create
    case batchedCancel
    /// Cancels and amends of single orders; which of them, the caller decides: those nearest the touch.
    case order

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Decides, from what lies ready, what is to be signed next and when. Pure.
struct SignatureSchedule {
    /// One place for a signature.
    struct Place {
        var priority: SignaturePriority
        /// When its signature was made; nil when it was used up.
        var madeAt: Int64?
    }

    /// The share is kept over spans of this length: on a busy machine the thread gets a core rarely, and then for
    /// a while.
    static let catchUp = Nanoseconds.milliseconds(10)

    let settings: SignatureSettings
    /// Nothing is signed before this time, so that the share of the core is kept.
    private(set) var notBefore: Int64 = .min

    init(_ settings: SignatureSettings) { self.settings = settings }

    /// The index of the place to be filled now: the empty ones by priority, then what has aged, by
    /// priority and age.
    func next(_ places: some Collection<Place>, now: Int64) -> Int? {
        guard now >= notBefore else { return nil }
        let refreshAge = Int64(Double(settings.life) * min(max(settings.refreshShare, 0.1), 0.9))
        var best: (index: Int, place: Place)?
        for (index, place) in places.enumerated() {
            if let madeAt = place.madeAt, now - madeAt < refreshAge { continue }
            guard let found = best else {
                best = (index, place)
                continue
            }
            if SignatureSchedule.isMoreUrgent(place, than: found.place) { best = (index, place) }
        }
        return best?.index
    }

    private static func isMoreUrgent(_ a: Place, than b: Place) -> Bool {
        if (a.madeAt == nil) != (b.madeAt == nil) { return a.madeAt == nil }
        if a.priority != b.priority { return a.priority < b.priority }
        return (a.madeAt ?? 0) < (b.madeAt ?? 0)
    }

    /// The wall clock may be set back: a pause longer than a signature's life is no pause any more.
    mutating func noticeClockSet(now: Int64) {
        if notBefore > now + settings.life { notBefore = now }
    }

    /// A signature took `duration` of a core, however long it waited for one: a pause follows that keeps the share.
    mutating func signed(startedAt: Int64, duration: Int64) {
        let share = min(max(settings.cpuShare, 0.001), 1)
        // Whoever was kept from a core catches up.
        notBefore = max(notBefore, startedAt - SignatureSchedule.catchUp) + Int64(Double(duration) / share)
    }
}
