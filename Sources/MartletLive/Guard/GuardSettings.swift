import Foundation

/// `guard.json`: what a session's guard must know beside its identity. Readable by its owner alone, for an alert's
/// address is a secret of its own.
public struct GuardSettings: Codable, Hashable, Sendable {
    /// Seconds without a pulse.
    public var timeout: Double
    public var alerts: LiveSettings.AlertSettings

    public init(_ settings: LiveSettings) {
        timeout = settings.guardTimeout.seconds
        alerts = settings.alerts
    }

    private static func path(_ folder: SessionFolder) -> String { folder.path + "/guard.json" }

    public init(folder: SessionFolder) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: GuardSettings.path(folder)))
        self = try JSONDecoder().decode(GuardSettings.self, from: data)
    }

    public func write(to folder: SessionFolder) throws {
        let data = try JSONEncoder().encode(self)
        guard
            FileManager.default.createFile(
                atPath: GuardSettings.path(folder), contents: data, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
    }
}
