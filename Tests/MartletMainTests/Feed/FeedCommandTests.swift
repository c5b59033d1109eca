import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletTape
import Testing

@testable import MartletMain

/// `martlet book`, `trades` and `record` from outside, against an exchange on loopback.
@Suite struct FeedCommandTests {
    private let folder: ScratchFolder
    private let key: PrivateKey
    private let exchange: LiveExchange

    init() async throws {
        folder = try ScratchFolder()
        key = try PrivateKey.generate(.ed25519)
        try folder.write(try key.pem(), to: "key.pem")
        chmod(folder.path("key.pem"), 0o600)
        exchange = try await LiveExchange(key.publicKey)
    }

    private var access: [String] {
        [
            "--environment", "http://127.0.0.1:\(exchange.port)", "--key-id", "test-key", "--key",
            folder.path("key.pem"),
        ]
    }
    private func object(_ text: some StringProtocol) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func theBookOnceAsJSONAndAsText() async throws {
        let json = try MartletProcess.run(
            ["book", LiveExchange.ticker, "--once", "--json"] + access, in: folder.url)
        #expect(json.code == 0 && json.error == "")
        let book = try object(json.output)
        #expect(book["usable"] as? Bool == true && book["market"] as? String == LiveExchange.ticker)
        #expect((book["asks"] as? [[String]])?.first == ["0.5200", "150.00"])
        let text = try MartletProcess.run(["book", LiveExchange.ticker, "--once"] + access, in: folder.url)
        #expect(text.code == 0 && text.output.contains("0.4500") && text.output.contains("54 to 55"))
        #expect(exchange.signatures.load(ordering: .relaxed) == 2)
        await exchange.close()
    }

    @Test func tradesAreCountedAndOnTheirLines() async throws {
        let result = try MartletProcess.run(
            ["trades", LiveExchange.ticker, "--count", "3", "--json"] + access, in: folder.url)
        #expect(result.code == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3)
        let trade = try object(lines[0])
        #expect(trade["taker"] as? String == "ask" && trade["price"] as? String == "0.4700")
        #expect(Set(try lines.map { try object($0)["trade_id"] as? String }).count == 3)
        await exchange.close()
    }

    @Test func aRecordingIsATapeAndSurvivesAKill() async throws {
        exchange.drops.store(true, ordering: .relaxed)
        let result = try MartletProcess.run(
            ["record", LiveExchange.ticker, "--for", "2", "-o", "tapes", "--json"] + access, in: folder.url)
        #expect(result.code == 0)
        let last = try object(try #require(result.output.split(separator: "\n").last))
        #expect((last["records"] as? Int ?? 0) > 10 && last["gaps"] as? Int == 0)
        let path = try #require(last["tape"] as? String)
        let tape = try TapeReader(path: folder.path(path))
        #expect(tape.totals?.markets == 1)

        // Killed in the middle: the next start mends what it left.
        let (process, output, error) = try MartletProcess.start(
            ["record", LiveExchange.ticker, "-o", "tapes", "--quiet"] + access, in: folder.url)
        let known = try names()
        let deadline = Date().addingTimeInterval(15)
        while Date() < deadline, try !hasGrown(known) { try await Task.sleep(for: .milliseconds(50)) }
        kill(process.processIdentifier, SIGKILL)
        _ = try MartletProcess.finish(process, output, error)
        let torn = try #require(try names().last)
        #expect(throws: TapeError.self) { try TapeReader(path: folder.path("tapes/" + torn)) }
        let again = try MartletProcess.run(
            ["record", LiveExchange.ticker, "-o", "tapes", "--for", "1"] + access, in: folder.url)
        #expect(again.code == 0 && again.error.contains("mended 1 tape"))
        #expect(try TapeReader(path: folder.path("tapes/" + torn)).totals != nil)
        await exchange.close()
    }
    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path("tapes"))
            .filter { $0.hasSuffix(".tape") }.sorted()
    }
    private func hasGrown(_ known: [String]) throws -> Bool {
        guard let new = try names().last, !known.contains(new) else { return false }
        let size = try FileManager.default.attributesOfItem(atPath: folder.path("tapes/" + new))[.size]
        return (size as? Int ?? 0) > 4000
    }

    /// The clock is the exchange's by its answers' dates, in the handshake too; a 429 is waited out.
    @Test func aWrongClockAndARateLimitStopNobody() async throws {
        exchange.ahead.store(3_600, ordering: .relaxed)
        exchange.limited.store(2, ordering: .relaxed)
        let book = try MartletProcess.run(["book", LiveExchange.ticker, "--once"] + access, in: folder.url)
        #expect(book.code == 0 && book.error == "", "\(book.error)")
        exchange.ahead.store(-3_600, ordering: .relaxed)
        exchange.limited.store(2, ordering: .relaxed)
        let record = try MartletProcess.run(
            ["record", "--series", "KXHIGHNY", "--for", "2", "-o", "tapes", "--json"] + access, in: folder.url
        )
        let last = try object(try #require(record.output.split(separator: "\n").last))
        #expect(record.code == 0 && (last["records"] as? Int ?? 0) > 10, "\(record.error)")
        await exchange.close()
    }

    /// A series without an open market is waited for; what it opens is recorded with its real terms.
    @Test func aSeriesIsRecordedFromItsNextMarketOn() async throws {
        exchange.isHidden.store(true, ordering: .relaxed)
        let (process, output, error) = try MartletProcess.start(
            ["record", "--series", "KXHIGHNY", "-o", "tapes"] + access, in: folder.url)
        try await until { try !inputs().isEmpty }
        process.interrupt()
        let result = try MartletProcess.finish(process, output, error)
        #expect(result.code == 130 && result.error.contains("waiting for one"), "\(result.error)")
        let defined = try inputs().compactMap { if case .defined(let market) = $0 { market } else { nil } }
        let market = try #require(defined.first)
        #expect(market.isMutuallyExclusive && market.assumptions.isEmpty, "\(market.assumptions)")
        let unknown = try MartletProcess.run(
            ["record", "--series", "NOSUCH", "-o", "other"] + access, in: folder.url)
        #expect(unknown.code == 2 && unknown.error.contains("NOSUCH"))
        await exchange.close()
    }

    /// What was settled while nobody was connected is asked for afterwards.
    @Test func aResultThatTheFeedNeverToldIsOnTheTape() async throws {
        let (process, output, error) = try MartletProcess.start(
            ["record", LiveExchange.ticker, "-o", "tapes", "--json"] + access, in: folder.url)
        try await until { try !inputs().isEmpty }
        exchange.isSettled.store(true, ordering: .relaxed)
        exchange.drops.store(true, ordering: .relaxed)
        try await until { try inputs().contains(where: isYes) }
        process.interrupt()
        let result = try MartletProcess.finish(process, output, error)
        #expect(try inputs().contains(where: isYes))
        let last = try object(try #require(result.output.split(separator: "\n").last))
        #expect(last["markets"] as? Int == 0, "a settled market is left")
        await exchange.close()
    }

    private func isYes(_ input: EngineInput) -> Bool {
        if case .settled(_, .yes) = input { true } else { false }
    }
    /// Waits for what must come; the test's own checks say when it has not.
    private func until(_ isThere: () throws -> Bool) async throws {
        let deadline = Date().addingTimeInterval(30)
        while Date() < deadline, try !isThere() { try await Task.sleep(for: .milliseconds(50)) }
    }
    /// What the last tape says of markets, as far as it has been written.
    private func inputs() throws -> [EngineInput] {
        guard FileManager.default.fileExists(atPath: folder.path("tapes")), let name = try names().last else {
            return []
        }
        var options = TapeReader.Options()
        options.acceptsTorn = true
        guard let tape = try? TapeReader(path: folder.path("tapes/" + name), options: options) else {
            return []
        }
        var found: [EngineInput] = []
        var cursor = tape.cursor()
        while let record = try cursor.nextRecord() {
            if case .input(let input, _) = record { found.append(input) }
        }
        return found
    }

    @Test func mistakesSayWhatToDo() async throws {
        let noKey = try MartletProcess.run(["book", "X", "--environment", "demo"], in: folder.url)
        #expect(noKey.code == 2 && noKey.error.contains("--key-id"))
        let nothing = try MartletProcess.run(["record"] + access, in: folder.url)
        #expect(nothing.code == 2 && nothing.error.contains("--series"))
        let unknown = try MartletProcess.run(["book", "NOSUCH"] + access, in: folder.url)
        #expect(unknown.code == 2 && unknown.error.contains("NOSUCH"))
        exchange.refuses.store(true, ordering: .relaxed)
        let refused = try MartletProcess.run(
            ["book", LiveExchange.ticker, "--once"] + access, in: folder.url)
        #expect(refused.code == 2 && refused.error.contains("--key"))
        chmod(folder.path("key.pem"), 0o644)
        let open = try MartletProcess.run(["book", LiveExchange.ticker] + access, in: folder.url)
        #expect(open.code == 1 && open.error.contains("chmod 600"))
        await exchange.close()
    }
}
