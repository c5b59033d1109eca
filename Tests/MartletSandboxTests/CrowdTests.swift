import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// Many connections, slow senders, bytes that are no protocol: nobody else notices.
struct CrowdTests {
    /// Two thousand connections that ask for nothing; one more asks and is served.
    @Test func thousandsOfIdleConnections() async throws {
        let rig = try await SandboxRig()
        var idle: [BareClient] = []
        for _ in 0..<2000 { idle.append(try BareClient(rig.endpoint.port)) }
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        #expect(try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice).status == 201)
        #expect(idle.count == 2000)
    }

    /// Beyond the limit those who have asked nothing give way to those who come: nobody is shut out.
    @Test func connectionsAreBounded() async throws {
        let rig = try await SandboxRig { $0.connectionsMax = 16 }
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        var many: [BareClient] = []
        for _ in 0..<40 { many.append(try BareClient(rig.endpoint.port)) }
        // The connection that was there before goes on.
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        #expect(many[0].readToEnd().isEmpty)
        try many[39].write(
            "GET /trade-api/v2/exchange/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(many[39].readToEnd().hasPrefix("HTTP/1.1 200 "))
    }

    /// One account's WebSockets are bounded, and leave room for the others'.
    @Test func anAccountsFeedsAreBounded() async throws {
        let rig = try await SandboxRig { $0.accountSessionsMax = 2 }
        let feeds = [try await rig.feed(rig.alice), try await rig.feed(rig.alice)]
        let third = try await rig.feed(rig.alice)
        #expect(!third.isOpen)
        let other = try await rig.feed(rig.bob)
        #expect(other.isOpen && feeds.allSatisfy(\.isOpen))
    }

    /// A head or a body that comes a byte at a time is given up after the time for a request.
    @Test func slowSendersAreCutOff() async throws {
        let rig = try await SandboxRig { $0.requestSeconds = 1 }
        let head = try BareClient(rig.endpoint.port)
        try head.write("GET /trade-api/v2/exchange/sta")
        let body = try BareClient(rig.endpoint.port)
        try body.write(
            "POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        #expect(head.readToEnd().hasPrefix("HTTP/1.1 408 "))
        #expect(body.readToEnd().hasPrefix("HTTP/1.1 408 "))
        #expect(try await rig.call("GET", "exchange/status").status == 200)
    }

    @Test(arguments: [
        "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func whatIsNoRequestIsRefused(text: String) async throws {
        let rig = try await SandboxRig()
        let client = try BareClient(rig.endpoint.port)
        try client.write(text)
        let answer = client.readToEnd()
        let code = answer.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        #expect(["400", "413", "505", "501"].contains(code), "\(answer.prefix(100))")
        #expect(answer.contains(#"{"error":{"code":"invalid_request","message":"#))
        #expect(try await rig.call("GET", "exchange/status").status == 200)
    }

    /// Whatever a client says on its WebSocket, it is told what was wrong, and goes on being served.
    @Test func nonsenseOnAWebSocketIsAnswered() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let many = (0..<3000).map { "\"KXNONE-\($0)\"" }.joined(separator: ",")
        let nonsense = [
            "", " ", "null", "1e999", "\"x\"", "{", "{}", "[[[[", String(repeating: "[", count: 20_000),
            #"{"id":1,"cmd":{}}"#, #"{"id":1,"cmd":"subscribe","params":"all"}"#,
            #"{"id":1.5,"cmd":"subscribe","params":{"channels":["ticker"]}}"#,
            #"{"id":1,"cmd":"subscribe","params":{"channels":"ticker"}}"#,
            #"{"id":1,"cmd":"subscribe","params":{"channels":[1,2]}}"#,
            #"{"id":1,"cmd":"subscribe","params":{"channels":["trade"],"market_tickers":[1]}}"#,
            #"{"id":1,"cmd":"subscribe","params":{"channels":["trade"],"market_tickers":[\#(many)]}}"#,
            #"{"id":1,"cmd":"unsubscribe","params":{"sids":["1"]}}"#,
            #"{"id":1,"cmd":"unsubscribe","params":{"sids":[-1]}}"#,
            #"{"id":1,"cmd":"update_subscription","params":{"sids":[9223372036854775807]}}"#,
        ]
        for text in nonsense {
            await feed.send(text)
            #expect(try await feed.next("error")["msg"]?["code"]?.int64 != nil, "\(text.prefix(80))")
        }
        try await feed.settle()
        #expect(feed.isOpen)
        #expect(feed.take().isEmpty)
    }

    /// Another's group, fills and orders are as absent, by whatever name they are asked for.
    @Test func anothersThingsAreAbsent() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let made = try await rig.call(
            "POST", "portfolio/order_groups/create", #"{"contracts_limit":30}"#, as: rig.alice)
        let group = try #require(made["order_group_id"]?.string)
        let taken = try await rig.place(
            SandboxRig.order(rig.market, "bid", "2", at: "0.99", "immediate_or_cancel"), as: rig.alice)
        let order = try #require(taken["order_id"]?.string)
        #expect(taken["fill_count"]?.string == "2.00")
        let absent = "00000000-0000-4000-a000-000000000000"
        for (path, method) in [
            ("portfolio/order_groups/ID", "GET"), ("portfolio/order_groups/ID", "DELETE"),
            ("portfolio/order_groups/ID/reset", "PUT"), ("portfolio/order_groups/ID/trigger", "PUT"),
        ] {
            let body = method == "PUT" ? "{}" : nil
            let named = path.split(separator: "ID", omittingEmptySubsequences: false)
            let theirs = try await rig.call(method, named.joined(separator: group), body, as: rig.bob)
            let nobodys = try await rig.call(method, named.joined(separator: absent), body, as: rig.bob)
            #expect(theirs.status == 404 && theirs.json == nobodys.json, "\(method) \(path)")
        }
        let joined = try await rig.place(
            SandboxRig.order(
                rig.market, at: "0.01", "good_till_canceled", #","order_group_id":"\#(group)""#), as: rig.bob)
        #expect(joined.status == 404)
        let fills = try await rig.call("GET", "portfolio/fills?order_id=\(order)", as: rig.bob)
        #expect(fills.status == 200 && fills["fills"]?.array?.isEmpty == true)
        let own = try await rig.call("GET", "portfolio/fills?order_id=\(order)", as: rig.alice)
        #expect(own["fills"]?.array?.isEmpty == false)
        let still = try await rig.call("GET", "portfolio/order_groups/\(group)", as: rig.alice)
        #expect(still.status == 200)
    }
}
