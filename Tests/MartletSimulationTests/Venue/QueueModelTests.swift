import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct QueueModelTests {
    @Test func backAdvancesOnlyWhenNothingIsLeftBehind() {
        let model = QueueModel.tradesOnly
        #expect(model.ahead(after: 30, ahead: 20, level: 50) == 20)
        #expect(model.ahead(after: 35, ahead: 20, level: 50) == 15)
        #expect(model.ahead(after: 50, ahead: 20, level: 50) == 0)
    }

    @Test func proportionalKeepsTheShare() {
        let model = QueueModel.proportional
        #expect(model.ahead(after: 10, ahead: 30, level: 100) == 27)
        #expect(
            model.ahead(after: 1, ahead: 1, level: 3) == Quantity(hundredths: 67),
            "a fraction of a hundredth stays ahead")
        #expect(model.ahead(after: 5, ahead: 0, level: 0) == 0)
    }

    /// hftbacktest's documentation, "Probability queue position models", as it is written there: the estimate is
    /// `front - (1 - prob) * change + min(back - prob * change, 0)` with `prob = f(back) / (f(back) + f(front))`.
    @Test(arguments: [0.5, 1, 2, 3])
    func powerMeetsTheDocumentedFormula(exponent: Double) {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let level = Int64(generator.next() % 100_000) + 1
            let front = Int64(generator.next() % UInt64(level + 1))
            let change = Int64(generator.next() % UInt64(level + 1))
            let (f, b) = (Double(front), Double(level - front))
            let probability = pow(b, exponent) / (pow(b, exponent) + pow(f, exponent))
            let raw =
                f - (1 - probability) * Double(change) + min(b - probability * Double(change), 0)
            let expected = min(max(raw, 0), Double(level - change))
            let found = QueueModel.power(exponent).ahead(
                after: Quantity(hundredths: change), ahead: Quantity(hundredths: front),
                level: Quantity(hundredths: level))
            let difference = Double(found.hundredths) - expected
            #expect(
                difference > -0.001 && difference < 1.001,
                "\(front) of \(level), less \(change): \(found), not \(expected / 100)")
        }
    }

    @Test(arguments: [QueueModel.tradesOnly, .proportional, .power(2)])
    func nobodyIsAheadWhoIsNotThere(model: QueueModel) {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5_000 {
            let level = Int64(generator.next() % 10_000)
            let front = Int64(generator.next() % UInt64(level + 1))
            let change = Int64(generator.next() % UInt64(level + 500))
            let after = model.ahead(
                after: Quantity(hundredths: change), ahead: Quantity(hundredths: front),
                level: Quantity(hundredths: level))
            #expect(after.hundredths >= 0 && after.hundredths <= front)
            #expect(after.hundredths <= max(level - change, 0))
        }
    }

    @Test func namesAreRead() {
        #expect(QueueModel(name: "back") == .tradesOnly)
        #expect(QueueModel(name: "proportional") == .proportional)
        #expect(QueueModel(name: "power") == .power(2))
        #expect(QueueModel(name: "power:2.5") == .power(2.5))
        for name in ["power:0", "power:-1", "power:nan", "power:inf", "power:", "Back", ""] {
            #expect(QueueModel(name: name) == nil, "\(name)")
        }
        for model in [QueueModel.tradesOnly, .proportional, .power(3)] {
            #expect(QueueModel(name: model.name) == model)
        }
    }
}
