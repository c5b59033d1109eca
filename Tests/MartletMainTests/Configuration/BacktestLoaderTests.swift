import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletMain

/// A strategy with parameters of every kind.
struct Sample: Strategy {
    struct Parameters: StrategyParameters {
        var size: Quantity = 5
        var edge: Price = 0.02
        var offset: Price = .zero
        var pause: TimeSpan = .seconds(1)
        var share: Double = 0.5
        var isPatient: Bool = true
        init() {}
        func validate() throws {
            if size > 100 { throw ParameterError("size", "must be at most 100") }
        }
    }
    static let name = "sample"
    let parameters: Parameters
    init(parameters: Parameters) { self.parameters = parameters }
}
struct Other: Strategy {
    struct Parameters: StrategyParameters { init() {} }
    static let name = "other"
    init(parameters: Parameters) {}
}

@Suite struct BacktestLoaderTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func load(
        _ text: String, strategy: String? = nil, set: [(String, String)] = []
    ) throws -> BacktestPlan {
        try folder.write(text, to: "c.json5")
        return try BacktestLoader(registry: StrategyRegistry([Sample.self, Other.self])).load(
            folder.path("c.json5"), strategy: strategy,
            overrides: set.map { .init(Assignment(path: $0.0, value: $0.1), flag: "set") })
    }
    /// The error of a configuration, with the folder's name taken off.
    private func error(
        _ text: String, strategy: String? = nil, set: [(String, String)] = []
    ) -> String {
        do {
            _ = try load(text, strategy: strategy, set: set)
            return "no error"
        } catch {
            return "\(error)".replacing(folder.path("c.json5"), with: "c.json5")
        }
    }
    private func sample(_ plan: BacktestPlan, _ index: Int = 0) throws -> Sample.Parameters {
        try #require(plan.strategies[index].strategy as? Sample).parameters
    }

    @Test func keysThatAreNotThereKeepTheirDefaults() throws {
        let plan = try load("{ strategies: [{ use: 'sample' }] }")
        #expect(plan.configuration == BacktestConfiguration())
        #expect(plan.name == "c")
        #expect(plan.strategies.map(\.name) == ["sample"])
        #expect(try sample(plan).size == 5)
    }

    @Test func readsEveryKindOfValue() throws {
        let plan = try load(
            """
            {
                // a comment
                tapes: ["a.tape", "b/"], markets: ["X-*"], seed: 18446744073709551615, tier: "prime",
                latency: { order: 0.0015 }, queue: "power:2.5", report: false,
                trading: {
                    startingCash: 1234.56789012, startingCashOnShards: [{ shard: 2, cash: 5 }],
                    accountLimits: { maxDailyLoss: "100.10", maxOpenOrders: 7 }, balancePrecision: "intermediated",
                },
                strategies: [
                    { use: "sample", parameters: { size: 7.25, edge: 0.07, offset: -0.0001, pause: 0.25, share: 1e-3,
                      isPatient: false } },
                    { use: "sample", name: "second", markets: ["X-1"] },
                ],
            }
            """)
        let configuration = plan.configuration
        #expect(configuration.seed == .max)
        #expect(configuration.latency.order == .microseconds(1500))
        #expect(configuration.latency.report == .milliseconds(50))
        #expect(configuration.queue == "power:2.5")
        #expect(configuration.trading.startingCash == Money(raw: 123_456_789_012))
        #expect(configuration.trading.startingCashOnShards == [ShardCash(shard: 2, cash: 5)])
        #expect(configuration.trading.accountLimits.maxDailyLoss == Money(cents: 10_010))
        #expect(configuration.trading.accountLimits.maxOrderSize == RiskLimits().maxOrderSize)
        #expect(configuration.trading.balancePrecision == .intermediated)
        let parameters = try sample(plan)
        #expect(parameters.size == Quantity(hundredths: 725))
        #expect(parameters.edge == Price(cents: 7))
        #expect(parameters.offset == Price(micros: Int32(-100)))
        #expect(parameters.pause == .milliseconds(250))
        #expect(parameters.share == 0.001)
        #expect(!parameters.isPatient)
        #expect(plan.strategies[1].name == "second")
        #expect(!plan.strategies[1].markets.accepts("X-2"))
        #expect(plan.resolve("a.tape") == folder.path("a.tape"))
        #expect(plan.resolve("/x/a.tape") == "/x/a.tape")
    }

    @Test(arguments: [
        (
            "{ strategies: [{ use: 'sample' }], tape: [] }",
            "c.json5:1:36: unknown key 'tape'; did you mean 'tapes'?"
        ),
        (
            "{\n  strategies: [{ use: 'sample' }],\n  trading: { accountLimits: { maxOrderSise: 1 } },\n}",
            "c.json5:3:31: unknown key 'trading.accountLimits.maxOrderSise'; did you mean "
                + "'trading.accountLimits.maxOrderSize'?"
        ),
        ("{ strategees: [] }", "c.json5:1:3: unknown key 'strategees'; did you mean 'strategies'?"),
        (
            "{ strategies: [{ use: 'sample', parameters: { siz: 1 } }] }",
            "c.json5:1:47: unknown key 'strategies[0].parameters.siz'; did you mean "
                + "'strategies[0].parameters.size'?"
        ),
        (
            "{ strategies: [{ use: 'sample', parametres: { } }] }",
            "c.json5:1:33: unknown key 'strategies[0].parametres'; did you mean 'strategies[0].parameters'?"
        ),
        (
            "{ strategies: [{ use: 'sampel' }] }",
            "c.json5:1:23: unknown strategy 'sampel'; did you mean 'sample'?"
        ),
        (
            "{ strategies: [{ use: 'zzz' }] }",
            "c.json5:1:23: unknown strategy 'zzz'; there are other, sample"
        ),
        ("{ strategies: [{ }] }", "c.json5:1:16: 'strategies[0]' lacks 'use', the name of a strategy"),
        ("{ strategies: [] }", "c.json5:1:3: 'strategies' is empty; a run needs one"),
        ("{ strategies: 'sample' }", "c.json5:1:15: 'strategies' must be a list, not a text"),
        (
            "{ strategies: ['sample'] }",
            "c.json5:1:16: 'strategies[0]' must be an object { use: \"…\" }, not a text"
        ),
        ("{ }", "c.json5: 'strategies' is missing; add strategies: [{ use: \"…\" }]"),
        ("[]", "c.json5:1:1: a configuration is an object { … }, not a list"),
        (
            "{ strategies: [{ use: 'sample' }, { use: 'sample' }] }",
            "c.json5:1:35: two strategies are named 'sample'; give one another 'name'"
        ),
        (
            "{ strategies: [{ use: 'sample', parameters: { size: 101 } }] }",
            "c.json5:1:53: strategy 'sample': parameter 'size' must be at most 100"
        ),
        (
            "{ strategies: [{ use: 'sample', parameters: { edge: '7 cents' } }] }",
            "c.json5:1:53: 'strategies[0].parameters.edge' cannot be \"7 cents\": '7 cents' is not a decimal number"
        ),
        (
            "{ strategies: [{ use: 'sample', parameters: { edge: 0.1234567 } }] }",
            "c.json5:1:53: 'strategies[0].parameters.edge' cannot be 0.1234567: '0.1234567' has more than 6 decimals"
        ),
        (
            "{ strategies: [{ use: 'sample', parameters: { isPatient: 1 } }] }",
            "c.json5:1:58: 'strategies[0].parameters.isPatient' must be true or false, not a number"
        ),
        (
            "{ strategies: [{ use: 'sample' }], tier: 'premium' }",
            "c.json5:1:42: 'tier' cannot be \"premium\"; did you mean \"premier\"?"
        ),
        (
            "{ strategies: [{ use: 'sample' }], trading: { startingCash: -1 } }",
            "c.json5:1:61: 'trading.startingCash' must be 0 or more, not -1"
        ),
        (
            "{ strategies: [{ use: 'sample' }], trading: { router: { cancelReserve: 2 } } }",
            "c.json5:1:72: 'trading.router.cancelReserve' must lie between 0 and 0.9, not 2"
        ),
        (
            "{ strategies: [{ use: 'sample' }], trading: { payoutRounding: 'up' } }",
            "c.json5:1:63: 'trading.payoutRounding' cannot be \"up\": how payouts are rounded: \"cent\" or \"exact\""
        ),
        (
            "{ strategies: [{ use: 'sample' }], tapes: [] }",
            "c.json5:1:43: 'tapes' is empty; name a tape or \"demo\""
        ),
        (
            "{ strategies: [{ use: 'sample' }], tapes: 'x' }",
            "c.json5:1:43: 'tapes' must be a list, not a text"
        ),
        (
            "{ strategies: [{ use: 'sample' }], latency: { model: 'recorded' } }",
            "c.json5:1:54: a recorded latency needs 'latency.file', one number of microseconds a line"
        ),
        (
            "{ strategies: [{ use: 'sample' }], seed: 1.5 }",
            "c.json5:1:42: 'seed' must be a whole number, not 1.5"
        ),
        (
            "{ strategies: [{ use: 'sample' }], seed: 18446744073709551616 }",
            "c.json5:1:42: 'seed' cannot be 18446744073709551616: it is out of range"
        ),
        (
            "{ strategies: [{ use: 'sample' }], seed: 7,\n trading: { accountLimits: { maxOpenOrders: 0.5 } } }",
            "c.json5:2:45: 'trading.accountLimits.maxOpenOrders' must be a whole number, not 0.5"
        ),
        (
            "{ strategies: [{ use: 'sample' }], sampling: 0.001 }",
            "c.json5:1:46: 'sampling' must be 0, or 0.1 seconds or more"
        ),
        (
            "{ strategies: [{ use: 'sample' }], tapes: ['demo', ''] }",
            "c.json5:1:43: 'tapes' holds an empty name; name a tape or \"demo\""
        ),
        (
            "{ strategies: [{ use: 'sample' }], trading: { startingCashOnShards: [{ shard: 0, cash: 1 }] } }",
            "c.json5:1:69: 'trading.startingCashOnShards' names shard 0, whose cash is 'trading.startingCash'"
        ),
        (
            "{ strategies: [{ use: 'sample' }], trading: { startingCashOnShards: [{ shard: 2 }, { shard: 2 }] } }",
            "c.json5:1:69: 'trading.startingCashOnShards' names shard 2 twice"
        ),
        ("{ a: 1, a: 2 }", "c.json5:1:9: key 'a' stands twice, first in line 1"),
        ("{ a: 1", "c.json5:1:7: the '{' of line 1 is never closed"),
    ])
    func everyMistakeIsNamedAtItsPlace(text: String, message: String) {
        #expect(error(text) == message)
    }

    @Test func aFileThatIsNotThereOrNotText() throws {
        let loader = BacktestLoader(registry: try StrategyRegistry([Sample.self]))
        let missing = #expect(throws: CommandError.self) { try loader.load(folder.path("none.json5")) }
        #expect(missing?.message == "cannot read '\(folder.path("none.json5"))': no such file")
        #expect(missing?.code == .usage)
        try Data([0x7B, 0xFF, 0x7D]).write(to: folder.url.appendingPathComponent("bad.json5"))
        let bad = #expect(throws: CommandError.self) { try loader.load(folder.path("bad.json5")) }
        #expect(bad?.message.hasSuffix("is not UTF-8 text; a configuration is JSON5") == true)
    }

    @Test func aProgramOfOnesOwnHasASampleToo() throws {
        let plan = try BacktestLoader(registry: StrategyRegistry([Sample.self, Other.self])).load(nil)
        #expect(plan.strategies.map(\.name) == ["other"], "the first by name")
    }

    @Test func aFolderIsNoConfiguration() {
        let problem = #expect(throws: CommandError.self) {
            try BacktestLoader(registry: StrategyRegistry([Sample.self])).load(folder.path("."))
        }
        #expect(problem?.message.hasSuffix("a folder, not a file") == true)
    }

    @Test func flagsOverrideKeys() throws {
        let text = "{ strategies: [{ use: 'sample', parameters: { size: 1 } }], tier: 'prime' }"
        let plan = try load(
            text,
            set: [
                ("tier", "basic"), ("strategy.size", "9"), ("strategy.isPatient", "false"), ("seed", "4"),
                ("trading.accountLimits.maxOpenOrders", "3"), ("strategies[0].name", "mine"),
            ])
        #expect(plan.configuration.tier == "basic")
        #expect(plan.configuration.seed == 4)
        #expect(plan.configuration.trading.accountLimits.maxOpenOrders == 3)
        #expect(plan.strategies[0].name == "mine")
        let parameters = try sample(plan)
        #expect(parameters.size == 9)
        #expect(!parameters.isPatient)
    }

    @Test(arguments: [
        ("teir", "basic", "--set teir=basic: unknown key 'teir'; did you mean 'tier'?"),
        (
            "strategy.sizes", "1",
            "--set strategy.sizes=1: unknown key 'strategies[0].parameters.sizes'; did you mean "
                + "'strategies[0].parameters.size'?"
        ),
        (
            "strategy.size", "many",
            "--set strategy.size=many: 'strategies[0].parameters.size' cannot be \"many\": 'many' is not a decimal number"
        ),
        (
            "strategies.3.name", "x",
            "--set strategies.3.name=x: the list has 1 elements, numbered from 0; there is no '3'"
        ),
    ])
    func aWrongFlagIsNamedAsItWasTyped(path: String, value: String, message: String) {
        #expect(error("{ strategies: [{ use: 'sample' }] }", set: [(path, value)]) == message)
    }

    @Test func aParameterOfSeveralStrategiesNeedsItsFullName() {
        let text = "{ strategies: [{ use: 'sample' }, { use: 'other' }] }"
        #expect(
            error(text, set: [("strategy.size", "1")])
                == "--set strategy.size=1: 'strategy.PARAMETER' needs a run of one strategy; write "
                + "strategies.0.parameters.PARAMETER or choose one with --strategy NAME")
    }

    @Test func theStrategyFlagChoosesOrReplaces() throws {
        let text =
            "{ strategies: [{ use: 'sample', name: 'a', parameters: { size: 3 } }, { use: 'sample', name: 'b' }] }"
        #expect(try load(text, strategy: "a").strategies.map(\.name) == ["a"])
        #expect(try sample(load(text, strategy: "a")).size == 3)
        #expect(try load(text, strategy: "other").strategies.map(\.name) == ["other"])
        #expect(
            error(text, strategy: "otter") == "--strategy: unknown strategy 'otter'; did you mean 'other'?")
    }

    /// Every key has a line of help, and every line of help a key.
    @Test func helpKnowsExactlyTheKeys() throws {
        func leaves(_ node: ConfigurationNode, _ path: String) -> [String] {
            guard case .object(let members) = node.value else { return [path] }
            return members.flatMap { leaves($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
        }
        var keys = Set(leaves(try ConfigurationReader.tree(of: BacktestConfiguration()), ""))
        keys.formUnion(["strategies", "trading.strategyLimits", "trading.accountLimits", "trading.router"])
        let prefixes = [
            "The run": [""], "The simulated exchange": [""], "trading: cash and orders": ["trading."],
            "trading.strategyLimits and trading.accountLimits": [
                "trading.strategyLimits.", "trading.accountLimits.",
            ],
            "trading.router": ["trading.router."], "live: paper and live sessions": [""],
            "live.alerts: a web hook": [""],
        ]
        var explained: Set<String> = []
        for section in ConfigurationHelp.sections {
            for prefix in prefixes[section.title] ?? [] {
                for row in section.rows { explained.insert(prefix + row.0) }
            }
        }
        #expect(keys.subtracting(explained).sorted() == [])
        #expect(explained.subtracting(keys).sorted() == [])
        for path in ConfigurationHelp.ranges.keys { #expect(keys.contains(path), "\(path)") }
    }
}
