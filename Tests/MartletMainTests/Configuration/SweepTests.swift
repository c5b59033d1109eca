import Testing

@testable import MartletMain

@Suite struct SweepTests {
    @Test func everyCombinationTheLastKeyFastest() throws {
        let sweep = try Sweep([
            Assignment(path: "strategy.size", value: "5, 10"), Assignment(path: "tier", value: "basic,prime"),
        ])
        let texts = sweep.combinations.map { $0.map { "\($0.path)=\($0.value)" }.joined(separator: " ") }
        #expect(
            texts == [
                "strategy.size=5 tier=basic", "strategy.size=5 tier=prime", "strategy.size=10 tier=basic",
                "strategy.size=10 tier=prime",
            ])
    }
    @Test(arguments: [
        ([("a", "1,,2")], "--sweep a=1,,2: a value is empty"),
        ([("a", "1"), ("a", "2")], "--sweep a is given twice; list its values once, with commas"),
        (
            [
                ("a", String(repeating: "1,", count: 101) + "1"),
                ("b", String(repeating: "1,", count: 101) + "1"),
            ],
            "--sweep asks for more than 10000 runs; take fewer values"
        ),
    ])
    func refuses(axes: [(String, String)], message: String) {
        let error = #expect(throws: CommandError.self) {
            try Sweep(axes.map { Assignment(path: $0.0, value: $0.1) })
        }
        #expect(error?.message == message)
    }
}
