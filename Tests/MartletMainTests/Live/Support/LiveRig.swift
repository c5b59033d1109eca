import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletSandbox
import Testing

@testable import MartletMain

/// A live session with a scripted strategy on a sandbox exchange in this process, whose world stands still: nothing
/// trades but what the test and a second account do.
final class LiveRig {
    static let otherKeyID = "other-key"
    let exchange: DemoExchange
    let run: SessionRun
    let desk: ScriptDesk
    let folder: String
    /// Another trader, or another program on the session's own account.
    let other: KalshiClient
    let sameAccount: KalshiClient
    private var orderNumber = 0

    /// Plays on a thread of its own, not on one of the test's few, and clears up.
    static func play(
        markets: Int = 6, settings: [String: String] = [:],
        adjust: @escaping @Sendable (inout SandboxSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (LiveRig) throws -> Void
    ) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread {
                continuation.resume(
                    with: Result {
                        let rig = try LiveRig(markets, settings, adjust)
                        defer { rig.close() }
                        try rig.start()
                        try body(rig)
                    })
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    static func registry() throws -> StrategyRegistry { try StrategyRegistry([ScriptedStrategy.self]) }

    private init(
        _ markets: Int, _ settings: [String: String], _ adjust: (inout SandboxSettings) -> Void
    ) throws {
        folder = NSTemporaryDirectory() + "martlet-rig-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = try PrivateKey.generate(.ed25519)
        let file = folder + "/other.pem"
        try NewFile.write(try key.pem(), to: file, mode: 0o600)
        let publicKey = key.publicKey.pem()
        exchange = try DemoExchange(seed: 7, tier: "prime", markets: markets) {
            $0.world.activity = 0
            $0.accounts.append(.init(keyID: LiveRig.otherKeyID, publicKeyPEM: publicKey))
            adjust(&$0)
        }
        let signer = RequestSigner(try Credentials(keyID: LiveRig.otherKeyID, file: file, passphrase: .none))
        other = try KalshiClient(exchange.environment, signer: signer, tls: exchange.tls)
        sameAccount = try KalshiClient(exchange.environment, signer: exchange.signer, tls: exchange.tls)
        let script = ScriptDesk.make()
        desk = script.desk
        var values = [
            "live.folder": "\"\(folder)\"", "live.guardProcess": "false", "live.requestTimeout": "0.5",
            "live.stopTimeout": "20", "live.auditInterval": "3600", "strategy.script": "\"\(script.id)\"",
            "live.markets": "[\(exchange.markets.map { "\"\($0)\"" }.joined(separator: ","))]",
        ]
        values.merge(settings) { $1 }
        let plan = try BacktestLoader(registry: try LiveRig.registry()).load(
            nil, strategy: ScriptedStrategy.name,
            overrides: values.sorted { $0.key < $1.key }.map {
                .init(Assignment(path: $0.key, value: $0.value), flag: "set")
            })
        let setup = SessionSetup(
            mode: .live, plan: plan, environment: exchange.environment, signer: exchange.signer,
            tls: exchange.tls, folder: SessionFolder(folder + "/session"), files: exchange.files)
        run = try SessionRun(setup, Terminal(output: { _ in }, error: { _ in }))
    }

    private func start() throws {
        try run.open()
        try run.start()
        try untilBooksAreLive()
    }
    private func close() {
        run.driver?.close()
        exchange.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: - The session

    var memory: ScriptMemory { desk.memories[0] }
    var status: StatusSnapshot { run.snapshot() }
    func order(_ name: String) -> Order? { memory.named[name].flatMap { memory.orders[$0] } }
    func id(_ ticker: String) throws -> Market.ID { try #require(run.session?.directory.id(of: ticker)) }

    /// Lets the session live for so many milliseconds.
    func pass(_ milliseconds: Int64) throws {
        let end = Clocks.monotonic() + Nanoseconds.milliseconds(milliseconds)
        while Clocks.monotonic() < end { try run.loop.runOnce(timeout: Nanoseconds.milliseconds(5)) }
    }
    func until(_ what: String, seconds: Double = 20, _ isSo: () throws -> Bool) throws {
        let end = Clocks.monotonic() + Int64(seconds * 1e9)
        while try !isSo() {
            guard Clocks.monotonic() < end else {
                let troubles = status.markets.compactMap { line in line.trouble.map { "\(line.ticker): \($0)" } }
                Issue.record("waited in vain until \(what); \(status.obstacles + troubles)")
                throw CancellationError()
            }
            try run.loop.runOnce(timeout: Nanoseconds.milliseconds(5))
        }
    }
    func untilBooksAreLive() throws {
        try until("all books are live") {
            let now = self.status
            return now.wantedBooks > 0 && now.liveBooks == now.wantedBooks
                && now.markets.allSatisfy { $0.trouble == nil }
        }
    }
    /// Runs in the strategy; returns when it has.
    func act(_ action: @escaping ScriptDesk.Action) throws {
        desk.pending.append(action)
        try until("the strategy acts") { self.desk.pending.isEmpty }
    }
    func place(
        _ name: String, _ side: Side, _ quantity: Quantity, at price: Price, in market: Market.ID,
        _ force: TimeInForce = .goodTillCancelled
    ) throws {
        try act { context, memory in
            memory.named[name] = context.place(
                OrderRequest(side, quantity, at: price, in: market, timeInForce: force))
        }
    }

    // MARK: - The exchange

    var ledger: SandboxLedger { get throws { try #require(exchange.ledger()) } }
    var resting: [SandboxLedger.OrderLine] {
        get throws { try ledger.orders.filter { !$0.remaining.isZero } }
    }

    /// A market with at least so many cents between its best prices, and those.
    func market(spread: Price = 0.03) throws -> (ticker: String, id: Market.ID, bid: Price, ask: Price) {
        for line in status.markets {
            guard let bid = line.bid, let ask = line.ask, ask - bid >= spread else { continue }
            return (line.ticker, try id(line.ticker), bid, ask)
        }
        Issue.record("no market has a spread of \(spread)")
        throw CancellationError()
    }

    /// `{"latency_ms": 5}` switches faults on; nil, all of them off.
    func faults(_ body: String?) throws {
        try control(body == nil ? "DELETE" : "POST", "/faults", body ?? "")
    }
    func control(_ method: String, _ path: String, _ body: String) throws {
        let url = try #require(HTTPURL(exchange.control + path))
        let client = try AsyncHTTPClient(tls: exchange.tls)
        let request = HTTPRequest(
            method, url, headers: ["Sandbox-Token": exchange.token, "Content-Type": "application/json"],
            body: Array(body.utf8))
        let answer = try AsyncWork.run { try await client.send(request) }
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
    }

    /// Trades from outside the session: an order that takes what rests and leaves nothing.
    @discardableResult
    func trade(
        _ client: KalshiClient, _ side: Side, _ quantity: Quantity, at price: Price, in ticker: String,
        _ force: TimeInForce = .immediateOrCancel
    ) throws -> OrderAnswer {
        orderNumber += 1
        let market = try id(ticker)
        let shard = run.session?.directory.market(market)?.shard ?? 0
        let order = NewOrder(
            ticker: ticker, shard: shard,
            request: OrderRequest(side, quantity, at: price, in: market, timeInForce: force),
            clientOrderID: "outside-\(orderNumber)")
        return try AsyncWork.run { try await client.send(Endpoints.createOrder(order)) }
    }

    // MARK: - The end

    /// Ends the session: its books must be the exchange's, its journal must replay, and no order was sent twice.
    @discardableResult
    func finish() throws -> SessionRun.Outcome {
        let outcome = try run.finish()
        #expect(try LedgerComparison.differences(outcome.ledger, exchange.ledger()) == [])
        #expect(outcome.unresolved == 0)
        #expect(outcome.accountsAgree == true, "\(outcome.obstacle ?? "")")
        let names = try ledger.orders.map(\.clientOrderID)
        #expect(Set(names).count == names.count, "no order was sent twice")
        #expect(try resting.isEmpty, "nothing rests")
        let replay = try ReplayCommand.verify(run.setup.folder.path, try LiveRig.registry())
        #expect(replay.isIdentical, "\(String(describing: replay.difference))")
        return outcome
    }
}
