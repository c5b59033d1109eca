import MartletEngine
import MartletSimulation
import MartletWire

/// What goes wrong on demand. Probabilities from 0 to 1; all zero is a perfect exchange.
public struct Faults: Sendable, Hashable {
    /// Added to each REST answer, in milliseconds, with up to `jitterMilliseconds` more.
    public var latencyMilliseconds = 0.0
    public var jitterMilliseconds = 0.0
    /// A REST request is read so late, in milliseconds, and carried out then: the exchange takes its time to read.
    public var readDelayMilliseconds = 0.0
    /// A REST connection is cut before the request is looked at.
    public var dropConnection = 0.0
    /// A write is carried out, and the connection cut instead of the answer.
    public var loseResponse = 0.0
    /// A request is never answered: the connection stays open, and silent.
    public var hangResponse = 0.0
    /// 429 although the budget is there.
    public var tooManyRequests = 0.0
    /// 503 before anything was done.
    public var serverError = 0.0
    /// 504 although the write was carried out.
    public var errorAfterWrite = 0.0
    /// A REST answer or a WebSocket frame gets a field that no documentation knows, in each object.
    public var extraField = 0.0
    /// A WebSocket frame is left out: a gap in `seq`.
    public var sequenceGap = 0.0
    public var duplicateFrame = 0.0
    /// A frame comes after the one behind it.
    public var reorderFrame = 0.0
    /// A frame of an unknown type is sent before a frame.
    public var unknownType = 0.0
    /// A WebSocket is cut when a frame is due.
    public var dropSocket = 0.0
    /// WebSockets stay open and go silent, pings included.
    public var halfOpen = false
    /// WebSocket frames are held back: the exchange is slow, not broken.
    public var feedDelayMilliseconds = 0.0
    /// The exchange's clock is ahead of ours by so much when it judges and writes times.
    public var clockSkewMilliseconds = 0.0
    /// `user_data_timestamp` is so far behind the exchange's clock, as when its reads lag.
    public var userDataLagMilliseconds = 0.0
    /// Trading stands still on every shard: no order is placed or changed, cancels are taken.
    public var pauseTrading = false
    /// Every shard takes nothing, cancels included.
    public var pauseExchange = false
    /// WebSockets are cut and refused, 503 for everything but the exchange's status, which says so.
    public var maintenance = false

    public init() {}

    /// The faults by name, as the command line and the control endpoint give them.
    public static let numbers: [(name: String, path: WritableKeyPath<Faults, Double> & Sendable)] = [
        ("latency_ms", \.latencyMilliseconds), ("jitter_ms", \.jitterMilliseconds),
        ("read_delay_ms", \.readDelayMilliseconds),
        ("drop_connection", \.dropConnection), ("lose_response", \.loseResponse),
        ("hang_response", \.hangResponse), ("too_many_requests", \.tooManyRequests),
        ("server_error", \.serverError), ("error_after_write", \.errorAfterWrite),
        ("extra_field", \.extraField), ("sequence_gap", \.sequenceGap),
        ("duplicate_frame", \.duplicateFrame), ("reorder_frame", \.reorderFrame),
        ("unknown_type", \.unknownType), ("drop_socket", \.dropSocket),
        ("feed_delay_ms", \.feedDelayMilliseconds), ("clock_skew_ms", \.clockSkewMilliseconds),
        ("user_data_lag_ms", \.userDataLagMilliseconds),
    ]
    public static let switches: [(name: String, path: WritableKeyPath<Faults, Bool> & Sendable)] = [
        ("half_open", \.halfOpen), ("pause_trading", \.pauseTrading), ("pause_exchange", \.pauseExchange),
        ("maintenance", \.maintenance),
    ]
    /// Every name that ``set(_:to:)`` takes.
    public static var names: [String] { numbers.map(\.name) + switches.map(\.name) }

    /// Why a fault cannot be set.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Sets a fault from text: a number (probabilities 0...1, times in milliseconds up to ten minutes), or
    /// `true` and `false`.
    public mutating func set(_ name: String, to text: String) throws(Problem) {
        if let entry = Faults.switches.first(where: { $0.name == name }) {
            guard let value = Bool(text) else {
                throw Problem(description: "fault \(name) is '\(text)'; write true or false")
            }
            self[keyPath: entry.path] = value
            return
        }
        guard let entry = Faults.numbers.first(where: { $0.name == name }) else {
            throw Problem(
                description: "no fault '\(name)'; there are \(Faults.names.joined(separator: ", "))")
        }
        let isTime = name.hasSuffix("_ms")
        let least = name == "clock_skew_ms" ? -600_000.0 : 0
        guard let value = Double(text), value.isFinite, value >= least, value <= (isTime ? 600_000 : 1) else {
            let range = isTime ? "milliseconds up to 600000" : "a probability from 0 to 1"
            throw Problem(description: "fault \(name) is '\(text)'; write \(range)")
        }
        self[keyPath: entry.path] = value
    }

    /// What is paused on every shard.
    var pause: ExchangePause? { pauseExchange ? .everything : pauseTrading ? .trading : nil }

    /// All faults, as the control endpoint shows them.
    var json: JSONValue {
        var members = Faults.numbers.map {
            JSONValue.Member($0.name, .number("\(self[keyPath: $0.path])"))
        }
        members += Faults.switches.map { .init($0.name, .bool(self[keyPath: $0.path])) }
        return .object(members)
    }
}

/// The faults and the dice that decide on each. Seeded: one seed and one order of requests give one outcome.
struct FaultDice {
    var faults: Faults
    private var generator: SeededGenerator

    init(_ faults: Faults, seed: UInt64) {
        self.faults = faults
        generator = SeededGenerator(seed: seed ^ 0xFA17)
    }
    /// Draws nothing for a fault that is off.
    mutating func strikes(_ fault: KeyPath<Faults, Double>) -> Bool {
        let probability = faults[keyPath: fault]
        return probability > 0 && generator.unit() < probability
    }
    /// Nanoseconds that an answer is held back.
    mutating func delay() -> Int64 {
        guard faults.latencyMilliseconds > 0 || faults.jitterMilliseconds > 0 else { return 0 }
        let jitter = faults.jitterMilliseconds > 0 ? faults.jitterMilliseconds * generator.unit() : 0
        return Int64((faults.latencyMilliseconds + jitter) * 1e6)
    }
}
