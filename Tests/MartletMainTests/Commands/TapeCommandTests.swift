import Foundation
import Martlet
import MartletSimulation
import MartletTape
import Testing

@testable import MartletMain

/// `martlet tape …` from outside.
@Suite struct TapeCommandTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func run(_ arguments: String...) throws -> MartletProcess.Result {
        try MartletProcess.run(["tape"] + arguments, in: folder.url)
    }
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() }
    }
    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
    }

    private let recording = """
        {"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXT-1-A","yes_dollars_fp":[["0.4000","10.00"]],"no_dollars_fp":[["0.5500","5.00"]]}}
        {"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"KXT-1-A","price_dollars":"0.4100","delta_fp":"2.00","side":"yes","ts":"2026-07-01T02:31:45.5Z"}}
        {"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"KXT-1-A","price_dollars":"1.4100","delta_fp":"2.00","side":"yes","ts":"2026-07-01T02:31:46.5Z"}}
        """

    @Test func importsAndSaysWhatItLeftOut() throws {
        try folder.write(recording, to: "day.jsonl")
        let result = try run("import", "day.jsonl", "-o", "day.tape", "--lines")
        #expect(result.code == 0)
        #expect(result.output.contains("day.tape: ") && result.output.contains("Left out:"))
        #expect(result.output.contains("Assumed, for the recording does not say:"))
        #expect(result.error.contains("day.jsonl:3: skipped: "))
        let json = try object(try run("import", "day.jsonl", "-o", "day.tape", "--json", "--force").output)
        #expect(json["deltas"] as? Int == 1 && json["skipped_lines"] as? Int == 1)
        #expect((json["assumptions"] as? [String])?.count == 3)
        #expect(try run("verify", "day.tape").output.contains("books sound"))
    }

    @Test func importsFromStandardInput() throws {
        try folder.write(recording, to: "day.jsonl")
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.currentDirectoryURL = folder.url
        shell.arguments = ["-c", "\"$0\" tape import - -o day.tape --json <day.jsonl", MartletProcess.path]
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(try object(text)["deltas"] as? Int == 1)
    }

    @Test func importsGzippedStandardInput() throws {
        try folder.write(recording, to: "day.jsonl")
        try folder.write(String(repeating: recording, count: 2_000), to: "long.jsonl")
        for (name, command) in [
            ("day", "gzip -c day.jsonl | \"$0\" tape import - -o day.tape --json"),
            // Unpacked, more than a pipe holds.
            ("long", "gzip -c long.jsonl | \"$0\" tape import - -o long.tape --json"),
            ("cut", "gzip -c long.jsonl | head -c 900 | \"$0\" tape import - -o cut.tape --json"),
        ] {
            let result = try MartletProcess.shell(command, in: folder.url)
            let json = try object(result.output)
            switch name {
            case "day": #expect(json["deltas"] as? Int == 1)
            case "long": #expect(json["lines"] as? Int == 6_000 - 1_999)
            default: #expect((json["error"] as? String)?.contains("gzip ended") == true)
            }
        }
        #expect(try names == ["day.jsonl", "day.tape", "long.jsonl", "long.tape"])
    }

    @Test func aFailureIsOneObjectWithWhatWasFound() throws {
        try folder.write("{\"type\":\"nothing\"}\n", to: "n.jsonl")
        let failed = try run("import", "n.jsonl", "-o", "n.tape", "--json")
        let json = try object(failed.output)
        #expect(failed.code == 3 && json["exit_code"] as? Int == 3)
        #expect(json["unknown_messages"] as? Int == 1 && json["error"] != nil)
        try folder.write("", to: "empty.tape")
        let unsound = try run("verify", "empty.tape", "--json")
        let report = try object(unsound.output)
        #expect(unsound.code == 1 && report["exit_code"] as? Int == 1)
        #expect((report["tapes"] as? [[String: Any]])?.count == 1)
        #expect(unsound.error.contains("empty"))
    }

    /// What is made of a tape that was cut off says so, and the same tape is not taken twice.
    @Test func tornAndRepeatedTapesAreNamed() throws {
        try folder.write(recording, to: "day.jsonl")
        #expect(try run("import", "day.jsonl", "-o", "day.tape").code == 0)
        let whole = try bytes("day.tape")
        try whole.dropLast(8).write(to: URL(fileURLWithPath: folder.path("torn.tape")))
        for arguments in [
            ["slice", "torn.tape", "-o", "a.tape"], ["merge", "torn.tape", "-o", "b.tape"],
            ["export", "torn.tape", "-o", "c.csv"], ["cat", "torn.tape"],
        ] {
            let result = try MartletProcess.run(["tape"] + arguments, in: folder.url)
            #expect(result.code == 0 && result.error.contains("torn.tape has no end mark"), "\(arguments)")
        }
        let json = try object(try run("merge", "torn.tape", "-o", "b.tape", "--force", "--json").output)
        #expect(json["torn"] as? [String] == ["torn.tape"])
        try whole.write(to: URL(fileURLWithPath: folder.path("copy.tape")))
        let twice = try run("merge", "day.tape", "copy.tape", "-o", "d.tape")
        #expect(twice.code == 2 && twice.error.contains("are the same tape"))
        try folder.write(
            "{ tapes: ['day.tape', 'day.tape'], strategies: [{ use: 'spread-maker' }] }", to: "c.json5")
        let backtest = try MartletProcess.run(["backtest", "c.json5"], in: folder.url)
        #expect(backtest.code == 2 && backtest.error.contains("is named twice"))
    }

    @Test func nothingUsableIsCodeThree() throws {
        try folder.write("hello\n", to: "a.txt")
        try folder.write("{\"type\":\"subscribed\",\"id\":1,\"msg\":{}}\n", to: "b.jsonl")
        try folder.write("", to: "c.jsonl")
        for name in ["a.txt", "b.jsonl", "c.jsonl"] {
            let result = try run("import", name, "-o", "day.tape")
            #expect(result.code == 3, "\(name)")
            #expect(result.error.split(separator: "\n").count == 1 && result.error.contains(name))
        }
        #expect(try names == ["a.txt", "b.jsonl", "c.jsonl"])
    }

    @Test func nothingButATapeIsOverwritten() throws {
        try folder.write(recording, to: "day.jsonl")
        try folder.write("my notes", to: "notes.txt")
        #expect(try run("import", "day.jsonl", "-o", "notes.txt").code == 2)
        #expect(try run("import", "day.jsonl", "-o", "day.jsonl").code == 2)
        #expect(try run("import", "day.jsonl").code == 2)
        #expect(try run("import", "missing.jsonl", "-o", "x.tape").code == 1)
        #expect(try run("demo", "notes.txt").code == 2)
        #expect(try run("demo", "notes.txt", "--force").code == 2)
        #expect(try folder.read("notes.txt") == "my notes")
        #expect(try folder.read("day.jsonl") == recording)
    }

    @Test func whatExistsIsReplacedOnlyWhenAskedFor() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 100)
        try TestTape.write(to: folder.path("b.tape"), records: 50)
        let before = try bytes("b.tape")
        for command in [
            ["demo", "b.tape", "--records", "9"], ["slice", "a.tape", "-o", "b.tape"],
            ["merge", "a.tape", "-o", "b.tape"], ["export", "a.tape", "-o", "b.tape"],
        ] {
            let refused = try MartletProcess.run(["tape"] + command, in: folder.url)
            #expect(refused.code == 2 && refused.error.contains("--force"), "\(command)")
            #expect(try bytes("b.tape") == before, "\(command)")
        }
        #expect(try run("merge", "a.tape", "-o", "b.tape", "--force").code == 0)
        #expect(try bytes("b.tape") == bytes("a.tape"))
    }

    @Test func foldersOfTapesAreTakenWhereTapesAre() throws {
        try FileManager.default.createDirectory(atPath: folder.path("rec"), withIntermediateDirectories: true)
        try TestTape.write(to: folder.path("rec/a.tape"), records: 100)
        try TestTape.write(to: folder.path("rec/b.tape"), records: 50)
        let result = try run("verify", "rec")
        #expect(
            result.code == 0 && result.output.contains("rec/a.tape") && result.output.contains("rec/b.tape"))
        #expect(try run("info", "rec").code == 0)
        #expect(try run("merge", "rec", "-o", "c.tape").code == 0)
    }

    @Test func choicesThatFitNothingAreNoSuccess() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 100)
        let result = try run("cat", "a.tape", "--market", "NOPE")
        #expect(result.code == 3 && result.error.contains("NOPE"))
        for command in [["cat", "a.tape"], ["slice", "a.tape", "-o", "b.tape"], ["export", "a.tape"]] {
            let bounds = ["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"]
            let result = try MartletProcess.run(["tape"] + command + bounds, in: folder.url)
            #expect(result.code == 2 && result.error.contains("is not before"), "\(command)")
        }
    }

    /// A disk that takes no more, as far as a process can be shown one: a limit on the size of files.
    @Test func fullDiskIsOneErrorAndLeavesNothing() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 20_000)
        #expect(try run("export", "a.tape", "-o", "a.jsonl").code == 0)
        let before = try names
        let commands = [
            "import a.jsonl -o b.tape", "slice a.tape -o b.tape", "merge a.tape -o b.tape",
            "export a.tape -o b.csv", "demo b.tape", "demo b.tape --records 100000",
        ]
        for command in commands {
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.currentDirectoryURL = folder.url
            shell.arguments = ["-c", "ulimit -f 200; exec \"$0\" tape \(command)", MartletProcess.path]
            let error = Pipe()
            shell.standardError = error
            shell.standardOutput = FileHandle.nullDevice
            try shell.run()
            let text = String(decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            shell.waitUntilExit()
            #expect(shell.terminationReason == .exit && shell.terminationStatus == 1, "\(command)")
            #expect(
                text.split(separator: "\n").count == 1 && text.contains("cannot write"), "\(command): \(text)"
            )
            #expect(try names == before, "\(command)")
        }
    }

    @Test func unwritableFolderIsOneError() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 10)
        for command in ["slice", "merge"] {
            let result = try run(command, "a.tape", "-o", "missing/b.tape")
            #expect(result.code == 1 && result.error.contains("missing/b.tape"), "\(result.error)")
            #expect(result.error.split(separator: "\n").count == 1)
        }
    }

    @Test func damagedTapesAreNamedForWhatTheyAre() throws {
        try TestTape.write(to: folder.path("a.tape"), records: 3000)
        let whole = try bytes("a.tape")
        func damaged(_ change: (inout Data) -> Void) throws {
            var bytes = whole
            change(&bytes)
            try bytes.write(to: URL(fileURLWithPath: folder.path("b.tape")))
        }
        let kinds: [(String, (inout Data) -> Void)] = [
            ("cut off", { $0.removeLast(500) }), ("empty", { $0.removeAll() }),
            ("gzipped", { $0 = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0]) }),
            ("checksum", { $0[1000] ^= 4 }), ("not a Martlet tape", { $0 = Data("hello there".utf8) }),
        ]
        for (words, change) in kinds {
            try damaged(change)
            for command in ["verify", "slice", "merge"] {
                let arguments =
                    [command, "b.tape"] + (command == "verify" ? [] : ["-o", "c.tape", "--force"])
                let result = try MartletProcess.run(["tape"] + arguments, in: folder.url)
                // What is whole of a torn tape can be cut and merged.
                guard words != "cut off" || command == "verify" else { continue }
                #expect(result.code == 1, "\(words), \(command)")
                #expect(result.error.contains(words), "\(words), \(command): \(result.error)")
            }
        }
        try damaged { $0.removeLast(500) }
        let info = try object(try run("info", "b.tape", "--json").output)
        let tape = try #require((info["tapes"] as? [[String: Any]])?.first)
        #expect(tape["complete"] as? Bool == false && tape["torn_at"] as? Int != nil)
        let lines = try run("cat", "b.tape").output.split(separator: "\n")
        #expect(lines.last?.contains("cut off at byte") == true && lines.count > 1000)
    }

    @Test func catChoosesRecords() throws {
        try TestTape.write(to: folder.path("a.tape"))
        let trades = try run("cat", "a.tape", "--kind", "trade", "--market", "T-A").output.split(
            separator: "\n")
        #expect(trades.count > 100 && trades.allSatisfy { $0.contains(" trade T-A ") })
        let some = try run("cat", "a.tape", "--json", "-n", "7").output.split(separator: "\n")
        #expect(some.count == 7)
        #expect(try object(String(some[0]))["record"] as? String == "definition")
        #expect(try run("cat", "a.tape", "--kind", "trades").code == 2)
    }

    @Test func exportAndImportGiveTheSameTape() throws {
        try TestTape.write(to: folder.path("a.tape"))
        for name in ["a.csv", "a.jsonl"] {
            #expect(try run("export", "a.tape", "-o", name).code == 0)
            #expect(try run("import", name, "-o", "b.tape", "--force").code == 0)
            #expect(try bytes("a.tape") == bytes("b.tape"), "\(name)")
        }
        let printed = try run("export", "a.tape", "--format", "csv").output
        #expect(printed == (try folder.read("a.csv")))
    }

    /// The demonstration day split and merged again: the same bytes, and so the same report.
    @Test func splitAndMergedTapeGivesTheSameBacktest() throws {
        #expect(try run("demo", "day.tape", "--seed", "3").code == 0)
        let info = try object(try run("info", "day.tape", "--json").output)
        let tape = try #require((info["tapes"] as? [[String: Any]])?.first)
        let first = try #require((tape["first"] as? String).flatMap { Timestamp(rfc3339: $0) })
        let cuts = [3000, 9000].map { (first + .seconds($0)).description }
        let bounds: [[String]] = [
            ["--to", cuts[0]], ["--from", cuts[0], "--to", cuts[1]], ["--from", cuts[1]],
        ]
        for (index, bound) in bounds.enumerated() {
            let result = try MartletProcess.run(
                ["tape", "slice", "day.tape", "-o", "\(index).tape"] + bound, in: folder.url)
            #expect(result.code == 0, "\(result.error)")
        }
        #expect(try run("merge", "0.tape", "1.tape", "2.tape", "-o", "merged.tape").code == 0)
        #expect(try bytes("day.tape") == bytes("merged.tape"))
        #expect(try run("verify", "0.tape", "1.tape", "2.tape", "merged.tape").code == 0)
        for out in ["one", "two"] {
            let result = try MartletProcess.run(
                ["backtest", "-t", "day.tape", "-o", out, "--quiet"], in: folder.url)
            #expect(result.code == 0)
            try FileManager.default.removeItem(atPath: folder.path("day.tape"))
            try FileManager.default.copyItem(
                atPath: folder.path("merged.tape"), toPath: folder.path("day.tape"))
        }
        #expect(try folder.read("one/result.json") == folder.read("two/result.json"))
    }

    @Test func demoTapesComeFromTheirSeed() throws {
        for (name, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
            #expect(try run("demo", name, "--records", "2000", "--markets", "7", "--seed", seed).code == 0)
        }
        #expect(try bytes("a") == bytes("b"))
        #expect(try bytes("a") != bytes("c"))
        let json = try object(try run("demo", "a", "--records", "2000", "--json", "--force").output)
        #expect(json["records"] as? Int == 2100)
        #expect(try run("demo", "a", "--markets", "3").code == 2)
    }

    @Test func everyCommandHasHelp() throws {
        for name in ["import", "info", "cat", "verify", "slice", "merge", "export", "demo"] {
            let result = try run(name, "--help")
            #expect(result.code == 0 && result.output.contains("Usage:"), "\(name)")
        }
        #expect(try MartletProcess.run(["help", "tape"]).output.contains("checksummed"))
    }
}
