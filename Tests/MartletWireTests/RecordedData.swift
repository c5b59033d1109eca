import Foundation

/// Recorded data and the exchange's samples, where the machine has them.
enum RecordedData {
    static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["MARTLET_DATA"].map { URL(fileURLWithPath: $0) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = named ?? package.appendingPathComponent("../shared/data").standardizedFileURL
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()
    static var isMissing: Bool { folder == nil }
    static func files(_ path: String) throws -> [URL] {
        guard let folder else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent(path).standardizedFileURL, includingPropertiesForKeys: nil
        ).sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}

extension RecordedData {
    /// The lines of a file that are not empty; of a `.gz` one through the system's `gzip`.
    static func lines(_ path: String) throws -> [[UInt8]] {
        guard let folder else { return [] }
        let url = folder.appendingPathComponent(path)
        guard path.hasSuffix(".gz") else { return split(try Data(contentsOf: url)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", url.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileReadCorruptFile) }
        return split(data)
    }
    private static func split(_ data: Data) -> [[UInt8]] {
        Array(data).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
}
