import Foundation
import Martlet
import MartletWire

/// `martlet bench decode`: from the wire's bytes into books.
extension BenchCommand {
    static let data = ValueFlag(
        "data", .text("FOLDER"),
        "recorded frames: kalshi/demo-session and kalshi/ws-frames-2026-04 in it ($MARTLET_DATA)")
    static let made = Switch("made", "frames made from a seed instead of recorded ones")
    static let seed = ValueFlag(
        "seed", .whole("N", in: 0...Int(Int32.max)), "for --made and the shuffling (7)")
    static let seconds = ValueFlag("seconds", .whole("N", in: 1...600), "each of the runs takes so long (1)")

    static func decode() -> Command {
        var command = Command(name: "decode", summary: "order book messages a second, from bytes to books")
        command.discussion = """
            Goes over recorded orderbook_delta frames again and again on one core. Counted for each message: the \
            WebSocket frame's header, the UTF-8 check, the decoding with exact fixed-point numbers, the ticker \
            look-up, the sequence check and the book's update; not TLS. Once in the exchange's own order of keys, \
            and once with the keys of every message shuffled. The best of several runs is printed, and only if all \
            books end up, level by level, as a slow general parser has them. Without recordings, frames of the \
            same shape are made from a seed. Measure with a release build on a quiet machine.
            """
        command.flags = [data, made, seed, seconds, runs]
        command.run = { invocation, terminal in
            let seed = UInt64(invocation[BenchCommand.seed] ?? 7)
            let folder = invocation[data] ?? ProcessInfo.processInfo.environment["MARTLET_DATA"]
            let frames =
                try invocation[made] ? nil : RecordedFrames.read(folder, isRequired: invocation[data] != nil)
            let input = frames ?? MadeFrames.deltas(3_000, seed: seed)
            let seconds = Double(invocation[BenchCommand.seconds] ?? 1)
            let runs = invocation[BenchCommand.runs] ?? 5
            let plain, shuffled: WireBenchmark.Figures
            do throws(WireBenchmark.Failure) {
                plain = try best(of: runs, seconds, WireBenchmark(frames: input))
                shuffled = try best(of: runs, seconds, WireBenchmark(frames: input, shuffleSeed: seed))
            } catch {
                throw CommandError("the benchmark has no result: \(error)")
            }
            try printDecode(plain, shuffled, isRecorded: frames != nil, invocation, terminal)
            return .success
        }
        return command
    }

    private static func best(of runs: Int, _ seconds: Double, _ benchmark: WireBenchmark)
        throws(WireBenchmark.Failure) -> WireBenchmark.Figures
    {
        var best = try benchmark.run(seconds: seconds, clock: { processorNanoseconds() })
        for _ in 1..<max(runs, 2) where !Interrupt.isRequested {
            let figures = try benchmark.run(seconds: seconds, clock: { processorNanoseconds() })
            if figures.messagesPerSecond > best.messagesPerSecond { best = figures }
        }
        return best
    }

    /// Of this thread: what other programs do meanwhile is not counted.
    private static func processorNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func printDecode(
        _ plain: WireBenchmark.Figures, _ shuffled: WireBenchmark.Figures, isRecorded: Bool,
        _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        let source = isRecorded ? "recorded" : "made"
        let hash = String(plain.bookHash, radix: 16)
        if invocation.isJSON {
            return try terminal.line(
                JSONValue.fields([
                    ("messages_per_second", .real(plain.messagesPerSecond.rounded())),
                    ("messages_per_second_shuffled", .real(shuffled.messagesPerSecond.rounded())),
                    ("bytes_per_second", .real(plain.bytesPerSecond.rounded())),
                    ("bytes_per_message", .real(Double(plain.bytes) / Double(plain.messages))),
                    ("messages", .integer(plain.messages)), ("markets", .integer(plain.markets)),
                    ("book_hash", .string(hash)), ("frames", .string(source)),
                    ("machine", .string(Machine.summary)),
                ]).text)
        }
        func rate(_ figures: WireBenchmark.Figures) -> String {
            Progress.short(figures.messagesPerSecond) + " messages/s, "
                + Progress.short(figures.bytesPerSecond) + "B/s"
        }
        let rows = [
            ("machine", Machine.summary),
            ("frames", "\(source), \(plain.bytes / plain.messages) bytes each, \(plain.markets) markets"),
            ("exchange's order of keys", rate(plain)),
            ("keys shuffled", rate(shuffled)),
            ("books", "as the slow replay has them (\(hash))"),
        ]
        try terminal.line(HelpText.table(rows, indent: 0))
    }
}

/// The recorded WebSocket frames that the decode benchmark goes over.
private enum RecordedFrames {
    private static let files = [
        "kalshi/demo-session/session.jsonl.gz", "kalshi/ws-frames-2026-04/kalshi_ws_frames.jsonl",
    ]

    /// Nil where there are none and none are required.
    static func read(_ folder: String?, isRequired: Bool) throws -> [[UInt8]]? {
        guard let folder else { return nil }
        var frames: [[UInt8]] = []
        for file in files {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(file)
            guard FileManager.default.fileExists(atPath: url.path) else {
                guard isRequired else { return nil }
                throw CommandError(
                    "\(url.path) does not exist; name the folder that holds kalshi/demo-session, or use --made"
                )
            }
            for line in try bytes(url).split(separator: UInt8(ascii: "\n")) {
                frames.append(frame(Array(line)))
            }
        }
        return frames
    }

    /// A recorder's line carries the frame as text in `raw`; others are the frame.
    private static func frame(_ line: [UInt8]) -> [UInt8] {
        guard let raw = (try? JSONParser.parse(line))?["raw"]?.string else { return line }
        return Array(raw.utf8)
    }

    private static func bytes(_ url: URL) throws -> [UInt8] {
        guard url.pathExtension == "gz" else { return Array(try Data(contentsOf: url)) }
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", "--", url.path]
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CommandError("gzip cannot unpack \(url.path)") }
        return Array(data)
    }
}
