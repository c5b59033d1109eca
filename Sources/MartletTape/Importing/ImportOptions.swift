import Martlet

/// How a recording is to be taken.
public struct ImportOptions: Sendable {
    /// Nil: found from the content of each file.
    public var format: RecordingFormat?
    /// The recording was made with `use_yes_price`: NO levels carry YES prices.
    public var usesYesPrice = false
    /// Silence after which a group ends though its book is still crossed.
    public var groupTimeout: TimeSpan = .milliseconds(20)
    /// Infer trades from the book where a recording has no trade channel.
    public var infersTrades = true
    /// The grid of markets that no definition names. Whole cents are valid in every structure.
    public var assumedGrid: PriceGrid = .cent
    /// The time of what has none: whole recordings without any.
    public var assumedTime = Timestamp(seconds: 0)
    /// Definitions and results to go by, from ``MarketReferences``.
    public var references = MarketReferences()
    public init() {}
}

/// One line that could not be taken as it stood.
public struct ImportRemark: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1.
    public var line: Int
    /// The line (or what it says) is not on the tape.
    public var isSkipped: Bool
    public var reason: String

    public var description: String {
        "\(file):\(line): \(isSkipped ? "skipped: " : "")\(reason)"
    }
}
