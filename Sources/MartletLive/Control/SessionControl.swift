import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Synchronization

/// A session's door on 127.0.0.1: the dashboard's page, the state as JSON, and the operator's commands behind a token.
///
/// On a thread of its own, which the trading loop never waits for: it shows what was published last, and hands
/// commands over.
public final class SessionControl: Sendable {
    public static let tokenHeader = "Martlet-Token"

    private final class OnLoop: @unchecked Sendable {
        // Unchecked: sound because it is touched on the loop's thread alone.
        var server: HTTPServer?
    }
    private let thread: EventLoopThread
    private let held = OnLoop()
    /// What was published last.
    fileprivate struct State {
        var json = Array("{}".utf8)
        var risk = RiskState.active
        var limits = RiskLimits.unlimited
    }
    private let published = Mutex(State())
    public let port: Int
    public let token: String

    /// - Parameter command: called on this server's own thread.
    public init(port: Int, token: String, command: @escaping @Sendable (OperatorCommand) -> Void) throws {
        self.token = token
        thread = try EventLoopThread(name: "dashboard", givesWay: true)
        guard let address = SocketAddress(numeric: "127.0.0.1", port: UInt16(clamping: port)) else {
            throw ControlError("there is no loopback address")
        }
        let answer = Mutex<Result<Int, ControlError>?>(nil)
        let box = Box(answer: answer.withLock { _ in Mutex(nil) })
        let done = DispatchSemaphore(value: 0)
        let desk = ControlDesk(token: token, command: command)
        thread.loop.execute { [loop = thread.loop, held] in
            do throws(SystemError) {
                let server = try HTTPServer(loop, on: address, tls: nil, handler: desk)
                held.server = server
                box.answer.withLock { $0 = .success(Int(server.address.port)) }
            } catch {
                box.answer.withLock { $0 = .failure(ControlError("port \(port): \(error)")) }
            }
            done.signal()
        }
        done.wait()
        self.port = try box.answer.withLock { $0 ?? .failure(ControlError("no answer")) }.get()
        desk.source = { [weak self] in self?.published.withLock { $0 } ?? State() }
    }
    private final class Box: Sendable {
        let answer: Mutex<Result<Int, ControlError>?>
        init(answer: consuming Mutex<Result<Int, ControlError>?>) { self.answer = answer }
    }

    /// The state to be shown from now on, with its JSON.
    public func publish(_ json: [UInt8], _ status: StatusSnapshot) {
        published.withLock { $0 = State(json: json, risk: status.risk, limits: status.limits) }
    }

    deinit {
        let (held, thread) = (held, thread)
        thread.loop.execute {
            held.server?.close()
            held.server = nil
            thread.stop()
        }
    }

    public func close() {
        let done = DispatchSemaphore(value: 0)
        thread.loop.execute { [held] in
            held.server?.close()
            held.server = nil
            done.signal()
        }
        done.wait()
    }
}

public struct ControlError: Error, CustomStringConvertible {
    public let description: String
    init(_ text: String) { description = text }
}

/// Answers the requests. On the server's thread alone, but for `source`, set once before the first request.
private final class ControlDesk: HTTPServerHandler, @unchecked Sendable {
    private let token: String
    private let command: @Sendable (OperatorCommand) -> Void
    var source: @Sendable () -> SessionControl.State = { SessionControl.State() }

    init(token: String, command: @escaping @Sendable (OperatorCommand) -> Void) {
        self.token = token
        self.command = command
    }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        let path = request.path.split(separator: "?").first.map(String.init) ?? "/"
        // A page of another site must not be able to ask in this browser's name.
        guard isLocal(request.headers["Host"]) else { return responder.respond(403, text: "forbidden\n") }
        switch (request.method, path) {
        case ("GET", "/"):
            responder.respond(
                200,
                headers: [
                    "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                    "Content-Security-Policy":
                        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
                    "X-Frame-Options": "DENY",
                ], body: Array(DashboardPage.html.utf8))
        case ("GET", "/status"):
            guard isAllowed(request) else { return refuse(responder) }
            responder.respond(
                200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
                body: source().json)
        case ("POST", "/halt"), ("POST", "/reduce-only"), ("POST", "/resume"):
            guard isAllowed(request) else { return refuse(responder) }
            let body = try? JSONParser.parse(request.body)
            let reason = body?["reason"]?.string ?? "the operator asked for it"
            if path == "/reduce-only", source().risk == .halted {
                return responder.respond(
                    409, text: "the session is halted, which is stricter: resume it first\n")
            }
            switch path {
            case "/halt": command(.halt(reason: reason))
            case "/reduce-only": command(.reduceOnly(reason: reason))
            default: command(.resume)
            }
            accept(responder)
        case ("POST", "/tighten"):
            guard isAllowed(request) else { return refuse(responder) }
            tighten(request, responder)
        default: responder.respond(404, text: "not found\n")
        }
    }

    /// `{"account": {"maxOrderSize": 5}, "strategies": {…}}`: keys left out stay as they are.
    private func tighten(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        do {
            let body = try JSONParser.parse(request.body)
            let account = try body["account"].map { try LimitChanges($0) }
            let strategies = try body["strategies"].map { try LimitChanges($0) }
            guard account != nil || strategies != nil else {
                throw ControlError("give 'account' or 'strategies' with the limits to be tightened")
            }
            if let looser = account?.looser(than: source().limits) {
                throw ControlError("\(looser): that would loosen it, which takes a restart")
            }
            command(.tighten(account: account?.limits, strategies: strategies?.limits))
            accept(responder)
        } catch {
            responder.respond(400, text: "\(error)\n")
        }
    }

    private func isLocal(_ host: String?) -> Bool {
        let name = host?.split(separator: ":").first.map(String.init)
        return name == "127.0.0.1" || name == "localhost"
    }
    private func isAllowed(_ request: HTTPServerRequest) -> Bool {
        guard let given = request.headers[SessionControl.tokenHeader] else { return false }
        // In time that does not depend on where they differ.
        let (a, b) = (Array(given.utf8), Array(token.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
    private func refuse(_ responder: HTTPResponder) {
        responder.respond(
            403, text: "the header \(SessionControl.tokenHeader) must hold the session's token\n")
    }
    private func accept(_ responder: HTTPResponder) {
        responder.respond(
            202, headers: ["Content-Type": "application/json"], body: Array("{\"accepted\":true}\n".utf8))
    }
}
