import Foundation
import Testing

@testable import MartletNetwork

/// A loop that a test turns by hand until something is so.
final class TestLoop {
    let loop: EventLoop

    init() throws { loop = try EventLoop() }

    /// Turns the loop until `condition` holds; fails the test after `seconds`.
    func run(seconds: Int64 = 20, _ location: SourceLocation = #_sourceLocation, until condition: () -> Bool)
        throws
    {
        let deadline = Clocks.monotonic() + Nanoseconds.seconds(seconds)
        while !condition() {
            guard Clocks.monotonic() < deadline else {
                Issue.record("waited \(seconds) s in vain", sourceLocation: location)
                return
            }
            try loop.runOnce(timeout: Nanoseconds.milliseconds(50))
        }
    }

    /// Turns the loop for a while whatever happens.
    func run(milliseconds: Int64) throws {
        let deadline = Clocks.monotonic() + Nanoseconds.milliseconds(milliseconds)
        while Clocks.monotonic() < deadline { try loop.runOnce(timeout: Nanoseconds.milliseconds(5)) }
    }
}

enum Loopback {
    static func address(_ port: UInt16 = 0) throws -> SocketAddress {
        try #require(SocketAddress(numeric: "127.0.0.1", port: port))
    }
}

/// A server that does exactly what a test says, connection by connection, however wrong.
final class ScriptedServer {
    enum Step {
        /// Waits for the end of a request's head.
        case request
        case send([UInt8])
        case pause(milliseconds: Int64)
        /// Ends this side in good order.
        case halfClose
        case close
        /// Closes with a reset, and without TLS's closing word.
        case reset
        /// Closes TCP in good order, but without TLS's closing word.
        case truncate
    }

    private let loop: EventLoop
    private var listener: Listener?
    private var scripts: ArraySlice<[Step]>
    private var peers: [Peer] = []
    private let tls: TLSContext?
    let port: UInt16
    /// All that came, a connection each.
    var received: [[UInt8]] { peers.map(\.received) }
    var requests: Int { peers.reduce(0) { $0 + $1.requests } }

    /// - Parameter scripts: one for each connection in turn; the last serves all further ones.
    init(_ loop: EventLoop, tls: TLSContext? = nil, _ scripts: [[Step]]) throws {
        self.loop = loop
        self.scripts = scripts[...]
        self.tls = tls
        let holder = Holder()
        let listener = try Listener(loop, on: try Loopback.address()) { holder.server?.accept($0) }
        port = listener.address.port
        self.listener = listener
        holder.server = self
    }

    func close() {
        listener?.close()
        closeConnections()
    }
    func closeConnections() { for peer in peers { peer.stream.close() } }

    func endpoint(secure: Bool = false, host: String = "127.0.0.1") -> Endpoint {
        Endpoint(host: host, port: port, isSecure: secure)
    }

    func url(_ scheme: String, host: String = "127.0.0.1") throws -> HTTPURL {
        try #require(HTTPURL("\(scheme)://\(host):\(port)/"))
    }

    private final class Holder { weak var server: ScriptedServer? }

    private func accept(_ descriptor: Int32) {
        let script = scripts.count > 1 ? scripts.removeFirst() : scripts.first ?? []
        do {
            let session = try tls.map { try TLSSession($0, descriptor: descriptor, host: nil, port: 0) }
            let peer = Peer(loop, descriptor, session, script)
            peers.append(peer)
            try peer.stream.start()
            peer.advance()
        } catch {
            Issue.record(error)
        }
    }

    private final class Peer: StreamHandler {
        let stream: SocketStream
        private let loop: EventLoop
        private var steps: ArraySlice<Step>
        private var seen = 0
        private var isPausing = false
        private(set) var received: [UInt8] = []
        private(set) var requests = 0

        init(_ loop: EventLoop, _ descriptor: Int32, _ session: TLSSession?, _ steps: [Step]) {
            self.loop = loop
            self.steps = steps[...]
            stream = SocketStream(loop, descriptor: descriptor, tls: session, handler: nil)
            stream.handler = self
        }

        func advance() {
            while let step = steps.first, !isPausing, stream.descriptor >= 0 {
                switch step {
                case .request:
                    guard let end = headEnd() else { return }
                    requests += 1
                    seen = end
                case .send(let bytes): bytes.withUnsafeBytes { stream.write($0) }
                case .pause(let milliseconds):
                    isPausing = true
                    loop.schedule(after: Nanoseconds.milliseconds(milliseconds)) { [self] in
                        isPausing = false
                        advance()
                    }
                case .halfClose: stream.shutdownWriting()
                case .close: stream.close()
                case .truncate: stream.abandon()
                case .reset:
                    var linger = linger(l_onoff: 1, l_linger: 0)
                    setsockopt(
                        stream.descriptor, SOL_SOCKET, SO_LINGER, &linger,
                        socklen_t(MemoryLayout.size(ofValue: linger)))
                    stream.abandon()
                }
                steps.removeFirst()
            }
        }

        private func headEnd() -> Int? {
            let mark = Array("\r\n\r\n".utf8)
            guard received.count >= seen + 4 else { return nil }
            return (seen...received.count - 4).first { received[$0..<$0 + 4].elementsEqual(mark) }.map {
                $0 + 4
            }
        }

        func streamOpened(_ stream: SocketStream) { advance() }
        func streamReceived(_ stream: SocketStream) {
            received += stream.input.readable
            stream.input.consume(stream.input.count)
            advance()
        }
        func streamEnded(_ stream: SocketStream) {}
        func streamFailed(_ stream: SocketStream, _ error: NetworkError) {}
    }
}

/// A small seeded generator (SplitMix64), so that a failing case can be run again.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
