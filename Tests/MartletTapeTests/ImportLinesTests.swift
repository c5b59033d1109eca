import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

/// Lines that are wrong, late, doubled or lost: each counted, named by its line, and nothing else lost.
@Suite struct ImportLinesTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    @Test func goodLinesMakeABook() throws {
        let imported = try scratch.imported([
            Frames.snapshot(1), Frames.delta(2, "no", price: "0.5000", "7.00"),
        ])
        #expect(imported.report.deltas == 1 && imported.report.snapshots == 1)
        #expect(imported.report.skipped.isEmpty && imported.remarks.isEmpty)
        #expect(imported.book().bestBid == 0.4)
        #expect(imported.book().bestAsk == 0.45)
        #expect(imported.report.assumptions.count == 3)
    }

    @Test(arguments: [
        ("not JSON", "{\"type\":\"orderbook_delta\",\"sid\":1,"),
        ("not JSON", "something else {"),
        ("without 'price_dollars'", Frames.delta(0).replacing("price_dollars", with: "prize")),
        ("without 'side'", Frames.delta(0).replacing("\"side\":\"yes\",", with: "")),
        ("without 'market_ticker'", Frames.delta(0).replacing("market_ticker", with: "market")),
        ("impossible 'side'", Frames.delta(0).replacing("\"yes\"", with: "\"maybe\"")),
        ("impossible 'delta_fp'", Frames.delta(0, "yes", price: "0.4000", "NaN")),
        ("impossible 'delta_fp'", Frames.delta(0, "yes", price: "0.4000", "1e9999")),
        (
            "impossible 'delta_fp'",
            Frames.delta(0, "yes", price: "0.4000", "99999999999999999999999999999.00")
        ),
        ("number of contracts out of range", Frames.delta(0, "yes", price: "0.4000", "88888888888.00")),
        ("price", Frames.delta(0, "yes", price: "0.0000")),
        ("price", Frames.delta(0, "yes", price: "1.0000")),
        ("price", Frames.delta(0, "yes", price: "-0.4000")),
        ("price", Frames.delta(0, "yes", price: "1.7")),
        ("price", Frames.delta(0, "yes", price: "NaN")),
        ("impossible 'ts'", Frames.delta(0).replacing("2026-07-01T", with: "2026-77-01T")),
    ])
    func wrongLineIsNamedAndLeftOut(reason: String, line: String) throws {
        // Without a sequence number nothing is missing when it is left out.
        let wrong = line.replacing("\"seq\":0,", with: "")
        let imported = try scratch.imported([
            Frames.snapshot(1), wrong, Frames.delta(2, "yes", price: "0.4100"),
        ])
        #expect(imported.report.skippedLines == 1, "\(imported.report.skipped)")
        #expect(imported.report.skipped.first?.reason.contains(reason) == true, "\(imported.report.skipped)")
        #expect(imported.remarks.map(\.line) == [2])
        #expect(imported.remarks.first?.isSkipped == true)
        #expect(imported.book().bestBid == 0.41)
        #expect(imported.gaps == 0)
        #expect(imported.reading.error == nil)
    }

    @Test func brokenUTF8IsNamedAndLeftOut() throws {
        var bytes = Array((Frames.snapshot(1) + "\n").utf8)
        bytes +=
            Array("{\"type\":\"orderbook_delta\",\"x\":\"".utf8) + [0xFF, 0xC0, 0x80] + Array("\"}\n".utf8)
        bytes += Array(Frames.delta(2, "yes", price: "0.4100").utf8)
        let imported = try scratch.imported(bytes: bytes)
        #expect(imported.report.skipped.map(\.reason) == ["not UTF-8"])
        #expect(imported.book().bestBid == 0.41)
    }

    @Test func levelsAtOrBeyondZeroAndOneAreLeftOutOfASnapshot() throws {
        let levels = [("0.0000", "1.00"), ("0.4000", "10.00"), ("1.0000", "1.00")]
        let imported = try scratch.imported([Frames.snapshot(1, yes: levels), Frames.delta(2)])
        #expect(imported.report.skippedLines >= 1)
        #expect(imported.reading.error == nil)
    }

    // MARK: - Sequence

    @Test func lostMessageMakesTheBookUnusable() throws {
        let imported = try scratch.imported([
            Frames.snapshot(1), Frames.delta(2), Frames.delta(5, at: 1), Frames.snapshot(6),
            Frames.delta(7, at: 2),
        ])
        #expect(imported.report.gaps == 1 && imported.report.missingMessages == 2)
        #expect(imported.gaps == 1)
        #expect(imported.remarks.contains { $0.line == 3 && $0.reason.contains("2 messages are missing") })
        // The gap stands before what came after it.
        let kinds = imported.reading.said.compactMap { said -> String? in
            switch said {
            case .event(let event, _) where event.kind == .delta: "delta"
            case .event(let event, _) where event.kind == .snapshotStart: "snapshot"
            case .input(.unusable, _): "gap"
            default: nil
            }
        }
        #expect(kinds == ["snapshot", "delta", "gap", "delta", "snapshot", "delta"])
    }

    @Test func doubledMessagesCountOnce() throws {
        let imported = try scratch.imported([
            Frames.snapshot(1), Frames.delta(2), Frames.delta(2), Frames.delta(3), Frames.delta(2),
        ])
        #expect(imported.report.duplicates == 2 && imported.gaps == 0)
        #expect(imported.book().size(.bid, at: 0.4) == 12)
    }

    @Test func reorderedMessagesArePutBack() throws {
        let imported = try scratch.imported([
            Frames.snapshot(1), Frames.delta(4, "yes", price: "0.4000", "-12.00", at: 3),
            Frames.delta(3, "yes", price: "0.4000", "1.00", at: 2),
            Frames.delta(2, "yes", price: "0.4000", "1.00", at: 1),
        ])
        #expect(imported.report.reordered == 2 && imported.report.bookFaults == 0 && imported.gaps == 0)
        #expect(imported.book().bestBid == nil)
    }

    @Test func timeBackwardsIsTakenAsTheLater() throws {
        let imported = try scratch.imported([
            "{\"recv_ns\":2000000000000000000,\"conn\":1,\"frame\":\(Frames.snapshot(1))}",
            "{\"recv_ns\":1999999999000000000,\"conn\":1,\"frame\":\(Frames.delta(2))}",
        ])
        #expect(imported.report.timesBackwards == 1)
        #expect(imported.remarks.map(\.line) == [2])
        #expect(
            imported.reading.events.allSatisfy { $0.receiveTime.nanoseconds >= 2_000_000_000_000_000_000 })
    }

    @Test func newConnectionEndsTheBooksOfTheOldOne() throws {
        let other = "KXTEST-1-B"
        let imported = try scratch.imported([
            "{\"recv_ns\":2000000000000000001,\"conn\":1,\"frame\":\(Frames.snapshot(1))}",
            "{\"recv_ns\":2000000000000000002,\"conn\":1,\"frame\":\(Frames.delta(2))}",
            "{\"recv_ns\":2000000000000000003,\"conn\":2,\"frame\":\(Frames.snapshot(1, ticker: other))}",
        ])
        #expect(imported.report.connections == 2 && imported.gaps == 1 && imported.report.gaps == 0)
    }

    // MARK: - Settlement

    @Test func marketSettlesOnce() throws {
        let imported = try scratch.imported([
            Frames.snapshot(1),
            Frames.lifecycle("determined", "\"result\":\"yes\",\"determination_ts\":1782873106"),
            Frames.lifecycle("settled", "\"settled_ts\":1782873107"),
            Frames.lifecycle("settled", "\"settled_ts\":1782873108"),
            Frames.lifecycle("determined", "\"result\":\"no\",\"determination_ts\":1782873109"),
        ])
        #expect(imported.settlements == [.yes])
        #expect(imported.report.repeatedResults == 1 && imported.report.conflictingResults == 1)
        #expect(imported.remarks.map(\.line) == [4, 5])
    }

    @Test func resultsOfAFileEnterWhenTheirTimeHasCome() throws {
        let results = try scratch.write(
            "results.jsonl",
            "{\"ticker\":\"KXTEST-1-A\",\"result\":\"no\",\"settlement_ts\":\"2026-07-01T02:31:10Z\"}\n")
        var options = ImportOptions()
        try options.references.read(results: results)
        let imported = try scratch.imported(
            [Frames.snapshot(1), Frames.delta(2, at: 5), Frames.delta(3, at: 20)], options)
        #expect(imported.settlements == [.no])
        let order = imported.reading.said.compactMap { said -> Timestamp? in
            if case .input(.result, let time) = said { time } else { nil }
        }
        #expect(order == [Timestamp(rfc3339: "2026-07-01T02:31:10Z") ?? .unknown])
    }

    @Test func definitionsOfAFileAreTaken() throws {
        let markets = try scratch.write(
            "markets.jsonl",
            """
            {"ticker":"KXTEST-1-A","event_ticker":"KXTEST-1","title":"A?","status":"active",
             "close_time":"2026-07-01T03:00:00Z","price_level_structure":"deci_cent","fee_type":"quadratic"}
            """.replacing("\n", with: ""))
        var options = ImportOptions()
        try options.references.read(markets: markets)
        let imported = try scratch.imported(
            [Frames.snapshot(1), Frames.delta(2, "yes", price: "0.4010")], options)
        #expect(imported.report.assumptions == [])
        #expect(imported.report.offGridPrices == 0)
        guard case .defined(let market)? = imported.reading.inputs.first else {
            Issue.record("no definition first")
            return
        }
        #expect(market.grid == .deciCent && market.title == "A?" && market.assumptions.isEmpty)
    }

    @Test func badReferenceFileIsOneErrorWithItsLine() throws {
        let path = try scratch.write(
            "results.jsonl", "{\"ticker\":\"A\",\"result\":\"yes\"}\n{\"ticker\":\"B\"}\n")
        var references = MarketReferences()
        do throws(ImportError) {
            try references.read(results: path)
            Issue.record("read a line without a result")
        } catch {
            #expect(error.description.contains("line 2") && error.description.contains("result"))
        }
    }

    // MARK: - Whole files

    @Test func filesThatAreNoRecordingAreNamed() throws {
        #expect(try scratch.imported(bytes: []).error?.problem == .nothingToImport)
        #expect(try scratch.imported(["hello", "world"]).error?.problem == .unknownFormat)
        let missing = scratch.file("missing")
        do throws(ImportError) {
            _ = try Importer().run([missing], to: scratch.file("day.tape"))
            Issue.record("imported a missing file")
        } catch {
            #expect(error.description.contains("no such file"))
        }
        #expect(scratch.names == ["recording"])
    }

    @Test func nothingUsableLeavesNoTape() throws {
        let imported = try scratch.imported(["{\"type\":\"subscribed\",\"id\":1,\"msg\":{\"channel\":\"x\"}}"]
        )
        #expect(imported.error == nil && !imported.report.isUsable)
        #expect(scratch.names == ["recording"])
    }

    @Test func gzippedFileIsUnpackedWhateverItsName() throws {
        let path = try scratch.write("plain", Frames.snapshot(1) + "\n" + Frames.delta(2) + "\n")
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-f", path]
        try gzip.run()
        gzip.waitUntilExit()
        let bytes = try scratch.read("plain.gz")
        #expect(try scratch.imported(bytes: bytes).report.deltas == 1)
        // Cut off: an error, not half a tape.
        let cut = try scratch.imported(bytes: Array(bytes.prefix(bytes.count - 12)))
        guard case .gzipFailed? = cut.error?.problem else {
            Issue.record("\(String(describing: cut.error))")
            return
        }
        #expect(!scratch.names.contains("day.tape"))
    }

    /// In its turn, and held back behind a gap: its books are not kept up to date any more, the others are.
    @Test(arguments: [3, 5])
    func anEndedSubscriptionEndsItsBooks(sequence: Int) throws {
        let imported = try scratch.imported([
            Frames.snapshot(1), Frames.delta(2),
            "{\"type\":\"unsubscribed\",\"id\":7,\"sid\":1,\"seq\":\(sequence)}",
        ])
        #expect(imported.error == nil && imported.report.deltas == 1)
        #expect(imported.report.gaps == (sequence == 3 ? 0 : 1))
        #expect(imported.gaps == 1)
        // Numbers that start over under the same sid are a new life of it.
        let again = try scratch.imported([
            Frames.snapshot(1), "{\"type\":\"unsubscribed\",\"id\":7,\"sid\":1,\"seq\":2}",
            Frames.snapshot(1, yes: [("0.3000", "1.00")]), Frames.delta(2, price: "0.3000"),
        ])
        #expect(again.report.snapshots == 2 && again.report.deltas == 1 && again.report.duplicates == 0)
        #expect(again.book().bestBid == 0.3)
    }

    /// From its own time on, and until it is taken back.
    @Test func anEventsFeesOverrideThoseOfTheSeries() throws {
        func update(_ type: String, _ multiplier: String, _ second: Int) -> String {
            "{\"recv_ns\":\(second)000000000,\"frame\":{\"type\":\"event_fee_update\",\"sid\":7,\"msg\":{"
                + "\"event_ticker\":\"KXTEST-1\",\"fee_type_override\":\(type),"
                + "\"fee_multiplier_override\":\(multiplier)}}}"
        }
        let imported = try scratch.imported([
            "{\"recv_ns\":1000000000,\"frame\":\(Frames.snapshot(1))}",
            update("\"quadratic_with_maker_fees\"", "0.5", 60), update("null", "null", 90),
        ])
        let fees = imported.reading.said.compactMap { said -> String? in
            guard case .input(.defined(let market), let time) = said else { return nil }
            return "\(time.seconds) \(market.fees.type.wire) \(market.fees.multiplierMillionths)"
        }
        #expect(
            fees == [
                "1 quadratic 1000000", "60 quadratic_with_maker_fees 500000", "90 quadratic 1000000",
            ])
    }

    @Test func numbersAtTheEndOfTheirRangeBreakNothing() throws {
        let line = Frames.delta(3)
        for number in ["9223372036854775807", "9223372036854775806", "-1", "-9223372036854775808"] {
            let odd = line.replacing("\"seq\":3", with: "\"seq\":\(number)")
            let imported = try scratch.imported([
                Frames.snapshot(1), Frames.delta(2), odd, odd, Frames.delta(3), Frames.delta(4),
            ])
            #expect(imported.error == nil && imported.report.deltas >= 3, "\(number)")
        }
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstLine() throws {
        let text = "\u{FEFF}" + Frames.snapshot(1) + "\n" + Frames.delta(2) + "\n"
        let imported = try scratch.imported(bytes: Array(text.utf8))
        #expect(imported.report.snapshots == 1 && imported.report.deltas == 1)
        #expect(imported.report.skipped.isEmpty)
    }

    @Test func interruptedImportLeavesNothing() throws {
        let path = try scratch.write("recording", Frames.snapshot(1) + "\n")
        var observer = ImportObserver()
        observer.goesOn = { _ in false }
        do throws(ImportError) {
            _ = try Importer().run([path], to: scratch.file("day.tape"), observer: observer)
            Issue.record("went on")
        } catch {
            #expect(error.problem == .interrupted)
        }
        #expect(scratch.names == ["recording"])
    }

    @Test(arguments: [
        "1782873105000000000 ", "1782873105000,", "2026-07-01T02:31:45Z\t",
    ])
    func receiveTimeBeforeAMessage(prefix: String) throws {
        let imported = try scratch.imported([prefix + Frames.snapshot(1), prefix + Frames.delta(2)])
        #expect(imported.report.deltas == 1)
        #expect(imported.report.first == Timestamp(rfc3339: "2026-07-01T02:31:45Z"))
    }

    @Test(arguments: [
        "{\"recv_ns\":1782873105000000000,\"raw\":%}", "{\"frame\":%,\"recv_ms\":1782873105000}",
        "{\"received_at\":\"2026-07-01T02:31:45Z\",\"message\":%}",
    ])
    func envelopes(form: String) throws {
        let lines = [Frames.snapshot(1), Frames.delta(2)].map { form.replacing("%", with: $0) }
        let imported = try scratch.imported(lines)
        #expect(imported.report.deltas == 1, "\(imported.report.skipped)")
        #expect(imported.report.first == Timestamp(rfc3339: "2026-07-01T02:31:45Z"))
    }

    // MARK: - Inferred trades

    /// FIELD-NOTES: a taking order is an add through the other side, then removals there, under one time stamp.
    @Test func takingOrderIsInferredOnce() throws {
        let lines = [
            Frames.snapshot(1, yes: [("0.4000", "10.00")], no: [("0.5500", "5.00")]),
            // A buyer of 8 at 0.45 takes 5 and rests 3.
            Frames.delta(2, "yes", price: "0.4500", "8.00", at: 1),
            Frames.delta(3, "no", price: "0.5500", "-5.00", at: 1),
            Frames.delta(4, "yes", price: "0.4500", "-5.00", at: 1),
            // A plain cancel is none.
            Frames.delta(5, "yes", price: "0.4000", "-10.00", at: 2),
        ]
        let imported = try scratch.imported(lines)
        let trades = imported.reading.events.filter { $0.kind == .trade }
        #expect(trades.count == 1)
        #expect(trades.first?.quantity == 5 && trades.first?.price == 0.45 && trades.first?.side == .bid)
        #expect(trades.first?.flags.contains(.inferred) == true)
        #expect(imported.report.inferredVolume == 5)
        // With a trade channel nothing is inferred.
        #expect(try scratch.imported([Frames.trade()] + lines).report.inferredTrades == 0)
        var options = ImportOptions()
        options.infersTrades = false
        #expect(try scratch.imported(lines, options).report.inferredTrades == 0)
    }
}
