import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletKalshi
@testable import MartletNetwork

@Suite("Feed connection on real sockets")
struct FeedConnectionTests {
    @Test("subscribes with signed headers and follows the books")
    func follows() throws {
        let rig = try FeedRig { now in
            ["KALSHI-ACCESS-KEY": "k", "KALSHI-ACCESS-TIMESTAMP": String(now / 1_000_000)]
        }
        try rig.runUntilLevel()
        for cents in 30..<60 { rig.change(cents: cents) }
        try rig.runUntilLevel()
        #expect(rig.keeper.faults.isEmpty && rig.drains > 0)
        let head = try #require(rig.server.handshakes.first)
        #expect(head.path == "/trade-api/ws/v2" && head.headers["KALSHI-ACCESS-KEY"] == "k")
        #expect(rig.changes == [.connecting, .open])
    }

    @Test("a dropped connection: books unusable, back with all books, nothing doubled")
    func drop() throws {
        let rig = try FeedRig(channels: [.book, .trades])
        try rig.runUntilLevel()
        for round in 0..<5 {
            rig.change(cents: 30 + round)
            rig.server.drop()
            try rig.run { rig.keeper.isUsable == [false, false] }
            _ = rig.server.exchange.change("M1", isBid: false, cents: 60 + round, by: 500)
            try rig.runUntilLevel()
        }
        #expect(rig.keeper.faults.isEmpty)
        #expect(rig.server.handshakes.count == 6)
        #expect(rig.keeper.reconciled == Array(repeating: .trades, count: rig.keeper.reconciled.count))
        #expect(rig.keeper.reconciled.count == 5)
    }

    @Test("a close by the exchange is a lost connection, and says its reason")
    func closedByExchange() throws {
        let rig = try FeedRig()
        try rig.runUntilLevel()
        rig.server.last?.socket?.close(1001, reason: "maintenance")
        rig.server.last?.isOpen = false
        try rig.run { rig.server.handshakes.count == 2 && rig.keeper.isLevel }
        #expect(rig.reasons.first?.contains("maintenance") == true)
    }

    @Test("field note 11: a half-open connection is noticed by pings that nobody answers")
    func fieldNote11halfOpen() throws {
        let rig = try FeedRig()
        try rig.runUntilLevel()
        rig.isServerFrozen = true
        try rig.run { !rig.reasons.isEmpty }
        #expect(rig.reasons.first?.contains("timed out") == true)
        #expect(rig.keeper.isUsable == [false, false])
        rig.isServerFrozen = false
        rig.server.drop()
        try rig.runUntilLevel()
        #expect(rig.keeper.faults.isEmpty)
    }

    @Test("field note 11: pongs alone do not hide an exchange that answers no more")
    func fieldNote11stalled() throws {
        var settings = FeedRig.settings()
        settings.session.probeInterval = .milliseconds(60)
        settings.session.replyTimeout = .milliseconds(100)
        let rig = try FeedRig(settings: settings)
        try rig.runUntilLevel()
        rig.server.isDeaf = true
        try rig.run { !rig.reasons.isEmpty }
        #expect(rig.reasons.first?.contains("answers no more") == true)
        rig.server.isDeaf = false
        try rig.run { rig.keeper.isLevel && rig.server.handshakes.count > 1 }
    }

    @Test("field note 11: a quiet market with live pings and answered probes stays connected")
    func fieldNote11quiet() throws {
        var settings = FeedRig.settings()
        settings.session.probeInterval = .milliseconds(10)
        let rig = try FeedRig(settings: settings)
        try rig.runUntilLevel()
        try rig.run { rig.server.exchange.commands.count { $0.contains("list_subscriptions") } > 20 }
        #expect(rig.reasons.isEmpty && rig.keeper.isLevel)
    }

    @Test("gap, duplicate, reordering, garbage, unknown types and errors leave right books")
    func faults() throws {
        let rig = try FeedRig()
        try rig.runUntilLevel()
        var count = 0
        rig.server.alter = { frames in
            count += 1
            switch count % 7 {
            case 1: return frames.dropLast()
            case 2: return frames + frames
            case 3: return frames.reversed()
            case 4: return frames + [#"{"type":"weather","msg":{"rain":true}}"#]
            case 5: return ["no JSON at all"] + frames
            case 6: return [#"{"type":"error","id":77,"msg":{"code":18,"msg":"Command timeout"}}"#] + frames
            default: return frames
            }
        }
        for round in 0..<70 {
            rig.server.push(
                rig.server.exchange.change("M\(round % 2)", isBid: true, cents: 20 + round % 30, by: 100)
                    + rig.server.exchange.change("M0", isBid: false, cents: 55 + round % 30, by: 100))
            if round % 5 == 0 { try rig.run { rig.drains > round } }
        }
        rig.server.alter = { $0 }
        rig.change()
        try rig.runUntilLevel()
        #expect(rig.keeper.faults.isEmpty && rig.reasons.isEmpty)
        #expect(rig.session.statistics.gaps > 0 && rig.session.statistics.duplicates > 0)
        #expect(rig.session.statistics.unknownTypes["weather"] ?? 0 > 0)
    }

    @Test("messages split into fragments and bytes are whole messages")
    func splitFrames() throws {
        let rig = try FeedRig()
        try rig.runUntilLevel()
        for round in 0..<20 {
            for frame in rig.server.exchange.change("M0", isBid: true, cents: 30 + round, by: 100) {
                let bytes = Array(frame.utf8)
                let cut = 1 + round * 5 % (bytes.count - 2)
                // A fragment, a ping in between, the rest; the last sent byte by byte.
                var wire = header(opcode: 0x01, bytes[..<cut]) + [0x89, 0x02, 0x68, 0x62]
                wire += header(opcode: 0x80, bytes[cut...])
                for piece in round < 5 ? wire.map({ [$0] }) : [wire] {
                    piece.withUnsafeBytes { _ = rig.server.last?.socket?.send(prepared: $0) }
                    if round < 2 { try rig.loop.runOnce(timeout: 0) }
                }
            }
        }
        try rig.runUntilLevel()
        #expect(rig.keeper.faults.isEmpty && rig.session.statistics.malformed == 0 && rig.reasons.isEmpty)
    }
    private func header(opcode: UInt8, _ payload: ArraySlice<UInt8>) -> [UInt8] {
        let length =
            payload.count < 126
            ? [UInt8(payload.count)] : [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        return [opcode] + length + payload
    }

    @Test("a message beyond the limit ends the connection, and the next is good")
    func oversized() throws {
        var settings = FeedRig.settings()
        settings.webSocket.messageMax = 4096
        let rig = try FeedRig(settings: settings)
        try rig.runUntilLevel()
        rig.server.push([String(repeating: " ", count: 5000)])
        try rig.run { !rig.reasons.isEmpty }
        rig.server.last?.isOpen = false
        try rig.run { rig.server.handshakes.count == 2 && rig.keeper.isLevel }
        #expect(rig.keeper.faults.isEmpty)
    }

    @Test("a slow reader gets every message in the end")
    func slowReads() throws {
        let rig = try FeedRig()
        try rig.runUntilLevel()
        // Far more than the sockets' buffers hold, before the client reads at all.
        for round in 0..<12_000 {
            rig.change("M\(round % 2)", isBid: round % 3 > 0, cents: round % 3 > 0 ? 30 : 70, by: 100)
            if round % 500 == 0 { try rig.server.loop.runOnce(timeout: 0) }
        }
        try rig.runUntilLevel()
        #expect(rig.keeper.deltas == 12_000 && rig.keeper.faults.isEmpty)
    }

    @Test("a refused handshake is told with its status, and tried again with a new signature")
    func refused() throws {
        var signatures = 0
        let rig = try FeedRig { _ in
            signatures += 1
            return ["KALSHI-ACCESS-SIGNATURE": "\(signatures)"]
        }
        rig.server.refuses = 401
        try rig.run { rig.reasons.count >= 2 }
        guard case .refused(401, let reason, _) = try #require(rig.changes.first { $0 != .connecting }) else {
            Issue.record("not told as refused")
            return
        }
        #expect(reason.contains("authentication_error"))
        rig.server.refuses = nil
        try rig.runUntilLevel()
        let used = rig.server.handshakes.compactMap { $0.headers["KALSHI-ACCESS-SIGNATURE"] }
        #expect(used.count >= 3 && Set(used).count == used.count)
    }

    @Test("a connection is replaced at its age")
    func lifetime() throws {
        var settings = FeedRig.settings()
        settings.lifetimeMax = .milliseconds(40)
        let rig = try FeedRig(settings: settings)
        try rig.run { rig.server.handshakes.count >= 3 }
        #expect(rig.reasons.allSatisfy { $0.contains("age") })
    }

    @Test("back-off doubles, stays under its most, and is jittered")
    func backoff() {
        var backoff = Backoff(seed: 3)
        var other = Backoff(seed: 4)
        var waits: [TimeSpan] = []
        for _ in 0..<12 { waits.append(backoff.next(after: .zero)) }
        #expect(waits[0] <= .milliseconds(250) && waits[0] >= .milliseconds(125))
        #expect(waits.allSatisfy { $0 <= .seconds(30) } && waits[11] >= .seconds(15))
        #expect(waits != (0..<12).map { _ in other.next(after: .zero) })
        #expect(backoff.next(after: .seconds(60)) <= .milliseconds(250))
    }
}

/// What REST would tell, for the group's tests.
final class FakeReconciler: FeedReconciler {
    var asked: [(channel: FeedChannel, since: Timestamp)] = []
    var answer = Reconciliation()
    var failures = 0
    struct Unreachable: Error {}

    func reconcile(
        _ channel: FeedChannel, since: Timestamp, done: @escaping (Result<Reconciliation, any Error>) -> Void
    ) {
        asked.append((channel, since))
        if failures > 0 {
            failures -= 1
            return done(.failure(Unreachable()))
        }
        done(.success(channel == .fills ? answer : Reconciliation()))
    }
}

@Suite("Feed group")
struct FeedGroupTests {
    static func fill(_ id: String, sid: Int) -> String {
        #"{"type":"fill","sid":\#(sid),"msg":{"trade_id":"\#(id)","order_id":"o","market_ticker":"M0","exchange_index":0,"is_taker":false,"side":"yes","yes_price_dollars":"0.4700","count_fp":"4.00","fee_cost":"0.000000","action":"buy","ts":1795442400,"ts_ms":1795442400700,"post_position_fp":"4.00","outcome_side":"yes","book_side":"bid"}}"#
    }

    @Test("markets spread over connections, private channels on one of their own")
    func spreads() throws {
        let tickers = (0..<25).map { "M\($0)" }
        let rig = try FeedRig([])
        rig.connection?.stop()
        let exchange = ModelExchange(tickers)
        let server = try FeedServer(exchange)
        defer { server.close() }
        let receiver = GroupReceiver(tickers)
        var settings = FeedRig.settings()
        settings.session.marketsPerConnection = 10
        let group = FeedGroup(
            rig.loop, to: try server.url(), tls: nil, settings: settings, receiver: receiver
        ) { _ in [:] }
        defer { group.stop() }
        group.subscribe(.fills)
        for (index, ticker) in tickers.enumerated() {
            group.subscribe([.book, .trades], Market.ID(index), ticker)
        }
        group.start()
        #expect(group.connections.count == 4)
        try receiver.run(rig.loop, server.loop) { group.openConnections == 4 }
        let wanted = group.connections.map { $0.session.wantedCount(.book) }
        #expect(wanted.sorted() == [0, 5, 10, 10])
        group.unsubscribe([.book, .trades], Market.ID(3))
        group.subscribe([.book], Market.ID(3), "M3")
        #expect(group.connections.count == 4)
    }

    @Test("field note 15: fills from the feed and from REST count once, whatever the order")
    func fieldNote15fillsOnce() throws {
        let exchange = ModelExchange(["M0"])
        let server = try FeedServer(exchange)
        defer { server.close() }
        let loop = try EventLoop()
        let receiver = GroupReceiver(["M0"])
        let reconciler = FakeReconciler()
        reconciler.failures = 1
        let group = FeedGroup(
            loop, to: try server.url(), tls: nil, settings: FeedRig.settings(), receiver: receiver,
            reconciler: reconciler
        ) { _ in [:] }
        defer { group.stop() }
        group.subscribe(.fills)
        group.start()
        // The first answer fails; REST is asked again.
        try receiver.run(loop, server.loop) { reconciler.asked.count >= 2 }
        #expect(reconciler.asked.allSatisfy { $0.since == .unknown })
        let sid = exchange.sid("fill")
        server.push([FeedGroupTests.fill("f1", sid: sid), FeedGroupTests.fill("f1", sid: sid)])
        try receiver.run(loop, server.loop) { receiver.fills == ["f1"] }
        var session = FeedSession()
        session.opened(at: Timestamp(seconds: 1))
        for id in ["f1", "f2"] { session.receive(FeedGroupTests.fill(id, sid: 1), at: Timestamp(seconds: 2)) }
        var batch = FeedBatch()
        session.exchange(&batch)
        batch.forEach(event: { _ in }, output: { reconciler.answer.outputs.append($0) })
        // The connection drops, a fill happens meanwhile: REST tells both, f2 comes through, once.
        server.drop()
        try receiver.run(loop, server.loop) { receiver.fills.count == 2 }
        server.push([FeedGroupTests.fill("f2", sid: exchange.sid("fill")), FeedGroupTests.fill("f3", sid: 1)])
        try receiver.run(loop, server.loop) { receiver.fills.contains("f3") }
        #expect(receiver.fills == ["f1", "f2", "f3"])
        #expect(reconciler.asked.last?.since != .unknown)
    }

    final class GroupReceiver: FeedReceiver {
        let keeper: BookKeeper
        var fills: [String] = []
        init(_ tickers: [String]) { keeper = BookKeeper(tickers) }
        func feed(_ event: MarketEvent) { keeper.take(event) }
        func feed(_ output: FeedOutput, at time: Timestamp) {
            if case .fill(let fill) = output { fills.append(fill.tradeID) }
            keeper.take(output)
        }
        func isCrossed(_ market: Market.ID) -> Bool { keeper.isCrossed(market) }
        func feedDrained(at time: Timestamp) {}
        func feed(_ change: FeedConnection.Change, connection: Int) {}

        func run(
            _ client: EventLoop, _ server: EventLoop, _ location: SourceLocation = #_sourceLocation,
            until condition: () -> Bool
        ) throws {
            let deadline = Clocks.monotonic() + Nanoseconds.seconds(20)
            while !condition() {
                guard Clocks.monotonic() < deadline else {
                    Issue.record("waited in vain", sourceLocation: location)
                    return
                }
                try server.runOnce(timeout: 0)
                try client.runOnce(timeout: Nanoseconds.milliseconds(1))
            }
        }
    }
}
