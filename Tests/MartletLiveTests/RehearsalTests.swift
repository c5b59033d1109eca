import MartletNetwork
import Testing

@testable import MartletLive

/// The practice of an order's way, on real sockets of loopback.
@Suite struct RehearsalTests {
    private static let interval = Nanoseconds.milliseconds(1)

    /// Steps until so many orders have come back, on a clock of the test's own.
    private static func turn(_ rehearsal: Rehearsal, from start: Int64, until count: Int) -> Int64 {
        var now = start
        while rehearsal.count < count, !rehearsal.isOver {
            _ = rehearsal.step(at: now)
            now += interval
        }
        return now
    }

    @Test func goesTheWholeWayAndBack() throws {
        let rehearsal = try Rehearsal(every: Self.interval)
        defer { rehearsal.close() }
        // It has practised before it says that it stands.
        let before = rehearsal.count
        #expect(before >= 100)
        _ = Self.turn(rehearsal, from: 0, until: before + 1_000)
        #expect(rehearsal.count == before + 1_000)
        #expect(!rehearsal.isOver)
    }

    @Test func waitsForItsTurn() throws {
        var lastOrder: Int64 = 0
        let rehearsal = try Rehearsal(every: Self.interval) { lastOrder }
        defer { rehearsal.close() }
        let began = Self.interval
        #expect(rehearsal.step(at: began))
        while rehearsal.step(at: began) {}
        // One order, and then nothing until the interval is over.
        #expect(rehearsal.count == 101)
        #expect(!rehearsal.step(at: began + Self.interval - 1))
        // A real order is practice enough.
        lastOrder = began + Self.interval / 2
        #expect(!rehearsal.step(at: began + Self.interval))
        #expect(rehearsal.step(at: lastOrder + Self.interval))
    }

    @Test func isOverOnceItBreaksOff() throws {
        let rehearsal = try Rehearsal(every: Self.interval)
        rehearsal.exchange.close()
        _ = Self.turn(rehearsal, from: 0, until: rehearsal.count + 1)
        #expect(rehearsal.isOver)
        #expect(!rehearsal.step(at: Nanoseconds.seconds(1_000)))
    }

    @Test func takesNobodyElseIn() throws {
        let rehearsal = try Rehearsal(every: Self.interval)
        defer { rehearsal.close() }
        let loop = try EventLoop()
        let url = try #require(HTTPURL(rehearsal.exchange.address))
        let client = HTTPClient(loop, tls: try TLSContext(clientTrusting: .pem(rehearsal.exchange.authority)))
        var outcome: Result<HTTPResponse, HTTPClientError>?
        try client.send(HTTPRequest("GET", url)) { outcome = $0 }
        while outcome == nil { try loop.runOnce(timeout: Nanoseconds.seconds(1)) }
        #expect(throws: HTTPClientError.self) { try outcome?.get() }
        client.close()
    }
}
