import Foundation
import Martlet
import MartletNetwork
import MartletWire
import Synchronization
import Testing

@testable import MartletLive

/// Alerts as a web hook gets them, on loopback.
@Suite struct AlertSenderTests {
    /// A web hook that answers as told and keeps what it got.
    ///
    /// Unchecked: sound because the server is touched on the loop's thread alone, and the rest is behind locks.
    private final class Hook: HTTPServerHandler, @unchecked Sendable {
        private let thread: EventLoopThread
        private var server: HTTPServer?
        private let bodies = Mutex<[JSONValue]>([])
        private let answers: Mutex<[Int]>

        init(answers: [Int] = []) throws {
            thread = try EventLoopThread(name: "hook")
            self.answers = Mutex(answers)
        }
        func listen() async throws -> UInt16 {
            try await thread.run { [self] loop in
                Result {
                    let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
                    let server = try HTTPServer(loop, on: address, handler: self)
                    self.server = server
                    return server.address.port
                }
            }.get()
        }
        func close() async {
            await thread.run { [self] _ in
                server?.close()
                server = nil
            }
            thread.stop()
        }

        func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
            if let body = try? JSONParser.parse(request.body) { bodies.withLock { $0.append(body) } }
            responder.respond(answers.withLock { $0.isEmpty ? 200 : $0.removeFirst() }, text: "")
        }
        var received: [JSONValue] { bodies.withLock { $0 } }
    }

    private static let alert = AlertSender.Alert(
        kind: "halted", level: .error, text: "halted: lost $500 today",
        time: Timestamp(seconds: 1_795_442_400))

    private static func play(
        _ shape: LiveSettings.AlertShape, answers: [Int] = [], perHour: Int = 30, alerts: Int = 1,
        until isDone: (AlertSender.Statistics) -> Bool
    ) async throws -> (received: [JSONValue], statistics: AlertSender.Statistics) {
        let hook = try Hook(answers: answers)
        let port = try await hook.listen()
        var settings = LiveSettings.AlertSettings()
        settings.url = "http://127.0.0.1:\(port)/hook?secret=1"
        settings.shape = shape
        settings.perHour = perHour
        let sender = try #require(try AlertSender(settings, session: "maker-1"))
        for _ in 0..<alerts { sender.send(alert) }
        for _ in 0..<4_000 where !isDone(sender.statistics) { try await Task.sleep(for: .milliseconds(2)) }
        let result = (hook.received, sender.statistics)
        await hook.close()
        return result
    }

    @Test func eachShapeIsWhatItsTakerReads() async throws {
        let json = try await Self.play(.json) { $0.sent == 1 }.received
        #expect(json.first?["kind"]?.string == "halted" && json.first?["level"]?.string == "error")
        #expect(json.first?["session"]?.string == "maker-1")
        #expect(json.first?["time"]?.string == "2026-11-23T14:00:00Z")
        let slack = try await Self.play(.slack) { $0.sent == 1 }.received
        #expect(slack.first?["text"]?.string == "Martlet maker-1: error: halted: lost $500 today")
        let discord = try await Self.play(.discord) { $0.sent == 1 }.received
        #expect(discord.first?["content"]?.string?.hasSuffix("lost $500 today") == true)
        #expect(discord.first?["allowed_mentions"]?["parse"]?.array?.isEmpty == true)
    }

    @Test func aFaultIsTriedAgainAndARefusalIsNot() async throws {
        let fault = try await Self.play(.json, answers: [503]) { $0.sent == 1 }
        #expect(fault.received.count == 2 && fault.statistics.failed == 0)
        let refusal = try await Self.play(.json, answers: [404]) { $0.failed == 1 }
        #expect(refusal.received.count == 1 && refusal.statistics.sent == 0)
    }

    @Test func beyondTheHoursLimitTheyAreCounted() async throws {
        let many = try await Self.play(.json, perHour: 3, alerts: 10) { $0.sent == 3 }
        #expect(many.received.count == 3 && many.statistics.suppressed == 7)
    }

    @Test func anAddressThatIsNoneIsRefusedAndNoneIsNoSender() throws {
        var settings = LiveSettings.AlertSettings()
        #expect(try AlertSender(settings, session: "s") == nil)
        settings.url = "slack"
        #expect(throws: ControlError.self) { try AlertSender(settings, session: "s") }
    }
}
