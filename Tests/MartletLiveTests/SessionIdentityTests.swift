import Foundation
import Martlet
import Testing

@testable import MartletLive

/// What a later process believes of a session's folder.
@Suite struct SessionIdentityTests {
    private static func identity() -> SessionIdentity {
        SessionIdentity(
            session: "maker-20261123T090000Z", mode: "live", pid: getpid(), environment: "demo", keyID: "key",
            keyFile: "key.pem", passphraseFile: nil, authorityFile: nil, nonce: 7, token: "t", started: 1)
    }

    /// In a container every start has the same process number.
    @Test func anotherProcessOfTheSameNumberIsNotTheSession() {
        var identity = Self.identity()
        #expect(identity.isRunning)
        #if os(Linux)
            #expect(identity.processStart != nil)
            identity.processStart = "another boot 12345"
            #expect(!identity.isRunning)
        #endif
        identity = Self.identity()
        identity.ended = 2
        #expect(!identity.isRunning)
    }

    @Test func aFolderWrittenByAnOlderVersionIsRead() throws {
        let encoder = JSONEncoder()
        let data = try encoder.encode(Self.identity())
        var tree = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        tree["processStart"] = nil
        tree["hold"] = nil
        let old = try JSONSerialization.data(withJSONObject: tree)
        let read = try JSONDecoder().decode(SessionIdentity.self, from: old)
        #expect(read.hold == nil && read.nonceValue == 7 && read.isRunning)
    }

    @Test(arguments: [
        ("maker-20261123T090000Z", true), ("maker-20261123T090000Z-2", true),
        ("maker-b-20261123T090000Z", false),
        ("maker-2026", false), ("maker-20261123T090000Z-x", false), ("makers-20261123T090000Z", false),
        ("maker-20261123-090000Z", false), ("maker-20261123T090000Zb", false),
    ]) func sessionsOfAnotherConfigurationAreNotOurs(folder: String, isOurs: Bool) {
        #expect(EarlierRuns.isSession(folder, of: "maker") == isOurs)
    }
}
