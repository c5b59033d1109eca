import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

struct AuthenticationTests {
    static let path = "/trade-api/v2/portfolio/balance"

    @Test(arguments: [KeyAlgorithm.rsa, .ed25519])
    func aSignedRequestIsAnswered(_ algorithm: KeyAlgorithm) async throws {
        let rig = try await SandboxRig(algorithm: algorithm)
        let answer = try await rig.call("GET", "portfolio/balance", as: rig.alice)
        #expect(answer.status == 200)
        #expect(answer["balance_dollars"]?.string == "40000.0000")
        let withQuery = try await rig.call("GET", "portfolio/balance?exchange_index=2", as: rig.alice)
        #expect(withQuery["balance_dollars"]?.string == "10000.0000")
    }

    @Test func overTLSWithTheSandboxsOwnAuthority() async throws {
        let rig = try await SandboxRig(isPlain: false)
        #expect(rig.tls != nil)
        #expect(try await rig.call("GET", "portfolio/balance", as: rig.alice).status == 200)
        let feed = try await rig.feed(rig.alice)
        #expect(feed.isOpen)
    }

    @Test func refusalsAreTheExchanges() async throws {
        let rig = try await SandboxRig()
        let now = Clocks.wall() / 1_000_000
        func refused(_ headers: HTTPHeaders, _ code: String, _ details: String?) async throws {
            let answer = try await rig.call("GET", "portfolio/balance", headers: headers)
            #expect(answer.status == 401)
            #expect(answer.code == code)
            #expect(answer["error"]?["details"]?.string == details)
        }
        func signed(_ text: String, stamp: Int64, key: PrivateKey? = nil, id: String = "alice") throws
            -> HTTPHeaders
        {
            [
                "KALSHI-ACCESS-KEY": id, "KALSHI-ACCESS-TIMESTAMP": "\(stamp)",
                "KALSHI-ACCESS-SIGNATURE": Base64.encode(
                    try (key ?? rig.alice.key).sign(Array(text.utf8))),
            ]
        }
        let path = AuthenticationTests.path
        let wrong = "INCORRECT_API_KEY_SIGNATURE"
        try await refused([:], "authentication_error", "MISSING_AUTHENTICATION_HEADERS")
        try await refused(
            try signed("\(now)GET\(path)", stamp: now, id: "nobody"), "authentication_error", "NOT_FOUND")
        // Another account's key, another method, another path, another time.
        try await refused(
            try signed("\(now)GET\(path)", stamp: now, key: rig.bob.key), "authentication_error", wrong)
        try await refused(try signed("\(now)POST\(path)", stamp: now), "authentication_error", wrong)
        try await refused(try signed("\(now)GET\(path)/x", stamp: now), "authentication_error", wrong)
        try await refused(try signed("\(now + 1)GET\(path)", stamp: now), "authentication_error", wrong)
        // Truncated, not base64, sent twice.
        var cut = try signed("\(now)GET\(path)", stamp: now)
        let whole = try #require(cut["KALSHI-ACCESS-SIGNATURE"])
        cut = [
            "KALSHI-ACCESS-KEY": "alice", "KALSHI-ACCESS-TIMESTAMP": "\(now)",
            "KALSHI-ACCESS-SIGNATURE": String(whole.prefix(40)),
        ]
        try await refused(cut, "authentication_error", wrong)
        // Off by more than the tolerance, either way; in seconds; no number.
        for stamp in [now - 60_000, now + 60_000, now / 1000, Int64.max] {
            try await refused(try signed("\(stamp)GET\(path)", stamp: stamp), "header_timestamp_expired", nil)
        }
    }

    /// fieldNote26: the usual mistakes are refused with a message that says which.
    @Test func usualMistakesAreNamed() async throws {
        let rig = try await SandboxRig()
        let stamp = Clocks.wall() / 1_000_000
        func message(_ text: String, _ stamp: Int64, _ query: String = "") async throws -> String {
            let answer = try await rig.call(
                "GET", "portfolio/balance" + query,
                headers: [
                    "KALSHI-ACCESS-KEY": "alice", "KALSHI-ACCESS-TIMESTAMP": "\(stamp)",
                    "KALSHI-ACCESS-SIGNATURE": Base64.encode(try rig.alice.key.sign(Array(text.utf8))),
                ])
            #expect(answer.status == 401)
            return answer["error"]?["message"]?.string ?? ""
        }
        let path = AuthenticationTests.path
        #expect(
            try await message("\(stamp)GET\(path)?subaccount=0", stamp, "?subaccount=0").contains("query"))
        #expect(try await message("\(stamp)GET/portfolio/balance", stamp).contains("/trade-api/v2"))
        #expect(try await message("\(stamp)get\(path)", stamp).contains("lower case"))
        #expect(try await message("\(stamp / 1000)GET\(path)", stamp / 1000).contains("milliseconds"))
    }

    @Test func replayIsASwitch() async throws {
        for refuses in [false, true] {
            let rig = try await SandboxRig { $0.rules.refusesReplay = refuses }
            let headers = try SandboxRig.sign(rig.alice, "GET", AuthenticationTests.path)
            #expect(try await rig.call("GET", "portfolio/balance", headers: headers).status == 200)
            let again = try await rig.call("GET", "portfolio/balance", headers: headers)
            #expect(again.status == (refuses ? 401 : 200))
        }
    }

    @Test func theClockCanBeAhead() async throws {
        let rig = try await SandboxRig { $0.faults.clockSkewMilliseconds = 30_000 }
        let answer = try await rig.call("GET", "portfolio/balance", as: rig.alice)
        #expect(answer.code == "header_timestamp_expired")
        let ahead = try SandboxRig.sign(
            rig.alice, "GET", AuthenticationTests.path, at: Clocks.wall() / 1_000_000 + 30_000)
        #expect(try await rig.call("GET", "portfolio/balance", headers: ahead).status == 200)
    }

    @Test func anUnsignedFeedIsRefused() async throws {
        let rig = try await SandboxRig()
        let feed = try await FeedClient(rig.feedURL, [:], rig.tls)
        #expect(!feed.isOpen)
        #expect("\(String(describing: feed.closure))".contains("401"))
    }
}
