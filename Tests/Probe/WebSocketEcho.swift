import Foundation
import MartletNetwork

/// Sends each message back as it came.
final class WebSocketEcho: WebSocketHandler, HTTPServerHandler {
    static let messageMax = 16 * 1024 * 1024

    private var ended: (WebSocketClosure) -> Void

    private init(ended: @escaping (WebSocketClosure) -> Void) { self.ended = ended }

    private static var configuration: WebSocketConfiguration {
        var configuration = WebSocketConfiguration()
        configuration.messageMax = messageMax
        configuration.closeTimeout = Nanoseconds.seconds(2)
        configuration.handshakeTimeout = Probe.timeout("WS_HANDSHAKE_TIMEOUT_MS", orSeconds: 10)
        return configuration
    }

    /// Exit code 0 only after close frames both ways.
    static func client(_ arguments: [String]) -> Int32 {
        guard arguments.count == 1, let url = HTTPURL(arguments[0]), url.isWebSocket else {
            return Probe.usage()
        }
        do {
            let loop = try EventLoop()
            var closure: WebSocketClosure?
            let echo = WebSocketEcho {
                closure = $0
                loop.stop()
            }
            let tls = url.endpoint.isSecure ? try Probe.trust() : nil
            let socket = WebSocketConnection(
                loop, to: url, tls: tls, configuration: configuration, handler: echo)
            try withExtendedLifetime(socket) { try loop.run() }
            if let closure, closure.isClean { return 0 }
            Probe.complain("error \(closure.map { String(describing: $0.cause) } ?? "no closure")")
        } catch {
            Probe.complain("error \(error)")
        }
        return 1
    }

    /// Serves until it is ended from outside.
    static func server(_ arguments: [String]) -> Int32 {
        guard arguments.count == 1, let port = UInt16(arguments[0]),
            let address = SocketAddress(numeric: "127.0.0.1", port: port)
        else { return Probe.usage() }
        do {
            let loop = try EventLoop()
            let server = try HTTPServer(loop, on: address, handler: WebSocketEcho { _ in })
            print("listening on \(server.address)")
            fflush(nil)
            try loop.run()
            return 0
        } catch {
            Probe.complain("error \(error)")
            return 1
        }
    }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        _ = responder.upgradeToWebSocket(configuration: WebSocketEcho.configuration, handler: self)
    }

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        socket.send(kind, bytes)
    }

    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) { ended(closure) }
}
