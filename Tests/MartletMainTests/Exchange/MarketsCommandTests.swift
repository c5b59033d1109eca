import Testing

@Suite struct MarketsCommandTests {
    @Test func listsAndSearches() async throws {
        let exchange = try await LoopbackExchange()
        func run(_ arguments: String...) throws -> MartletProcess.Result {
            try MartletProcess.run(["markets", "--environment", exchange.address] + arguments)
        }
        let all = try run("--series", "KXTEST")
        #expect(all.code == 0)
        let lines = all.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("market") && lines[0].contains("closes (UTC)"))
        #expect(
            lines[1]
                == "KXTEST-24NOV23-T1  active         0.47  0.48  0.47  15,404  2024-11-23 20:00  Will it rain on Nov 23?: Rain"
        )
        #expect(lines[2].contains("finalized yes"))
        #expect(exchange.requests[0].contains("series_ticker=KXTEST&status=open"))
        let words = try run("--text", "rain 22", "--json")
        #expect(words.output.contains(#""ticker":"KXTEST-24NOV22-T1""#))
        #expect(!words.output.contains("24NOV23"))
        #expect(words.output.contains(#""result":"yes""#) && words.output.contains(#""shard":2"#))
        let cut = try run("--limit", "1")
        #expect(cut.error.contains("--limit 0"))
        let nothing = try run("--text", "snow")
        #expect(nothing.code == 3 && nothing.output == "")
        let address = try MartletProcess.run(["markets", "--environment", "http://10.0.0.1"])
        #expect(address.code == 2 && address.error.contains("without TLS"))
    }
}
