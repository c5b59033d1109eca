import Foundation
import MartletNetwork

@testable import MartletKalshi

/// A folder that goes with the test.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "martlet-kalshi-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ text: String, permissions: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file)
        return file
    }
}

extension RequestSigner {
    static let testKeyID = "a952bcbe-ec3b-4b5b-b8f9-11dae589608c"

    static func test(_ key: PrivateKey) throws -> RequestSigner {
        RequestSigner(try Credentials(keyID: testKeyID, key: SecretKey(key)))
    }
}

/// A clock that a test moves.
final class SimulatedClock: @unchecked Sendable {
    // @unchecked Sendable is sound because only the test's own thread uses it.
    var now: Int64
    init(_ now: Int64 = 1_795_442_400_000_000_000) { self.now = now }
    func advance(_ nanoseconds: Int64) { now += nanoseconds }
}
