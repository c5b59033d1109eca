/// How the exchange rounds what a settled position pays (API.md §10: "payouts round to whole cents").
///
/// Matters for scalar results and for fractions of a contract that settle below a cent. The direction and the
/// unit of rounding (a position, not a contract) are not documented: down, per market, is our assumption.
public enum PayoutRounding: String, Hashable, Sendable, Codable {
    /// Down to the cent, once for the account's position in the market.
    case cent
    /// Not at all.
    case exact

    public func callAsFunction(_ payout: Money) -> Money {
        switch self {
        case .cent: payout.roundedDown(to: Money(cents: 1))
        case .exact: payout
        }
    }
}

extension MarketResult {
    /// What a signed YES position pays before rounding: the YES value for a long, one minus it for a short.
    public func payout(of position: Quantity) -> Money {
        (position.hundredths >= 0 ? yesValue : yesValue.complement) * position.magnitude
    }
}
