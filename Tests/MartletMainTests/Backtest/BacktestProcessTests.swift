import Foundation
import Testing

@testable import MartletMain

/// `martlet backtest` from outside.
@Suite struct BacktestProcessTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
    private func facts(_ text: String) throws -> [String: Any] {
        try #require(try object(text)["facts"] as? [String: Any])
    }

    @Test func runsATapeAndWritesTheReport() throws {
        try TestTape.write(to: folder.path("a.tape"))
        let result = try MartletProcess.run(
            ["backtest", "--tape", "a.tape", "--out", "out", "--json"], in: folder.url)
        #expect(result.code == 0)
        let facts = try facts(result.output)
        #expect(facts["isComplete"] as? Bool == true)
        #expect((facts["records"] as? Int ?? 0) > 2000)
        #expect(facts["source"] as? String == folder.path("a.tape"))
        let page = try folder.read("out/report.html")
        #expect(page.hasPrefix("<!DOCTYPE html>") || page.hasPrefix("<!doctype html>"))
        #expect(try object(folder.read("out/result.json"))["total"] != nil)
    }

    @Test func theSameRunTwiceGivesTheSameBytes() throws {
        try TestTape.write(to: folder.path("a.tape"))
        for out in ["one", "two"] {
            let result = try MartletProcess.run(
                ["backtest", "-t", "a.tape", "-o", out, "--set", "latency.model=log-normal", "--quiet"],
                in: folder.url)
            #expect(result.code == 0)
            #expect(result.error == "")
        }
        #expect(try folder.read("one/report.html") == folder.read("two/report.html"))
        #expect(try folder.read("one/result.json") == folder.read("two/result.json"))
    }

    @Test func aConfigurationNamesItsTapesRelativeToItself() throws {
        try TestTape.write(to: folder.path("a.tape"), tickers: ["T-A", "T-B", "X-C"])
        try folder.write(
            """
            { tapes: ["../a.tape"], markets: ["T-*"], strategies: [{ use: "spread-maker", markets: ["T-A"] }] }
            """, to: "configs/c.json5")
        let result = try MartletProcess.run(
            ["backtest", "configs/c.json5", "--no-report", "--json"], in: folder.url)
        #expect(result.code == 0)
        let object = try object(result.output)
        let markets = try #require(object["markets"] as? [[String: Any]])
        #expect(object["marketsWatched"] as? Int == 2)
        #expect(markets.map { $0["ticker"] as? String } == ["T-A"])
        #expect(!FileManager.default.fileExists(atPath: folder.path("Backtests")))
    }

    @Test func aMissingTapeIsAUsageError() throws {
        let result = try MartletProcess.run(["backtest", "-t", "none.tape"], in: folder.url)
        #expect(result.code == 2)
        #expect(result.error.hasPrefix("martlet: tape '\(folder.path("none.tape"))' does not exist"))
        #expect(result.output == "")
    }

    @Test func aDamagedTapeIsAFailureThatSaysWhere() throws {
        try TestTape.write(to: folder.path("a.tape"))
        var bytes = try Data(contentsOf: folder.url.appendingPathComponent("a.tape"))
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: folder.url.appendingPathComponent("a.tape"))
        let result = try MartletProcess.run(["backtest", "-t", "a.tape"], in: folder.url)
        #expect(result.code == 1)
        #expect(result.error.hasPrefix("martlet: \(folder.path("a.tape")) at byte "))
    }

    @Test func aTapeThatWasCutOffIsUsedAsFarAsItIsWhole() throws {
        try TestTape.write(to: folder.path("a.tape"))
        let bytes = try Data(contentsOf: folder.url.appendingPathComponent("a.tape"))
        try bytes.dropLast(40).write(to: folder.url.appendingPathComponent("a.tape"))
        let result = try MartletProcess.run(
            ["backtest", "-t", "a.tape", "--no-report", "--json"], in: folder.url)
        #expect(result.code == 0)
        #expect(result.error.contains("has no end mark"))
        let assumptions = try #require(facts(result.output)["assumptions"] as? [String])
        #expect(assumptions.contains { $0.contains("has no end mark") })
    }

    @Test func aTapeWithoutRecordsIsNothingUsable() throws {
        try TestTape.write(to: folder.path("a.tape"))
        let result = try MartletProcess.run(["backtest", "-t", "a.tape", "--market", "Q-*"], in: folder.url)
        #expect(result.code == 3)
        #expect(result.error.hasPrefix("martlet: nothing to replay"))
    }

    @Test func aFolderThatCannotBeWrittenIsNamed() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 100)
        try folder.write("a file", to: "taken")
        let result = try MartletProcess.run(["backtest", "-t", "a.tape", "-o", "taken/x"], in: folder.url)
        #expect(result.code == 1)
        #expect(result.error.hasPrefix("martlet: cannot write 'taken/x'"))
    }

    /// The program is held up where it tells that the tape was cut off, just before the run: nobody reads its
    /// standard error, and the pipe is full. So the signal is there before the first record, on any machine.
    @Test(arguments: [(SIGINT, 130 as Int32, "Ctrl-C"), (SIGTERM, 143, "SIGTERM")])
    func aSignalEndsTheRunWithAPartialResult(signal: Int32, code: Int32, name: String) throws {
        try TestTape.write(to: folder.path("long.tape"), records: 100_000, step: .milliseconds(1))
        let bytes = try Data(contentsOf: folder.url.appendingPathComponent("long.tape"))
        try bytes.dropLast(40).write(to: folder.url.appendingPathComponent("long.tape"))
        let error = Pipe()
        let filling = fill(error)
        let (process, output, _) = try MartletProcess.start(
            ["backtest", "-t", "long.tape", "--no-report", "--json", "--strategy", "longshot-bias"],
            in: folder.url, error: error)
        while process.isRunning, !handles(signal, process.processIdentifier) { usleep(2_000) }
        kill(process.processIdentifier, signal)
        _ = error.fileHandleForReading.readData(ofLength: filling)
        let result = try MartletProcess.finish(process, output, error)
        #expect(result.code == code)
        #expect(result.error.contains("has no end mark"))
        let facts = try facts(result.output)
        #expect(facts["isComplete"] as? Bool == false)
        #expect(facts["interruption"] as? String == name)
        let records = facts["records"] as? Int ?? 0
        #expect(records > 0 && records < 100_000)
    }

    /// Writes to a pipe until it takes no more. Returns how many bytes that were.
    private func fill(_ pipe: Pipe) -> Int {
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        var count = 0
        while write(descriptor, " ", 1) == 1 { count += 1 }
        _ = fcntl(descriptor, F_SETFL, flags)
        return count
    }

    /// Whether a process has a handler of its own for a signal, as the kernel shows it.
    private func handles(_ signal: Int32, _ process: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
            let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
        else { return false }
        return mask >> UInt64(signal - 1) & 1 == 1
    }

    @Test func aSweepRunsEveryCombination() throws {
        try TestTape.write(to: folder.path("a.tape"))
        let arguments = [
            "backtest", "-t", "a.tape", "--sweep", "strategy.size=5,10,20", "--sweep", "queue=back,power:3",
        ]
        let result = try MartletProcess.run(arguments, in: folder.url)
        #expect(result.code == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 7)
        #expect(lines[0].contains("strategy.size") && lines[0].contains("net"))
        let machine = try object(
            MartletProcess.run(arguments + ["--json", "-j", "3"], in: folder.url).output)
        let runs = try #require(machine["runs"] as? [[String: Any]])
        #expect(runs.count == 6)
        #expect(machine["complete"] as? Bool == true)
        #expect((runs[5]["parameters"] as? [String: String]) == ["strategy.size": "20", "queue": "power:3"])
    }

    @Test func aClosedPipeEndsQuietly() throws {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", "set -o pipefail; '\(MartletProcess.path)' help configuration | head -n 1"]
        let (output, error) = (Pipe(), Pipe())
        shell.standardOutput = output
        shell.standardError = error
        try shell.run()
        let result = try MartletProcess.finish(shell, output, error)
        #expect(result.code == 0)
        #expect(result.error == "")
        #expect(result.output.split(separator: "\n").count == 1)
    }
}
