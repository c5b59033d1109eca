import Testing

@testable import MartletMain

@Suite struct ArgumentParserTests {
    enum Flags {
        static let tape = ListFlag("tape", short: "t", .file, "a tape")
        static let seed = ValueFlag("seed", .seed, "the seed")
        static let level = ValueFlag("level", .choice("LEVEL", ["low", "high"]), "a level")
        static let count = ValueFlag("count", .whole("N", in: 1...10), "a count")
        static let set = ListFlag("set", .assignment("PATH=VALUE"), "an override")
        static let fast = Switch("fast", short: "f", "fast")
    }

    static var tree: Command {
        var run = Command(name: "run", summary: "runs")
        run.operands = [.init("CONFIG", .one, "the file"), .init("MORE", .optional, "another")]
        run.flags = [Flags.tape, Flags.seed, Flags.level, Flags.count, Flags.set, Flags.fast]
        run.run = { _, _ in .success }
        var info = Command(name: "info", summary: "informs")
        info.operands = [.init("TAPE", .many, "tapes")]
        info.run = { _, _ in .success }
        var tape = Command(name: "tape", summary: "tapes")
        tape.subcommands = [info]
        var root = Command(name: "martlet", summary: "root")
        root.subcommands = [run, tape]
        root.run = { _, _ in .success }
        return root
    }

    private func parse(_ line: String) throws -> Invocation {
        try ArgumentParser(root: Self.tree).parse(line.split(separator: " ").map(String.init)).1
    }

    @Test func readsFlagsAnywhereAndInEveryForm() throws {
        let call = try parse(
            "run -t a.tape config.json5 --tape=b.tape --seed 7 --fast --set a.b=c=d --level high")
        #expect(call.path == ["run"])
        #expect(call.operands == ["config.json5"])
        #expect(call[Flags.tape] == ["a.tape", "b.tape"])
        #expect(call[Flags.seed] == 7)
        #expect(call[Flags.level] == "high")
        #expect(call[Flags.fast])
        #expect(call[Flags.set] == [Assignment(path: "a.b", value: "c=d")])
        #expect(call[Flags.count] == nil)
        #expect(!call.isJSON)
    }

    @Test func twoDashesEndTheFlagsAndOneIsAnOperand() throws {
        #expect(try parse("tape info - -- --json -x").operands == ["-", "--json", "-x"])
        #expect(try parse("tape info x --json").isJSON)
    }

    @Test func aValueMayBeginWithOneDashButNotWithTwo() throws {
        #expect(try parse("run c -t -").operands == ["c"])
        #expect(try parse("run c -t -")[Flags.tape] == ["-"])
    }

    @Test func helpNeedsNoOperands() throws {
        #expect(try parse("run --help").isHelp)
        #expect(try parse("tape info -h").path == ["tape", "info"])
    }

    @Test(arguments: [
        ("run c --sed 7", "unknown flag '--sed' for 'martlet run'; did you mean '--seed'?"),
        ("run c --zzz=1", "unknown flag '--zzz' for 'martlet run'; 'martlet run --help' lists them"),
        ("run c -x", "unknown flag '-x' for 'martlet run'; 'martlet run --help' lists them"),
        ("run c -seed 7", "unknown flag '-seed' for 'martlet run'; did you mean '--seed'?"),
        ("run c --seed", "flag '--seed' needs a value: --seed NUMBER"),
        ("run c --seed --fast", "flag '--seed' needs a value: --seed NUMBER"),
        ("run c --seed -1", "--seed NUMBER: '-1' is not a whole number of 0 or more"),
        ("run c --seed 1 --seed 2", "flag '--seed' is given twice; it takes one value"),
        ("run c --fast=yes", "flag '--fast' takes no value, got 'yes'"),
        ("run c --level mid", "--level LEVEL: 'mid' is none of low, high"),
        ("run c --count 11", "--count N: '11' is not within 1...10"),
        ("run c --count ten", "--count N: 'ten' is not a whole number"),
        ("run c --set a", "--set PATH=VALUE: 'a' is not of the form PATH=VALUE"),
        ("run c --tape=", "--tape FILE: '' is empty"),
        ("run", "'martlet run' needs CONFIG: the file; 'martlet run --help' shows how"),
        ("run a b c", "'martlet run' does not take 'c'"),
        ("tape info", "'martlet tape info' needs TAPE: tapes; 'martlet tape info --help' shows how"),
        ("tpe", "unknown command 'tpe'; did you mean 'martlet tape'?"),
        ("tape inf x", "unknown command 'tape inf'; did you mean 'martlet tape info'?"),
        ("tape xyz", "unknown command 'tape xyz'; 'martlet tape --help' lists the commands"),
    ])
    func everyMistakeIsNamed(line: String, message: String) {
        let error = #expect(throws: CommandError.self) { try parse(line) }
        #expect(error?.message == message)
        #expect(error?.code == .usage)
    }

    @Test(arguments: [
        ("sed", "seed"), ("tpae", "tape"), ("strategy.siz", nil), ("backtst", "backtest"), ("x", nil),
        ("fooo", nil), ("SEED", "seed"), ("back", "backtest"),
    ])
    func nearestIsNearAndNothingElse(word: String, expected: String?) {
        #expect(Nearest.match(word, among: ["seed", "tape", "backtest"]) == expected)
    }

    @Test func distanceCountsTypingErrors() {
        #expect(Nearest.distance("", "abc") == 3)
        #expect(Nearest.distance("abc", "") == 3)
        #expect(Nearest.distance("abcd", "abdc") == 1)
        #expect(Nearest.distance("kitten", "sitting") == 3)
        #expect(Nearest.distance("same", "same") == 0)
    }
}
