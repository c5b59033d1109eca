import Foundation
import Testing

@testable import MartletMain

/// The program from outside: what it prints, where, and the code it ends with.
@Suite struct ExitCodeTests {
    @Test func withoutArgumentsItSaysWhatItIsAndWhatToTry() throws {
        let result = try MartletProcess.run([])
        #expect(result.code == 0)
        #expect(result.error == "")
        for command in ["martlet backtest", "martlet strategies", "martlet new"] {
            #expect(result.output.contains(command))
        }
    }

    /// A variable that somebody forgot to set must not make a rehearsal real.
    @Test func realOrdersWantTheirExchangeNamed() throws {
        let folder = try ScratchFolder()
        try folder.write("{ strategies: [{ use: 'spread-maker' }], live: { markets: ['X'] } }", to: "a.json5")
        let result = try MartletProcess.run(
            ["live", "a.json5", "--live", "--yes"], in: folder.url, without: "MARTLET_ENVIRONMENT")
        #expect(result.code == 2 && result.error.contains("--environment production"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a.json5"])
    }

    @Test(arguments: [
        ["--version"], ["--help"], ["help"], ["help", "units"], ["strategies"],
        ["strategies", "spread-maker"],
        ["new", "--help"], ["help", "strategies", "--json"],
    ])
    func succeeds(arguments: [String]) throws {
        let result = try MartletProcess.run(arguments)
        #expect(result.code == 0)
        #expect(!result.output.isEmpty)
        #expect(result.error == "")
    }

    @Test(arguments: [
        (["strategees"], "martlet: unknown command 'strategees'; did you mean 'martlet strategies'?\n"),
        (["--jsn"], "martlet: unknown flag '--jsn' for 'martlet'; did you mean '--json'?\n"),
        (
            ["strategies", "spread-makr"],
            "martlet: unknown strategy 'spread-makr'; did you mean 'spread-maker'?\n"
        ),
        (["help", "unit"], "martlet: no help on 'unit'; did you mean 'martlet help units'?\n"),
        (["strategies", "a", "b"], "martlet: 'martlet strategies' does not take 'b'\n"),
    ])
    func aWrongCommandLineIsTwo(arguments: [String], message: String) throws {
        let result = try MartletProcess.run(arguments)
        #expect(result.code == 2)
        #expect(result.error == message)
        #expect(result.output == "")
    }

    @Test func withJSONAnErrorIsAnObjectToo() throws {
        let result = try MartletProcess.run(["strategies", "nobody", "--json"])
        #expect(result.code == 2)
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        #expect(object?["exit_code"] as? Int == 2)
        #expect((object?["error"] as? String)?.hasPrefix("unknown strategy 'nobody'") == true)
    }

    @Test func parametersComeInTheOrderOfTheirDeclarationAndAllHaveHelp() throws {
        for name in ["spread-maker", "exclusive-arbitrage", "longshot-bias"] {
            let result = try MartletProcess.run(["strategies", name, "--json"])
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let parameters = try #require(object?["parameters"] as? [[String: Any]])
            #expect(parameters.first?["name"] as? String == "size")
            for parameter in parameters {
                #expect((parameter["help"] as? String)?.isEmpty == false, "\(parameter)")
            }
        }
    }
}
