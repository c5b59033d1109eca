import Testing

@testable import MartletMain

@Suite struct HelpTextTests {
    @Test func layout() {
        var command = ArgumentParserTests.tree.subcommands[0]
        command.discussion = "One paragraph\nin two lines.\n\n  kept as\n    it is"
        command.examples = [("martlet run x", "runs x")]
        #expect(
            HelpText.of(command, path: ["run"]) == """
                martlet run: runs

                Usage:
                  martlet run CONFIG [MORE] [flags]

                One paragraph in two lines.

                  kept as
                    it is

                Arguments:
                  CONFIG  the file
                  MORE    another

                Flags:
                  -t, --tape FILE   a tape
                  --seed NUMBER     the seed
                  --level LEVEL     a level
                  --count N         a count
                  --set PATH=VALUE  an override
                  -f, --fast        fast
                  --json            one JSON object on standard output, for machines
                  -q, --quiet       no progress and no remarks, only the result
                  -h, --help        show this help

                Examples:
                  martlet run x
                      runs x

                """)
    }

    @Test func wrapsAtTheColumnAndNeverInsideAWord() {
        #expect(HelpText.wrap("aa bb cc", width: 5) == ["aa bb", "cc"])
        #expect(HelpText.wrap("aaaaaaaaaa b", width: 5) == ["aaaaaaaaaa", "b"])
        #expect(HelpText.table([("a", "one two"), ("bb", "")], indent: 1) == " a   one two\n bb")
    }

    /// Every command of the program explains itself within 80 columns and ends its lines cleanly.
    @Test func everyCommandsHelpFitsATerminal() throws {
        func walk(_ command: Command, _ path: [String]) {
            let text = HelpText.of(command, path: path)
            for line in text.split(separator: "\n") {
                #expect(line.count <= 80, "\(path): \(line)")
                #expect(!line.hasSuffix(" "), "\(path): \(line)")
            }
            #expect(!command.summary.isEmpty)
            for sub in command.subcommands { walk(sub, path + [sub.name]) }
        }
        walk(RootCommand.command(try StrategyRegistry([])), [])
        for topic in HelpTopics.all {
            for line in topic.text.split(separator: "\n") {
                #expect(line.count <= 80, "\(topic.name): \(line)")
            }
        }
    }
}
