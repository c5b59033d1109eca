/// The mean of the last `period` values. O(1) a value.
///
///     var mean = SimpleMovingAverage(period: 3)
///     for x in [1.0, 2, 3, 4] { mean.add(x) }   // mean.value == 3
public struct SimpleMovingAverage: Sendable {
    private var window: RollingWindow
    /// Traps on a period below 1.
    public init(period: Int) { window = RollingWindow(capacity: period) }
    /// Nil until `period` values have come.
    public var value: Double? { window.isFull ? window.sum / Double(window.capacity) : nil }
    @discardableResult
    public mutating func add(_ x: Double) -> Double? {
        window.add(x)
        return value
    }
}

/// The exponential moving average with weight 2 / (period + 1), started at the mean of the first `period` values,
/// as charting packages do it.
public struct ExponentialMovingAverage: Sendable {
    public let period: Int
    private let weight: Double
    private var count = 0
    private var current = 0.0
    /// Traps on a period below 1.
    public init(period: Int) {
        precondition(period >= 1)
        self.period = period
        weight = 2 / (Double(period) + 1)
    }
    /// Nil until `period` values have come.
    public var value: Double? { count >= period ? current : nil }
    @discardableResult
    public mutating func add(_ x: Double) -> Double? {
        count += 1
        if count <= period {
            current += (x - current) / Double(count)
        } else {
            current += weight * (x - current)
        }
        return value
    }
}

/// The exponential average of values that come at any times: the weight of the past halves every `halfLife`.
public struct DecayingAverage: Sendable {
    public let halfLife: TimeSpan
    private var last: Timestamp?
    public private(set) var value: Double?
    /// Traps unless `halfLife` is positive.
    public init(halfLife: TimeSpan) {
        precondition(halfLife > .zero)
        self.halfLife = halfLife
    }
    /// A time before the last one counts as the last one.
    @discardableResult
    public mutating func add(_ x: Double, at time: Timestamp) -> Double? {
        if let before = value, let last {
            let elapsed = max(0, (time - last).seconds)
            let kept = Approximation.exp2(-elapsed / halfLife.seconds)
            value = x + kept * (before - x)
        } else {
            value = x
        }
        last = max(time, last ?? time)
        return value
    }
}

/// Standard deviation of the last `period` values. O(1) a value.
public struct RollingDeviation: Sendable {
    private var window: RollingWindow
    private let isSample: Bool
    /// `sample` divides by period − 1, otherwise by period. Traps on a period below 2.
    public init(period: Int, sample: Bool = true) {
        precondition(period >= 2)
        window = RollingWindow(capacity: period)
        isSample = sample
    }
    /// Nil until `period` values have come.
    public var value: Double? {
        guard window.isFull else { return nil }
        let n = Double(window.capacity)
        let variance = window.squaredDeviations / (isSample ? n - 1 : n)
        return variance.squareRoot()
    }
    @discardableResult
    public mutating func add(_ x: Double) -> Double? {
        window.add(x)
        return value
    }
}

/// The last values with their sum and sum of squares about the first value, summed afresh once a turn so that
/// rounding cannot drift.
struct RollingWindow: Sendable {
    let capacity: Int
    private var values: [Double] = []
    private var next = 0
    private var origin = 0.0
    private var shiftedSum = 0.0
    private var shiftedSquares = 0.0

    init(capacity: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        values.reserveCapacity(capacity)
    }
    var isFull: Bool { values.count == capacity }
    var sum: Double { shiftedSum + origin * Double(values.count) }
    /// Sum of squared deviations from the mean.
    var squaredDeviations: Double {
        max(0, shiftedSquares - shiftedSum * shiftedSum / Double(values.count))
    }

    mutating func add(_ x: Double) {
        if values.count < capacity {
            if values.isEmpty { origin = x }
            values.append(x)
        } else {
            let old = values[next] - origin
            shiftedSum -= old
            shiftedSquares -= old * old
            values[next] = x
            next = (next + 1) % capacity
            if next == 0 { return restart() }
        }
        shiftedSum += x - origin
        shiftedSquares += (x - origin) * (x - origin)
    }

    private mutating func restart() {
        origin = values[0]
        shiftedSum = 0
        shiftedSquares = 0
        for value in values {
            shiftedSum += value - origin
            shiftedSquares += (value - origin) * (value - origin)
        }
    }
}

/// The one transcendental function that indicators need, made of arithmetic alone, so that the same numbers come
/// out whatever the machine's libm.
enum Approximation {
    /// 2^x for x ≤ 0, relative error below 1e-15; 0 below −1000.
    static func exp2(_ x: Double) -> Double {
        guard x > -1000 else { return 0 }
        let whole = x.rounded()
        let y = (x - whole) * 0.693_147_180_559_945_309_42
        var term = 1.0
        var sum = 1.0
        for n in 1...14 {
            term *= y / Double(n)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(whole), significand: 1)
    }
}
