import Martlet
import MartletEngine
import Testing

@testable import MartletMain

@Suite struct CommandTextTests {
    private var names: CommandText {
        var names = CommandText()
        for ticker in ["KXA-1", "KXB-1", "KXA-1"] { names.define(Market(ticker: ticker)) }
        return names
    }
    private let place = PlaceOrder(
        id: OrderID(7), request: OrderRequest(.ask, 10, at: 0.19, in: Market.ID(1), isPostOnly: true))

    @Test func commandsReadAsSentences() {
        let pairs: [(VenueCommand, String)] = [
            (.place(place), "place #7 KXB-1 ask 10 @ 0.19 post-only"),
            (
                .amend(
                    AmendOrder(id: OrderID(2), market: Market.ID(0), side: .bid, price: 0.175, quantity: 3)),
                "amend #2 KXA-1 to bid 3 @ 0.175"
            ),
            (
                .decrease(OrderID(2), market: Market.ID(0), to: Quantity(hundredths: 150)),
                "decrease #2 KXA-1 to 1.50"
            ),
            (.cancel(OrderID(2), market: Market.ID(9)), "cancel #2 market 9"),
            (
                .cancelBatch([
                    OrderReference(OrderID(1), market: Market.ID(0)),
                    OrderReference(OrderID(3), market: Market.ID(1)),
                ]), "cancel 2 at once: #1 KXA-1; #3 KXB-1"
            ),
            (.cancelEverything, "cancel everything"),
        ]
        for (command, text) in pairs { #expect(names.line(command) == text) }
    }

    @Test func objectsNameEverything() {
        let object = names.object(.placeBatch([place]))
        #expect(object["action"]?.string == "place_batch")
        guard case .array(let orders)? = object["orders"], let order = orders.first else {
            Issue.record("no orders")
            return
        }
        #expect(order["ticker"]?.string == "KXB-1" && order["side"]?.string == "ask")
        #expect(order["price"]?.string == "0.1900" && order["count"]?.string == "10.00")
        #expect(order["post_only"] == .bool(true))
    }
}
