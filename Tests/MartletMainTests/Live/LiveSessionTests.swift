import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletWire
import Synchronization
import Testing

import SpreadMaker

@testable import MartletMain

/// Sessions over real TLS and WebSocket against the sandbox exchange, in this process.
@Suite(.serialized) struct LiveSessionTests {
    // MARK: Support

    private static let registry: @Sendable () throws -> StrategyRegistry = {
        try StrategyRegistry([SpreadMaker.self])
    }

    /// Sessions wait on their own thread, not on one of the test's few.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    private static func setup(
        _ exchange: DemoExchange, _ folder: String, more: [Assignment] = []
    ) throws -> SessionSetup {
        let settings =
            [
                Assignment(path: "live.folder", value: "\"\(folder)\""),
                Assignment(path: "live.guardProcess", value: "false"),
                Assignment(path: "live.requestTimeout", value: "1"),
                Assignment(path: "live.stopTimeout", value: "30"),
                Assignment(
                    path: "live.markets",
                    value: "[\(exchange.markets.map { "\"\($0)\"" }.joined(separator: ","))]"),
            ] + more
        let plan = try BacktestLoader(registry: try registry()).load(
            nil, overrides: settings.map { .init($0, flag: "set") })
        let now = Timestamp(nanoseconds: Clocks.wall())
        return SessionSetup(
            mode: .live, plan: plan, environment: exchange.environment, signer: exchange.signer,
            tls: exchange.tls,
            folder: SessionFolder(
                SessionSetup.folder(of: plan, at: now).path + "-\(UInt32.random(in: 0 ... .max))"),
            files: exchange.files)
    }
    private static func folder() -> String { NSTemporaryDirectory() + "martlet-live-\(UUID().uuidString)" }

    private static func quiet() -> Terminal { Terminal(output: { _ in }, error: { _ in }) }

    private static func faults(_ exchange: DemoExchange, _ body: String?) throws {
        guard let url = HTTPURL(exchange.control + "/faults") else { return }
        let client = try AsyncHTTPClient(tls: exchange.tls)
        let request = HTTPRequest(
            body == nil ? "DELETE" : "POST", url,
            headers: ["Sandbox-Token": exchange.token, "Content-Type": "application/json"],
            body: Array((body ?? "").utf8))
        let answer = try AsyncWork.run { try await client.send(request) }
        #expect(answer.status == 200)
    }

    /// The session's books are the exchange's, and its journal decides the same again.
    private static func check(_ outcome: SessionRun.Outcome, _ run: SessionRun, _ exchange: DemoExchange)
        throws
    {
        #expect(try LedgerComparison.differences(outcome.ledger, exchange.ledger()) == [])
        #expect(outcome.unresolved == 0)
        #expect(outcome.accountsAgree == true)
        let ledger = try #require(exchange.ledger())
        #expect(ledger.orders.allSatisfy { $0.remaining.isZero }, "nothing rests")
        let names = ledger.orders.map(\.clientOrderID)
        #expect(Set(names).count == names.count, "no order was sent twice")
        let replay = try ReplayCommand.verify(run.setup.folder.path, try registry())
        #expect(replay.isIdentical, "\(String(describing: replay.difference))")
        #expect(replay.inputs > 100)
    }

    /// What `martlet replay` says of it, as a user sees it.
    private static func replays(_ folder: String) throws {
        func replay(_ arguments: String...) throws -> MartletProcess.Result {
            try MartletProcess.run(["replay"] + arguments)
        }
        let printed = try replay(folder, "--print").output
        #expect(printed.contains(" place #1 KX") && printed.contains("identical: "))
        let objects = try replay(folder, "--print", "--json", "--strategy", "spread-maker").output
        #expect(objects.contains(#""action":"place","order":1,"ticker":"KX"#))
        let changed = try replay(folder, "--with", "halfSpread=0.05", "--json")
        #expect(changed.code == 0 && changed.output.contains(#""first_differences":[{"time":"#))
        let unknown = try replay(folder, "--strategy", "nope")
        #expect(unknown.code == 2 && unknown.error.contains("it ran spread-maker"))
        #expect(try replay(folder, "--until", "2020-01-01T00:00:00Z").code == 2)
        #expect(try replay(folder + "/journal/00000000.journal").code == 0)
        let file = folder + "/journal/00000000.journal"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        let torn = try replay(folder)
        #expect(torn.code == 1 && torn.output.hasPrefix("identical up to the tear: "))
        let object = try replay(folder, "--json").output
        #expect(
            object.contains(#""identical":false"#) && object.contains(#""identical_up_to_the_tear":true"#))
    }

    @Test("Two sessions that start in one second have folders of their own")
    func folders() throws {
        let base = LiveSessionTests.folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        let logs = (0..<3).map { _ in SessionLog(SessionFolder(base + "/maker-20261123T090000Z")) }
        for log in logs { try log.begin() }
        #expect(Set(logs.map(\.folder.path)).count == 3)
    }

    // MARK: Tests

    @Test("A session trades, ends, and its books are the exchange's to the last unit")
    func plain() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 3, tier: "prime", markets: 6)
            defer { exchange.close() }
            let run = try SessionRun(try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try run.open()
            try run.start()
            try run.run(seconds: 3)
            let outcome = try run.finish()
            #expect(outcome.statistics.places > 0)
            #expect(outcome.statistics.rateLimited == 0)
            try LiveSessionTests.check(outcome, run, exchange)
            let log = try String(contentsOfFile: run.setup.folder.log, encoding: .utf8)
            #expect(!log.contains("PRIVATE") && !log.contains(run.support?.identity.token ?? "?"))
            try LiveSessionTests.replays(run.setup.folder.path)
        }
    }

    /// FIELD-NOTES 1, 13, 14, 15, 16, 22: answers lost after the order was taken, errors after the write, dropped
    /// connections, gaps, repeats: nothing doubled, nothing lost, nothing unknown at the end.
    @Test("fieldNotes01_13_14_15_16: with every fault at once nothing is lost, doubled or left unknown")
    func everyFault() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 5, tier: "prime", markets: 6)
            defer { exchange.close() }
            let run = try SessionRun(try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try run.open()
            try run.start()
            try LiveSessionTests.faults(
                exchange,
                """
                {"latency_ms": 2, "jitter_ms": 10, "drop_connection": 0.03, "lose_response": 0.05,
                "too_many_requests": 0.03, "server_error": 0.03, "error_after_write": 0.05, "extra_field": 0.2,
                "sequence_gap": 0.01, "duplicate_frame": 0.02, "reorder_frame": 0.01, "unknown_type": 0.02,
                "drop_socket": 0.002, "feed_delay_ms": 5}
                """)
            try run.run(seconds: 5)
            try LiveSessionTests.faults(exchange, nil)
            try run.run(seconds: 1)
            let outcome = try run.finish()
            #expect(outcome.statistics.places > 0)
            try LiveSessionTests.check(outcome, run, exchange)
        }
    }

    @Test(
        "A session that was cut off is known to the next: what rests is cancelled, positions are taken over")
    func restart() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 4, tier: "prime", markets: 6)
            defer { exchange.close() }
            do {
                let first = try SessionRun(
                    try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
                try first.open()
                try first.start()
                try first.run(seconds: 2)
                // As a kill leaves it: no order cancelled, nothing written down, the process gone.
                first.driver?.close()
                first.release()
                var identity = try SessionIdentity(folder: first.setup.folder)
                identity.pid = 999_999
                try identity.write(to: first.setup.folder)
            }
            let resting = try #require(exchange.ledger()).orders.count { !$0.remaining.isZero }
            #expect(resting > 0, "the cut-off session left orders")
            let second = try SessionRun(
                try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try second.open()
            #expect(second.earlier.sessions == 1 && !second.earlier.endedInOrder)
            #expect(second.resting.count == second.opening?.resting.count)
            try second.clearResting()
            #expect(try #require(exchange.ledger()).orders.allSatisfy { $0.remaining.isZero })
            try second.start()
            try second.run(seconds: 2)
            let outcome = try second.finish()
            #expect(outcome.accountsAgree == true)
            let ledger = try #require(exchange.ledger())
            for holding in ledger.holdings {
                #expect(outcome.ledger.holdings[holding.ticker]?.quantity ?? .zero == holding.quantity)
            }
            #expect(outcome.ledger.cash == ledger.cash)
            #expect(ledger.orders.allSatisfy { $0.remaining.isZero })
        }
    }

    @Test("The operator's halt from another process cancels everything; without the token nothing happens")
    func halt() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 6, tier: "prime", markets: 4)
            defer { exchange.close() }
            let run = try SessionRun(try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try run.open()
            try run.start()
            try run.run(seconds: 1)
            let identity = try SessionIdentity(folder: run.setup.folder)
            let port = try #require(identity.port)
            let answers = Mutex<[Int]>([])
            let done = Mutex(false)
            Thread {
                func ask(_ method: String, _ path: String, _ token: String, _ body: String = "{}") {
                    guard let client = try? AsyncHTTPClient(tls: nil),
                        let url = HTTPURL("http://127.0.0.1:\(port)\(path)")
                    else { return }
                    let request = HTTPRequest(
                        method, url, headers: [SessionControl.tokenHeader: token], body: Array(body.utf8))
                    let answer = try? AsyncWork.run { try await client.send(request) }
                    answers.withLock { $0.append(answer?.status ?? 0) }
                }
                ask("GET", "/", "")
                ask("GET", "/status", "wrong")
                ask("POST", "/halt", "wrong")
                ask("GET", "/status", identity.token)
                ask("POST", "/tighten", identity.token, #"{"account": {"maxOrderSize": 5}}"#)
                ask("POST", "/tighten", identity.token, #"{"account": {"maxOrderSize": 1000000}}"#)
                ask("POST", "/halt", identity.token)
                // What it shows follows what it does.
                Thread.sleep(forTimeInterval: 1)
                ask("POST", "/reduce-only", identity.token)
                done.withLock { $0 = true }
            }.start()
            while !done.withLock({ $0 }) { try run.run(seconds: 1) }
            #expect(answers.withLock { $0 } == [200, 403, 403, 200, 202, 400, 202, 409])
            try run.run(seconds: 1)
            #expect(run.snapshot().risk == .halted)
            #expect(run.snapshot().openOrders == 0 && run.snapshot().limits.maxOrderSize == 5)
            #expect(run.snapshot().obstacles.contains { $0.contains("halted") })
            #expect(try #require(exchange.ledger()).orders.allSatisfy { $0.remaining.isZero })
            _ = try run.finish()
        }
    }

    @Test("A sweep from outside takes a dead session's orders off the exchange, and confirms it")
    func sweep() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 8, tier: "prime", markets: 6)
            defer { exchange.close() }
            let run = try SessionRun(try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try run.open()
            try run.start()
            try run.run(seconds: 2)
            #expect(try #require(exchange.ledger()).orders.contains { !$0.remaining.isZero })
            run.driver?.close()
            let identity = try SessionIdentity(folder: run.setup.folder)
            let client = try SessionDoor.client(identity)
            let outcome = try AsyncWork.run {
                await SessionSweep(client, nonce: identity.nonceValue, groups: identity.groups).run()
            }
            #expect(outcome.isConfirmed && outcome.left.isEmpty)
            #expect(outcome.groupsTriggered == identity.groups.count && !identity.groups.isEmpty)
            #expect(try #require(exchange.ledger()).orders.allSatisfy { $0.remaining.isZero })
        }
    }

    @Test("A halt outlives a crash: the next session sends nothing until the operator resumes")
    func haltOutlivesACrash() async throws {
        try await onThread {
            let folder = LiveSessionTests.folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let exchange = try DemoExchange(seed: 9, tier: "prime", markets: 4)
            defer { exchange.close() }
            let first = try SessionRun(try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try first.open()
            try first.start()
            try first.run(seconds: 1)
            first.obey(.halt(reason: "the operator goes to bed"))
            try first.run(seconds: 1)
            first.driver?.close()
            first.release()
            var identity = try SessionIdentity(folder: first.setup.folder)
            #expect(identity.hold == .init(.halted, reason: "the operator goes to bed"))
            identity.pid = 999_999
            try identity.write(to: first.setup.folder)

            let second = try SessionRun(
                try LiveSessionTests.setup(exchange, folder), LiveSessionTests.quiet())
            try second.open()
            try second.clearResting()
            try second.start()
            try second.run(seconds: 1)
            #expect(second.snapshot().risk == .halted && second.session?.statistics.places == 0)
            #expect(second.snapshot().obstacles.contains { $0.contains("goes to bed") })
            #expect(try SessionIdentity(folder: second.setup.folder).hold?.state == .halted)
            second.obey(.resume)
            try second.run(seconds: 2)
            #expect(second.snapshot().risk == .active && second.session?.statistics.places ?? 0 > 0)
            let outcome = try second.finish()
            #expect(outcome.accountsAgree == true)
            #expect(try SessionIdentity(folder: second.setup.folder).hold == nil)
        }
    }
}
