import Foundation
import MartletWire

/// A program in bare C that reads and writes the same TLS records as the trader and does nothing else, run against
/// the same peer: `Tests/Benchmarks/wire-latency.c`.
struct BareComparison {
    /// Nanoseconds.
    struct Figures {
        var median: Double
        var p99: Double
        var read: Double
        var write: Double
    }

    /// Runs `program PORT CA-FILE REQUEST-FILE MESSAGES poll|sleep`, which prints one JSON object.
    static func run(
        _ program: String, _ server: LatencyServer, request: [UInt8], messages: Int, isPolling: Bool
    ) throws -> Figures {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-latency-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let authority = folder.appendingPathComponent("authority.pem")
        let order = folder.appendingPathComponent("request")
        try Data(server.authorityPEM.utf8).write(to: authority)
        try Data(request).write(to: order)
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            String(server.port), authority.path, order.path, String(messages), isPolling ? "poll" : "sleep",
        ]
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            throw CommandError("\(program) cannot be run; Tests/Benchmarks/wire-latency builds it")
        }
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let value = try? JSONParser.parse(Array(data)),
            let median = value["median"]?.double, let p99 = value["p99"]?.double,
            let read = value["read"]?.double, let write = value["write"]?.double
        else { throw CommandError("\(program) failed with exit code \(process.terminationStatus)") }
        return Figures(median: median, p99: p99, read: read, write: write)
    }
}
