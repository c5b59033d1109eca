import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletReport

@Suite struct PageTests {
    /// Writes the page to a temporary folder, or to MARTLET_REPORT_OUT to be looked at.
    private func write(_ html: String, _ name: String) throws -> URL {
        let folder =
            ProcessInfo.processInfo.environment["MARTLET_REPORT_OUT"].map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("martlet-report-tests")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(name + ".html")
        try Data(html.utf8).write(to: file)
        return file
    }

    @Test func aDayBecomesAWellFormedPageOfBoundedSize() throws {
        var day = SyntheticRun(seed: 7)
        let result = day.run()
        let html = ReportPage.html(result)
        let file = try write(html, "day")
        let size = try Data(contentsOf: file).count
        #expect(size > 50_000 && size < 600_000, "\(size) bytes")
        try Markup.check(html)
    }

    @Test func sameRunGivesTheSameBytes() throws {
        var first = SyntheticRun(seed: 3, events: 2)
        var second = SyntheticRun(seed: 3, events: 2)
        var a = first.run(hours: 2)
        let b = second.run(hours: 2)
        a.facts.timing = .init(seconds: 99, recordsPerSecond: 1)
        #expect(ReportPage.html(a) == ReportPage.html(b))
        #expect(try a.json() == b.json())
        #expect(try a.json(charts: true) == b.json(charts: true))
    }

    @Test func jsonComesBackTheSame() throws {
        var day = SyntheticRun(seed: 5, events: 2)
        let result = day.run(hours: 1.5)
        let text = try result.json(charts: true, timing: true)
        let back = try ExactJSON.value(RunResult.self, from: text)
        #expect(back == result)
        #expect(try back.json(charts: true, timing: true) == text)
        #expect(try ExactJSON.value(RunResult.self, from: result.json(isPretty: false)).charts == nil)
        // The page can be made from the JSON again.
        #expect(ReportPage.html(back) == ReportPage.html(result))
    }

    @Test func jsonKeepsTheLastDecimal() throws {
        for raw in [1, -1, 10, 123_456_789_012_345_678, -9_007_199_254_740_993, .max] as [Int64] {
            let text = try ExactJSON.text(["m": Money(raw: raw)])
            #expect(text.contains(Money(raw: raw).description))
            #expect(try ExactJSON.value([String: Money].self, from: text)["m"]?.raw == raw)
        }
        let nasty = "\"\\\u{1}\n\t\u{2028}é<"
        #expect(try ExactJSON.value([String].self, from: ExactJSON.text([nasty])) == [nasty])
    }

    @Test func textFromOutsideStaysText() throws {
        let evil = "</title><script>alert('x')</script> \"&\u{0}\u{1B}[31m\u{202E}"
        let recorder = RunRecorder(strategies: [evil])
        recorder.define(
            Market.ID(0), Market(ticker: evil, event: evil, title: evil, subtitle: evil, assumptions: [evil]))
        let order = Order(
            id: OrderID(1), request: OrderRequest(.bid, 1, at: 0.5, in: Market.ID(0)),
            status: .rejected(VenueRejection(status: 400, code: evil)), requestTime: Timestamp(seconds: 1))
        let time = Timestamp(seconds: 1)
        let fill = Fill(
            tradeID: evil, order: OrderID(1), market: Market.ID(0), side: .bid, price: 0.5, quantity: 1,
            isTaker: true, fee: .zero, exchangeTime: .unknown)
        recorder.book(Market.ID(0), at: time, bid: 0.4, ask: 0.5)
        recorder.take(.order(order, strategy: 0), at: time)
        recorder.take(
            .fill(fill, strategy: 0, position: Position(quantity: 1, cost: Money(cents: 50))), at: time)
        recorder.take(.status(Market.ID(0), .unknown(evil)), at: time)
        recorder.take(.risk(.halted, reason: evil), at: time)
        recorder.take(.log(.error, evil, strategy: 0), at: time)
        recorder.take(.series(evil, 1, strategy: 0), at: time)
        recorder.take(
            .refused(OrderID(1), Refusal(.balance, value: evil, limit: evil), strategy: 0), at: time)
        let account = RecorderSample.Account(realized: .zero, unrealized: .zero, fees: .zero)
        recorder.sample(
            RecorderSample(
                time: time, accounts: [account], cash: 1, equity: 1, tokensSpent: 0, tokensAvailable: 1,
                queued: 0))
        var facts = RunFacts(
            mode: .live, strategies: [.init(evil, parameters: [.init(evil, evil)])], source: evil,
            isComplete: false, interruption: evil, settings: [.init(evil, evil)], assumptions: [evil],
            skipped: [.init(evil, evil)], counters: [.init(evil, evil)], configuration: evil)
        facts.timing = nil
        let result = recorder.finish(facts)
        let html = ReportPage.html(result)
        let elements = try Markup.check(html)
        #expect(elements.filter { $0 == "script" }.count == 1)
        #expect(!html.contains("alert('x')</script>") && html.contains("&lt;script&gt;"))
        let text = SummaryText.text(result)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
        #expect(!text.unicodeScalars.contains("\u{202E}"))
        #expect(try ExactJSON.value(RunResult.self, from: result.json(charts: true)) == result)
    }

    @Test func anEmptyRunHasAPageToo() throws {
        let recorder = RunRecorder(strategies: ["idle"])
        let facts = RunFacts(mode: .backtest, strategies: [.init("idle")], source: "none.tape")
        let result = recorder.finish(facts)
        let html = ReportPage.html(result)
        try Markup.check(html)
        #expect(html.contains("No order was asked for."))
        #expect(SummaryText.text(result).contains("Net profit"))
        _ = try write(html, "empty")
    }

    @Test func anInterruptedRunSaysSoEverywhere() throws {
        var day = SyntheticRun(seed: 11, events: 2)
        day.isComplete = false
        let result = day.run(hours: 1)
        let html = ReportPage.html(result)
        try Markup.check(html)
        _ = try write(html, "partial")
        #expect(html.contains("Partial result."))
        #expect(SummaryText.text(result).contains("PARTIAL RESULT"))
        #expect(try result.json().contains(#""isComplete": false"#))
        #expect(!result.unsettled.isEmpty && html.contains("Unsettled positions"))
    }

    @Test func pageAsksForNothingFromTheNetwork() {
        var day = SyntheticRun(seed: 2, events: 2)
        let html = ReportPage.html(day.run(hours: 1))
        for word in ["http://", "https://", "src=", "@import", "url(", "fetch(", "<link"] {
            #expect(!html.contains(word), "\(word)")
        }
    }

    @Test func summaryFitsAScreen() throws {
        var day = SyntheticRun(seed: 7)
        let result = day.run()
        let text = SummaryText.text(result, columns: 120)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 40 && lines.allSatisfy { $0.count <= 120 })
        // Two blocks of figures, then one; the words are the same, only broken elsewhere.
        for columns in [80, 60] {
            let narrow = SummaryText.text(result, columns: columns)
            let lines = narrow.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 80 && lines.allSatisfy { $0.count <= columns }, "\(columns)")
            for word in ["Net profit", "Open or unknown", "Drawdown"].prefix(columns < 66 ? 2 : 3) {
                #expect(narrow.contains(word), "\(columns): \(word)")
            }
        }
        _ = try write(text, "summary")
    }

    @Test func manyMarketsStayWithinSize() throws {
        var day = SyntheticRun(seed: 9, events: 70)
        let result = day.run(hours: 1, step: 20)
        let html = ReportPage.html(result)
        try Markup.check(html)
        #expect(html.utf8.count < 700_000, "\(html.utf8.count) bytes")
        #expect(result.charts?.markets.count == 12 && result.markets.count > 150)
        #expect(html.contains("more, in the JSON"))
    }
}
