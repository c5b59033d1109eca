import Foundation
import Testing

/// Where the recorded data and the exchange's samples lie, and how they are read.
enum RecordedData {
    /// `MARTLET_DATA`, or `../shared/data` beside the package.
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["MARTLET_DATA"] { return URL(fileURLWithPath: path) }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("../shared/data").standardizedFileURL
    }()
    static let samplesFolder = folder.appendingPathComponent("../kalshi/samples").standardizedFileURL
    static let suiteFolder = folder.appendingPathComponent("jsontestsuite/test_parsing")

    static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
    /// For `.enabled(if:)`, whose comment is what a skipped test says.
    static var isThere: Bool { exists(folder.appendingPathComponent("kalshi/demo-session")) }
    static var hasSamples: Bool { exists(samplesFolder) }
    static var hasSuite: Bool { exists(suiteFolder) }

    static func sample(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: samplesFolder.appendingPathComponent(name + ".json")))
    }
    static func samples(prefix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: samplesFolder.path)
            .filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// The lines of a file, `.gz` ones through the system's `gzip`; empty lines are left out.
    static func lines(_ path: String) throws -> [[UInt8]] {
        let url = folder.appendingPathComponent(path)
        var data = Data()
        if path.hasSuffix(".gz") {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/gzip")
            process.arguments = ["-dc", url.path]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        } else {
            data = try Data(contentsOf: url)
        }
        return Array(data).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    static func demoSession() throws -> [[UInt8]] { try lines("kalshi/demo-session/session.jsonl.gz") }
}
