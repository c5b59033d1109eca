import Foundation
import Martlet
import MartletEngine
import MartletTape
import MartletWire
import Testing

/// Production WebSocket sessions against an independent slow replay of them (`expected.json`).
@Suite(.enabled(if: RecordedData.isThere, "the shared data folder is missing"))
struct RecordedSessionTests {
    /// A book at one point of a connection.
    struct Point: Hashable {
        var sequence: Int
        var text: [String]
    }

    @Test(arguments: RecordedData.files("btc15m-ws", ".jsonl.gz"))
    func bookMeetsTheSlowReplayAtEveryPoint(file: String) throws {
        let scratch = try Scratch()
        let tape = scratch.file("session.tape")
        let report = try Importer().run([RecordedData.path("btc15m-ws/" + file)], to: tape)
        let expected = try RecordedSessionTests.expected(file)
        #expect(report.deltas == expected.deltas)
        #expect(report.gaps == 0 && report.duplicates == 0 && report.reordered == 0)
        #expect(report.bookFaults == 0 && report.skippedLines == 0 && report.deltasWithoutSnapshot == 0)
        #expect(report.crossedGroups == 0)
        #expect(report.formats == [.frames])

        var found: [[Point]] = expected.points.map { _ in [] }
        let replayed = Replayed()
        try replayed.replay(tape) { replayed, index in
            let connection = replayed.connection - 1
            guard connection >= 0, connection < found.count,
                expected.points[connection].contains(where: { $0.sequence == replayed.sequence })
            else { return }
            found[connection].append(
                Point(
                    sequence: replayed.sequence, text: RecordedSessionTests.describe(replayed.books[index])))
        }
        #expect(found == expected.points)
        #expect(replayed.crossedAtGroupEnd == 0)
        #expect(replayed.faults == 0)
        #expect(replayed.groupEnds == report.groups)
        #expect(replayed.inferred.count == report.inferredTrades)
    }

    static func describe(_ state: Replayed.Book) -> [String] {
        let book = state.book.bestBid.map { $0.description }
        let ask = state.book.bestAsk.map { $0.complement.description }
        return [
            state.market.ticker, book ?? "-", book == nil ? "-" : state.book.bestSize(.bid).description,
            ask ?? "-", ask == nil ? "-" : state.book.bestSize(.ask).description,
            "\(state.book.levelCount(.bid))", "\(state.book.levelCount(.ask))",
            state.book.total(.bid).description, state.book.total(.ask).description,
        ]
    }

    static func expected(_ file: String) throws -> (deltas: Int, points: [[Point]]) {
        let bytes = Array(
            try Data(contentsOf: URL(fileURLWithPath: RecordedData.path("btc15m-ws/expected.json"))))
        let connections = try #require(JSONParser.parse(bytes)[file]?.array)
        var deltas = 0
        var points: [[Point]] = []
        for connection in connections where connection["conn"]?.int64 != 0 {
            deltas += Int(connection["deltas"]?.int64 ?? 0)
            points.append(
                (connection["states"]?.array ?? []).map { state in
                    let values = state.array ?? []
                    return Point(
                        sequence: Int(values.first?.int64 ?? 0),
                        text: values.dropFirst().map { $0.isNull ? "-" : $0.decimalText ?? "?" })
                })
        }
        return (deltas, points)
    }

    @Test func allSessionsHaveTheDeltasThatWereCounted() throws {
        let total = try RecordedData.files("btc15m-ws", ".jsonl.gz").reduce(0) {
            $0 + (try RecordedSessionTests.expected($1).deltas)
        }
        #expect(total == 822_242)
    }
}
