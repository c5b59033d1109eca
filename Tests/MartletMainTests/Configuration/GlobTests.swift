import Testing

@testable import MartletMain

@Suite struct GlobTests {
    @Test(arguments: [
        ("*", "", true), ("*", "abc", true), ("", "", true), ("", "a", false), ("abc", "abc", true),
        ("abc", "abcd", false), ("KXBTC15M-*", "KXBTC15M-26MAY110145-45", true),
        ("KXBTC15M-*", "KXETH-1", false),
        ("*-45", "KXBTC15M-26MAY110145-45", true), ("a?c", "abc", true), ("a?c", "ac", false),
        ("*a*b", "xxaxxab", true), ("*a*b", "xxaxxa", false), ("a*", "a", true), ("**a**", "a", true),
    ])
    func matches(pattern: String, text: String, expected: Bool) {
        #expect(Glob(pattern).matches(text) == expected)
    }
    @Test func anEmptyListTakesAll() {
        #expect(TickerFilter([]).accepts("X"))
        #expect(TickerFilter(["A*", "B"]).accepts("B"))
        #expect(!TickerFilter(["A*", "B"]).accepts("C"))
    }
}
