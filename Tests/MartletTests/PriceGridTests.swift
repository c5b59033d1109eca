import Martlet
import Testing

@Suite struct PriceGridTests {
    /// Edge step, centre step, edge width in micro-dollars of the twelve structures of API.md §5.
    static let structures: [(String, Int, Int, Int)] = [
        ("linear_cent", 10_000, 10_000, 100_000), ("deci_cent", 1_000, 1_000, 100_000),
        ("tapered_deci_cent", 1_000, 10_000, 100_000),
        ("center_whole_edge_half_cent", 5_000, 10_000, 100_000),
        ("center_whole_edge_quint_cent", 2_000, 10_000, 100_000),
        ("center_half_edge_half_cent", 5_000, 5_000, 100_000),
        ("center_half_edge_quint_cent", 2_000, 5_000, 100_000),
        ("center_half_edge_deci_cent", 1_000, 5_000, 100_000),
        ("center_quint_edge_quint_cent", 2_000, 2_000, 100_000),
        ("center_quint_edge_deci_cent", 1_000, 2_000, 100_000),
        ("center_centi_edge_centi_cent", 100, 100, 100_000),
        ("center_deci_edge_centi_cent", 100, 1_000, 10_000),
    ]

    @Test(arguments: structures)
    func everyStructureAgreesWithItsDefinitionAtEveryPrice(_ row: (String, Int, Int, Int)) throws {
        let grid = try #require(PriceGrid.labelled(row.0))
        func isValid(_ micros: Int) -> Bool {
            guard micros > 0, micros < 1_000_000 else { return false }
            let isEdge = micros < row.3 || micros > 1_000_000 - row.3
            return micros % (isEdge ? row.1 : row.2) == 0 || (micros == row.3 || micros == 1_000_000 - row.3)
        }
        var below: Int?
        for micros in stride(from: 0, through: 1_000_000, by: 50) {
            let price = Price(micros: micros)
            #expect(grid.contains(price) == isValid(micros), "\(row.0) \(price)")
            if isValid(micros) { below = micros }
            #expect(grid.roundedDown(price)?.micros == below.map { Int32($0) }, "\(row.0) \(price)")
        }
        var above: Int?
        for micros in stride(from: 1_000_000, through: 0, by: -50) {
            if isValid(micros) { above = micros }
            #expect(
                grid.roundedUp(Price(micros: micros))?.micros == above.map { Int32($0) }, "\(row.0) \(micros)"
            )
        }
        for cents in 1..<100 {
            #expect(grid.contains(Price(cents: cents)), "whole cents stand on every grid")
        }
    }

    @Test func neighboursStepOverBands() throws {
        let grid = try #require(PriceGrid.labelled("tapered_deci_cent"))
        #expect(grid.next(above: Price(cents: 10)) == Price(cents: 11))
        #expect(grid.next(below: Price(cents: 10)) == Price(micros: 99_000))
        #expect(grid.next(above: Price(micros: 999_000)) == nil)
        #expect(grid.next(below: Price(micros: 1_000)) == nil)
        #expect(grid.roundedPassively(Price(micros: 555_500), .bid) == Price(cents: 55))
        #expect(grid.roundedPassively(Price(micros: 555_500), .ask) == Price(cents: 56))
    }

    @Test func badDefinitionsAreRefused() {
        func band(_ start: Int, _ end: Int, _ step: Int) -> PriceGrid.Band {
            PriceGrid.Band(start: Price(micros: start), end: Price(micros: end), step: Price(micros: step))
        }
        #expect(throws: PriceGrid.DefinitionError.empty) { try PriceGrid(bands: []) }
        #expect(throws: PriceGrid.DefinitionError.self) { try PriceGrid(bands: [band(0, 1_000_000, 0)]) }
        #expect(throws: PriceGrid.DefinitionError.self) {
            try PriceGrid(bands: [band(0, 1_000_000, 300_000)])
        }
        #expect(throws: PriceGrid.DefinitionError.self) { try PriceGrid(bands: [band(0, 2_000_000, 10_000)]) }
        #expect(throws: PriceGrid.DefinitionError.self) {
            try PriceGrid(bands: [band(0, 100_000, 1_000), band(200_000, 1_000_000, 10_000)])
        }
    }

    @Test func anyListOfBandsIsAGrid() throws {
        let grid = try PriceGrid(bands: [
            .init(start: Price(cents: 5), end: Price(cents: 20), step: Price(micros: 2_500)),
            .init(start: Price(cents: 20), end: Price(cents: 95), step: Price(micros: 7_500)),
        ])
        #expect(grid.contains(Price(micros: 52_500)))
        #expect(!grid.contains(Price(cents: 4)))
        #expect(grid.contains(Price(micros: 207_500)))
        #expect(grid.unit == Price(micros: 2_500))
        #expect(grid.roundedDown(Price(cents: 4)) == nil)
        #expect(grid.roundedUp(Price(cents: 96)) == nil)
    }
}
