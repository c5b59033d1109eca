import Martlet

/// Two values, one for each side of a book.
package struct BySide<Value> {
    package var bid: Value
    package var ask: Value

    package init(_ value: Value) {
        bid = value
        ask = value
    }
    package subscript(side: Side) -> Value {
        get { side == .bid ? bid : ask }
        set {
            if side == .bid { bid = newValue } else { ask = newValue }
        }
    }
}
extension BySide: Sendable where Value: Sendable {}

extension Position {
    /// Takes a trade and returns the change of cash before fees: what closing received less what opening paid.
    ///
    /// Buying YES at p costs p; selling YES without holding it posts 1 − p, the price of NO. A close removes
    /// ⌊cost × closed ÷ held⌋ of the cost basis and leaves the rest, so that totals are exact.
    @discardableResult
    package mutating func trade(_ side: Side, _ quantity: Quantity, at price: Price) -> Money {
        let held = self.quantity.hundredths * side.sign
        let closing = Quantity(hundredths: held < 0 ? min(-held, quantity.hundredths) : 0)
        let opening = quantity - closing
        var cash = Money.zero
        if closing.isPositive {
            let received = side.opposite.cost(price) * closing
            let removed = closing.hundredths == -held ? cost : share(of: cost, closing, -held)
            realized += received - removed
            cost -= removed
            cash += received
        }
        if opening.isPositive {
            let paid = side.cost(price) * opening
            cost += paid
            cash -= paid
        }
        self.quantity += Quantity(hundredths: quantity.hundredths * side.sign)
        return cash
    }

    private func share(of cost: Money, _ part: Quantity, _ whole: Int64) -> Money {
        Money(raw: Int64(Int128(cost.raw) * Int128(part.hundredths) / Int128(whole)))
    }

    /// Pays the position out and empties it. Returns the profit before fees.
    @discardableResult
    package mutating func settle(payout: Money) -> Money {
        let profit = payout - cost
        realized += profit
        cost = .zero
        quantity = .zero
        return profit
    }
}
