import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Synchronization

/// Tells a web hook what somebody should know: rate-limited, in the background, never in the way of trading.
public final class AlertSender: Sendable {
    /// What is told.
    public struct Alert: Hashable, Sendable {
        /// A stable word: `halted`, `difference`, `disconnected`, `unknown_order`, `limit`, `summary`, …
        public var kind: String
        public var level: LogLevel
        public var text: String
        public var time: Timestamp
        public init(kind: String, level: LogLevel, text: String, time: Timestamp) {
            self.kind = kind
            self.level = level
            self.text = text
            self.time = time
        }
    }
    public struct Statistics: Hashable, Sendable {
        public var sent = 0
        public var failed = 0
        /// Left out for the limit of an hour.
        public var suppressed = 0
    }

    private struct State {
        /// When the last ones were sent, oldest first.
        var times: [Int64] = []
        var suppressed = 0
        /// On their way.
        var pending = 0
        var statistics = Statistics()
    }
    private let settings: LiveSettings.AlertSettings
    private let session: String
    private let url: HTTPURL
    private let client: AsyncHTTPClient
    private let state = Mutex(State())
    /// A lost connection is told of over the same line as a rule: it is tried until that is back, within an hour.
    private static let lastAttempt = Nanoseconds.seconds(3600)
    private static let longestPause: Int64 = 60
    private static let most = 200

    /// Nil when no address is set.
    public init?(_ settings: LiveSettings.AlertSettings, session: String) throws {
        guard !settings.url.isEmpty else { return nil }
        guard let url = HTTPURL(settings.url), !url.isWebSocket else {
            throw ControlError("live.alerts.url: '\(settings.url)' is no http or https address")
        }
        self.settings = settings
        self.session = session
        self.url = url
        client = try AsyncHTTPClient(tls: url.endpoint.isSecure ? TLSContext(clientTrusting: .system) : nil)
    }

    public var statistics: Statistics { state.withLock { $0.statistics } }

    /// Returns at once.
    public func send(_ alert: Alert) {
        let now = Clocks.monotonic()
        let left = state.withLock { state -> Int? in
            state.times.removeAll { now - $0 > Nanoseconds.seconds(3600) }
            guard state.times.count < max(settings.perHour, 1), state.pending < AlertSender.most else {
                state.suppressed += 1
                state.statistics.suppressed += 1
                return nil
            }
            state.times.append(now)
            state.pending += 1
            defer { state.suppressed = 0 }
            return state.suppressed
        }
        guard let left else { return }
        let body = AlertSender.body(alert, session: session, suppressed: left, shape: settings.shape)
        Task { await post(body) }
    }

    /// Waits until all that was sent has arrived, or so long at most.
    public func drain(seconds: Double) {
        let end = Clocks.monotonic() + Int64(seconds * 1e9)
        while state.withLock({ $0.pending > 0 }), Clocks.monotonic() < end {
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    private func post(_ body: [UInt8]) async {
        let isSent = await isTaken(body)
        state.withLock {
            $0.pending -= 1
            if isSent { $0.statistics.sent += 1 } else { $0.statistics.failed += 1 }
        }
    }

    private func isTaken(_ body: [UInt8]) async -> Bool {
        let end = Clocks.monotonic() + AlertSender.lastAttempt
        var pause: Int64 = 1
        while true {
            let request = HTTPRequest(
                "POST", url, headers: ["Content-Type": "application/json"], body: body)
            do throws(HTTPClientError) {
                let answer = try await client.send(request, timeout: Nanoseconds.seconds(10))
                if (200..<300).contains(answer.status) { return true }
                // What is wrong with the message will not mend itself.
                if answer.status < 500, answer.status != 429 { return false }
            } catch {
                // The next attempt may find the line back.
            }
            pause = min(pause * 2, AlertSender.longestPause)
            guard Clocks.monotonic() + Nanoseconds.seconds(pause) < end else { return false }
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    static func body(_ alert: Alert, session: String, suppressed: Int, shape: LiveSettings.AlertShape)
        -> [UInt8]
    {
        let more = suppressed > 0 ? " (\(suppressed) alerts left out before)" : ""
        let line = "Martlet \(session): \(alert.level.rawValue): \(alert.text)\(more)"
        let value: JSONValue
        switch shape {
        case .json:
            value = .fields([
                ("session", .string(session)), ("kind", .string(alert.kind)),
                ("level", .string(alert.level.rawValue)), ("text", .string(alert.text)),
                ("time", .string("\(alert.time)")), ("suppressed", .number(String(suppressed))),
            ])
        case .slack: value = .fields([("text", .string(line))])
        // Discord takes 2000 characters at most, and must not ping anybody.
        case .discord:
            value = .fields([
                ("content", .string(String(line.prefix(1900)))),
                ("allowed_mentions", .fields([("parse", .array([]))])),
            ])
        }
        return Array(JSONWriter.text(value).utf8)
    }
}
