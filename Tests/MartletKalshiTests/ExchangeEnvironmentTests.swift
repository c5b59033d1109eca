import Testing

@testable import MartletKalshi

@Suite struct ExchangeEnvironmentTests {
    @Test func fieldNote02OneSettingDecidesRestAndFeed() throws {
        let table: [(String, ExchangeEnvironment.Kind, String)] = [
            ("production", .production, "wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
            ("demo", .demo, "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"),
            (
                "https://api.elections.kalshi.com", .production,
                "wss://api.elections.kalshi.com/trade-api/ws/v2"
            ),
            (
                "https://demo-api.kalshi.co/trade-api/v2", .demo,
                "wss://demo-api.kalshi.co/trade-api/ws/v2"
            ),
            ("https://127.0.0.1:8443/", .custom, "wss://127.0.0.1:8443/trade-api/ws/v2"),
            ("http://localhost:8080", .custom, "ws://localhost:8080/trade-api/ws/v2"),
            ("http://[::1]:8080/sim", .custom, "ws://[::1]:8080/sim/trade-api/ws/v2"),
        ]
        for (setting, kind, feed) in table {
            let environment = try ExchangeEnvironment(setting)
            #expect(environment.kind == kind)
            #expect(environment.feed.description == feed, "\(setting)")
        }
    }

    @Test func fieldNote02AMixedPairIsRefused() throws {
        for (rest, feed) in [
            ("https://127.0.0.1:8443", "wss://external-api-ws.kalshi.com/trade-api/ws/v2"),
            ("https://external-api.kalshi.com", "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2"),
            ("https://127.0.0.1:8443", "wss://10.0.0.1:8443/trade-api/ws/v2"),
            ("https://127.0.0.1:8443", "ws://127.0.0.1:8443/trade-api/ws/v2"),
        ] {
            #expect(throws: EnvironmentError.mixed(rest: rest, feed: feed)) {
                try ExchangeEnvironment(rest: rest, feed: feed)
            }
        }
        _ = try ExchangeEnvironment(
            rest: "https://127.0.0.1:8443", feed: "wss://127.0.0.1:9443/trade-api/ws/v2")
    }

    @Test func plainHTTPIsForThisMachineAlone() {
        for text in [
            "http://external-api.kalshi.com", "http://10.0.0.1:80", "http://127.evil.example",
            "http://127.0.0.1.example.com",
        ] {
            #expect(throws: EnvironmentError.insecure(text)) { try ExchangeEnvironment(text) }
        }
    }

    @Test func whatIsNoExchangeSaysSo() {
        for text in ["prod", "", "ftp://x", "wss://127.0.0.1", "https://x?y=1", "https://a:b@c"] {
            #expect(throws: EnvironmentError.notAnAddress(text)) { try ExchangeEnvironment(text) }
        }
    }
}
