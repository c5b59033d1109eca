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
