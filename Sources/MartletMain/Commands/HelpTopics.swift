/// Pages of help that belong to no single command.
enum HelpTopics {
    struct Topic {
        var name: String
        var summary: String
        var text: String
    }

    static let all: [Topic] = [units, exitCodes]

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
