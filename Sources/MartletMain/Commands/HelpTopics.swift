/// Pages of help that belong to no single command.
enum HelpTopics {
    struct Topic {
        var name: String
        var summary: String
        var text: String
    }

    static let all: [Topic] = [configuration, units, exitCodes]

    static let configuration = Topic(
        name: "configuration", summary: "every key of a backtest's configuration",
        text: """
            A configuration is a JSON5 file: JSON with comments, keys without quotes and
            trailing commas. A key that is not there keeps its default; one that does not
            exist is an error. On the command line, --set path=value sets any key:
            --set trading.accountLimits.maxDailyLoss=500; --set strategy.size=5 sets a
            parameter of the run's strategy. Units: 'martlet help units'.

              {
                  tapes: ["demo"],
                  strategies: [
                      { use: "spread-maker", parameters: { size: 20 } },
                  ],
                  latency: { order: 0.1 },
              }


            """
                + ConfigurationHelp.sections.map { "\($0.title):\n" + HelpText.table($0.rows) }
                .joined(separator: "\n\n") + "\n")

    static let units = Topic(
        name: "units", summary: "how prices, counts, money and times are written",
        text: """
            Units, in configurations, parameters and --json alike:

              price      dollars of one YES contract, from 0 to 1: 0.07 is seven cents.
                         A NO bid at p is shown as a YES ask at 1 - p, everywhere.
              contracts  numbers down to 0.01
              money      dollars, exact to 0.00000001
              time span  seconds: 0.25 is 250 milliseconds
              time       2026-05-11T05:37:41Z, with decimals of the second if needed

            Numbers may also be written as text ("0.07"); both are read as decimals, never
            through binary fractions.
            """)

    static let exitCodes = Topic(
        name: "exit-codes", summary: "what the exit code tells a script",
        text: "Exit codes:\n\n"
            + HelpText.table(ExitCode.allCases.map { (String($0.rawValue), $0.meaning) })
            + "\n\nErrors are one line on standard error, 'martlet: …'. With --json, standard\n"
            + "output then holds one object with 'error' and 'exit_code'.\n")
}
