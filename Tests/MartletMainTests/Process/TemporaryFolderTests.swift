import Foundation
import Testing

@testable import MartletMain

@Suite struct TemporaryFolderTests {
    /// A demonstration that was killed left its key behind.
    @Test func whatKilledProcessesLeftIsRemovedAndWhatLivesStays() throws {
        let name = "martlet-test-\(UUID().uuidString)"
        let files = FileManager.default
        let living = try TemporaryFolder.make(name)
        defer { try? files.removeItem(atPath: living) }
        let dead = NSTemporaryDirectory() + name + "-dead00"
        let strange = NSTemporaryDirectory() + name + "-other0"
        defer { for path in [dead, strange] { try? files.removeItem(atPath: path) } }
        for path in [dead, strange] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        // Locked by nobody any more.
        #expect(files.createFile(atPath: dead + "/.lock", contents: nil))
        #expect(files.createFile(atPath: dead + "/private.pem", contents: nil))

        let next = try TemporaryFolder.make(name)
        defer { try? files.removeItem(atPath: next) }
        #expect(!files.fileExists(atPath: dead))
        #expect(files.fileExists(atPath: living) && files.fileExists(atPath: next) && next != living)
        #expect(files.fileExists(atPath: strange), "not known to be ours")
        let mode = try files.attributesOfItem(atPath: next)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }
}
