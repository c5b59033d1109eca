import Foundation
import Martlet
import MartletEngine
import MartletTape

/// `martlet bench replay`: a generated stream of level changes and trades through the same driver as a backtest,
/// with risk gate, router, portfolio, simulated exchange and one strategy that reads both best prices at each
/// record.
public enum ReplayBenchmark {
    /// What one run came to. A rate is there only when the stream was replayed to its end.
    public struct Figures: Hashable, Sendable, Codable {
        public var records: Int
        public var recordsPerSecond: Double?
        /// Best bid and best ask in cents, summed over all records with both.
        public var checksum: Int
        /// Most memory that was not the mapped file's own.
        public var peakResidentBytes: Int
        public var isComplete: Bool
        public var places: Int
        public var cancels: Int
        public var fills: Int
        public var refused: Int
        /// From the command's start: conversion to a tape included.
        public var secondsBeforeFirstRecord: Double
        /// With log-normal latency on the Prime tier.
        public var recordsPerSecondWithLatency: Double?
        public var markets: Int
    }

    public struct Options: Hashable, Sendable {
        /// The best of so many runs counts.
        public var runs = 5
        /// The grid of the books' levels; the stream's own prices are whole cents.
        public var grid = PriceGrid.cent
        public init() {}
    }

    /// `clock` gives seconds; benchmarks are the one place of this room that is handed one.
    public static func run(
        stream path: String, options: Options = Options(), clock: () -> Double,
        memory: () -> Int
    ) throws -> Figures {
        let began = clock()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tapePath = folder.appendingPathComponent("stream.tape").path
        let stream = try BenchmarkStream(path: path)
        try stream.writeTape(to: tapePath, grid: options.grid)
        let tape = try TapeReader(path: tapePath)
        let before = clock() - began
        var best: (seconds: Double, outcome: Outcome)?
        var withLatency: Double?
        for _ in 0..<max(1, options.runs) {
            let outcome = try replay(tape, withLatency: false, clock: clock)
            if best.map({ outcome.seconds < $0.seconds }) ?? true { best = (outcome.seconds, outcome) }
            let delayed = try replay(tape, withLatency: true, clock: clock)
            if delayed.summary.isComplete { withLatency = min(withLatency ?? .infinity, delayed.seconds) }
        }
        guard let outcome = best?.outcome else { preconditionFailure("at least one run") }
        let isComplete = outcome.summary.isComplete && outcome.tally.records == stream.count
        let count = Double(outcome.tally.records)
        return Figures(
            records: outcome.tally.records, recordsPerSecond: isComplete ? count / outcome.seconds : nil,
            checksum: outcome.tally.checksum, peakResidentBytes: memory(), isComplete: isComplete,
            places: outcome.tally.places, cancels: outcome.tally.cancels, fills: outcome.tally.fills,
            refused: outcome.tally.refused, secondsBeforeFirstRecord: before,
            recordsPerSecondWithLatency: isComplete ? withLatency.map { count / $0 } : nil,
            markets: stream.marketCount)
    }

    private struct Outcome {
        var seconds: Double
        var summary: RunSummary
        var tally: ReplayProbe.Tally
    }

    private static func replay(_ tape: TapeReader, withLatency: Bool, clock: () -> Double) throws -> Outcome {
        let tally = ReplayProbe.Tally()
        var settings = BacktestSettings()
        settings.sampleInterval = .zero
        settings.limits = withLatency ? RateLimits.tier("prime") ?? .basic : .unlimited
        var exchangeSettings = SimulatedExchange.Settings()
        exchangeSettings.limits = settings.limits
        if withLatency {
            exchangeSettings.entryLatency = .logNormal(median: .milliseconds(20), sigma: 0.5)
            exchangeSettings.reportLatency = .logNormal(median: .milliseconds(20), sigma: 0.5)
        }
        var driver = BacktestDriver(
            engine: Engine(
                seats: [StrategySeat(ReplayProbe(tally: tally))], settings: TradingSettings()),
            exchange: SimulatedExchange(settings: exchangeSettings, cash: [(0, 1_000_000)]),
            settings: settings)
        let start = clock()
        let summary = try driver.replay(tape)
        return Outcome(seconds: clock() - start, summary: summary, tally: tally)
    }
}
