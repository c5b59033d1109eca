import Foundation

/// Recorded data, where the machine has it.
enum RecordedData {
    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["MARTLET_DATA"]
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder =
            (named ?? package.appendingPathComponent("../shared/data").standardizedFileURL.path) + "/kalshi"
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()
    static var isThere: Bool { folder != nil }
    static func path(_ name: String) -> String { (folder ?? "") + "/" + name }
    static func files(_ name: String, _ suffix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted()
    }
}
