import Foundation
import MartletNetwork
import MartletWire
import Synchronization

/// The sandbox under the load of hundreds of accounts: who connects, what is driven, what is measured.
final class SandboxLoad {
    struct Options {
        var accounts = 500
        var markets = 500
        var marketsEach = 5
        /// Book changes a second at full load.
        var changes = 20_000.0
        /// Orders a second at full load.
        var orders = 2_000.0
        var seconds = 10.0
        var isPlain = false
    }

    /// What one stretch at one load brought.
    struct Stretch {
        var share: Double
        var seconds = 0.0
        var frames = 0
        var bytes = 0
        var gaps = 0
        var changes = 0
        var orders = 0
        var accepted = 0
        var refused = 0
        /// Sorted, in nanoseconds: from when an order was due, and from when it was sent, to its answer.
        var latencies: [Int64] = []
        var roundTrips: [Int64] = []
        /// Sorted, in milliseconds: how old frames were.
        var lags: [Int64] = []
        /// Processor time in cores.
        var serverCores = 0.0
        var clientCores = 0.0
        var serverBytes = 0
    }

    let options: Options
    let sandbox: SandboxProcess
    private let loop: EventLoop
    private let tally = LoadTally()
    private let orders: LoadOrders
    private var feeds: [LoadFeed] = []
    private var stalled: StalledFeed?
    private(set) var connectSeconds = 0.0

    init(_ options: Options) throws {
        self.options = options
        var arguments = [
            "--markets", "\(options.markets)", "--tier", "unlimited", "--activity", "0.2", "--balance",
            "1000000",
        ]
        if options.isPlain { arguments.append("--plain") }
        sandbox = try SandboxProcess(accounts: options.accounts, arguments: arguments)
        loop = try EventLoop()
        orders = LoadOrders(loop, sandbox)
    }

    func close() {
        stalled?.stop()
        for feed in feeds { feed.drop() }
        feeds = []
        orders.close()
        sandbox.stop()
    }

    // MARK: Connecting

    /// Connects everybody, some dozens at a time, and one client that never reads.
    func connect(_ progress: (Int) -> Void) throws {
        let began = Progress.monotonicSeconds()
        for (index, account) in sandbox.accounts.enumerated() {
            let markets = (0..<options.marketsEach).map {
                sandbox.markets[(index * options.marketsEach + $0) % sandbox.markets.count]
            }
            feeds.append(
                LoadFeed(
                    loop, sandbox.feed, try SandboxLoad.headers(account, sandbox.feed.target), sandbox.tls,
                    subscription: SandboxLoad.subscription(markets), tally, sampleAfter: index % 100))
            try wait(10) { index + 1 - tally.opened < 32 }
            progress(tally.opened)
        }
        try wait(30) { tally.opened == options.accounts }
        if let last = sandbox.accounts.last {
            stalled = try StalledFeed(
                sandbox.feed, try SandboxLoad.headers(last, sandbox.feed.target), sandbox.tls,
                subscription: SandboxLoad.subscription(sandbox.markets))
        }
        connectSeconds = Progress.monotonicSeconds() - began
    }

    private func wait(_ seconds: Double, until isDone: () -> Bool) throws {
        let deadline = Progress.monotonicSeconds() + seconds
        while !isDone() {
            guard Progress.monotonicSeconds() < deadline, tally.closed == 0, !Interrupt.isRequested else {
                throw CommandError(
                    "\(tally.opened) of \(options.accounts) accounts could be connected, \(tally.closed) were cut off"
                )
            }
            try loop.runOnce(timeout: Nanoseconds.milliseconds(20))
        }
    }

    private static func headers(_ account: SandboxProcess.Account, _ path: String) throws -> HTTPHeaders {
        let stamp = "\(Clocks.wall() / 1_000_000)"
        return [
            "KALSHI-ACCESS-KEY": account.keyID, "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": Base64.encode(
                try account.key.sign(Array("\(stamp)GET\(path)".utf8))),
        ]
    }
    private static func subscription(_ markets: [String]) -> String {
        let names = markets.map { "\"\($0)\"" }.joined(separator: ",")
        return
            #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[\#(names)]}}"#
    }

    // MARK: Load

    /// Drives a share of the full load, and measures after a second and a half of it.
    func run(share: Double, _ progress: (Double) -> Void) throws -> Stretch {
        try control("POST", "world", #"{"changes_per_second":\#(options.changes * share)}"#)
        let pace = 1e9 / (options.orders * share)
        var due = Clocks.monotonic()
        let start = due
        func drive(seconds: Double) throws {
            let end = Clocks.monotonic() + Int64(seconds * 1e9)
            while Clocks.monotonic() < end, !Interrupt.isRequested {
                while due <= Clocks.monotonic() {
                    orders.sendNext(dueAt: due)
                    due += Int64(pace)
                }
                try loop.runOnce(timeout: max(due - Clocks.monotonic(), 0))
                progress(Double(Clocks.monotonic() - start) / 1e9)
            }
        }
        try drive(seconds: 1.5)
        var stretch = Stretch(share: share)
        let before = try snapshot()
        tally.lags.removeAll(keepingCapacity: true)
        orders.latencies.removeAll(keepingCapacity: true)
        orders.roundTrips.removeAll(keepingCapacity: true)
        try drive(seconds: options.seconds)
        let after = try snapshot()
        stretch.seconds = after.time - before.time
        stretch.frames = after.frames - before.frames
        stretch.bytes = after.bytes - before.bytes
        stretch.gaps = after.gaps - before.gaps
        stretch.changes = after.changes - before.changes
        stretch.orders = after.orders - before.orders
        stretch.accepted = after.accepted - before.accepted
        stretch.refused = after.refused - before.refused
        stretch.latencies = orders.latencies.sorted()
        stretch.roundTrips = orders.roundTrips.sorted()
        stretch.lags = tally.lags.sorted()
        stretch.serverCores = (after.server - before.server) / stretch.seconds
        stretch.clientCores = (after.client - before.client) / stretch.seconds
        stretch.serverBytes = sandbox.residentBytes
        return stretch
    }

    private struct Snapshot {
        var time, server, client: Double
        var frames, bytes, gaps, changes, orders, accepted, refused: Int
    }
    private func snapshot() throws -> Snapshot {
        let state = try control("GET", "state", "")
        var used = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        return Snapshot(
            time: Progress.monotonicSeconds(), server: sandbox.processorSeconds,
            client: Double(used.tv_sec) + Double(used.tv_nsec) / 1e9, frames: tally.frames,
            bytes: tally.bytes, gaps: tally.gaps, changes: Int(state["changes"]?.int64 ?? 0),
            orders: orders.sent, accepted: orders.accepted, refused: orders.refused + orders.lost)
    }

    @discardableResult
    private func control(_ method: String, _ path: String, _ body: String) throws -> JSONValue {
        var answer: [UInt8]?
        orders.control(method, path, body, token: sandbox.controlToken) { answer = $0 }
        let deadline = Progress.monotonicSeconds() + 10
        while answer == nil, Progress.monotonicSeconds() < deadline {
            try loop.runOnce(timeout: Nanoseconds.milliseconds(20))
        }
        guard let answer, let value = try? JSONParser.parse(answer) else {
            throw CommandError("the sandbox does not answer its control endpoint any more")
        }
        return value
    }

    // MARK: The end

    struct Ending {
        /// Clients dropped because they did not read: the one that we stalled, if all is well.
        var dropped: Int
        var otherClosures: Int
        var firstRefusal: String?
    }
    func ending() throws -> Ending {
        let state = try control("GET", "state", "")
        return Ending(
            dropped: Int(state["overflows"]?.int64 ?? 0), otherClosures: tally.closed,
            firstRefusal: orders.firstRefusal)
    }
}

/// A client that subscribes to everything and then reads nothing: its thread is stuck in its first message.
private final class StalledFeed: Sendable {
    // @unchecked Sendable is sound: the socket is touched on the loop's thread, the semaphore is safe anywhere.
    private final class Handler: WebSocketHandler, @unchecked Sendable {
        let isOver = DispatchSemaphore(value: 0)
        let subscription: String
        var socket: WebSocketConnection?
        private var isStuck = false
        init(_ subscription: String) { self.subscription = subscription }

        func webSocketOpened(_ socket: WebSocketConnection) { socket.send(text: subscription) }
        func webSocket(
            _ socket: WebSocketConnection, received kind: WebSocketMessageKind,
            _ bytes: UnsafeRawBufferPointer
        ) {
            if !isStuck {
                isStuck = true
                isOver.wait()
            }
        }
        func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) { self.socket = nil }
    }
    private let thread: EventLoopThread
    private let handler: Handler

    init(_ url: HTTPURL, _ headers: HTTPHeaders, _ tls: TLSContext?, subscription: String) throws {
        thread = try EventLoopThread(name: "stalled")
        handler = Handler(subscription)
        thread.loop.execute { [handler, loop = thread.loop] in
            handler.socket = WebSocketConnection(loop, to: url, headers: headers, tls: tls, handler: handler)
        }
    }
    func stop() {
        handler.isOver.signal()
        thread.loop.execute { [handler, thread] in
            handler.socket?.drop()
            handler.socket = nil
            thread.stop()
        }
    }
}
