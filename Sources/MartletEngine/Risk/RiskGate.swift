import Martlet

/// A request that has passed the risk gate. Only the gate makes one, and only such a request can be queued.
package struct Approved: Hashable, Sendable {
    package enum Work: Hashable, Sendable {
        case place
        /// New price and new whole size (filled and open).
        case amend(Price, Quantity)
        /// Open contracts to keep.
        case decrease(Quantity)
        case cancel
    }
    package let work: Work
    /// Lowers what can be lost, and so goes before what raises it.
    package let isReducing: Bool

    fileprivate init(_ work: Work, isReducing: Bool) {
        self.work = work
        self.isReducing = isReducing
    }

    package var request: VenueReport.Request {
        switch work {
        case .place: .place
        case .amend: .amend
        case .decrease: .decrease
        case .cancel: .cancel
        }
    }
}

/// An order as the gate judges it: a new one, or the difference that an amend makes.
struct Proposal {
    var strategy: Int
    var market: Int
    var side: Side
    var price: Price
    /// Whole open size after it.
    var size: Quantity
    /// Contracts, cost and estimated fee that it adds to what already counts.
    var added: OrderRecord.Held
    var request: OrderRequest
    /// The order that is amended, left out of the search for self-crosses; -1 for a new one.
    var slot: Int
    /// Replaces a request that was not sent: it does not count as one more.
    var isReplacement = false
    var isNew: Bool { slot < 0 }
    /// A cheaper or smaller version of what is already there.
    var isShrinking: Bool { added.quantity.hundredths <= 0 && added.cost.raw <= 0 }
}

/// The risk gate: every intent passes it, in every mode. Cancels and decreases always pass; anything else is
/// judged by each rule of ``RiskRule`` in its order, for the strategy and for the account.
struct RiskGate {
    private(set) var strategyLimits: RiskLimits
    private(set) var accountLimits: RiskLimits
    /// By strategy, then the account's.
    private(set) var states: [RiskState]
    private var windows: [RateWindow]
    /// Refusals by rule, in the order of ``RiskRule/allCases``.
    private(set) var refusalCounts = Array(repeating: 0, count: RiskRule.allCases.count)

    init(_ settings: TradingSettings, strategies: Int) {
        strategyLimits = settings.strategyLimits
        accountLimits = settings.accountLimits
        // One more for adopted orders, one for the account.
        states = Array(repeating: .active, count: strategies + 2)
        let own = RateWindow(limit: strategyLimits.maxOrdersPerSecond)
        windows = Array(repeating: own, count: strategies + 1)
        windows.append(RateWindow(limit: accountLimits.maxOrdersPerSecond))
    }

    private var account: Int { states.count - 1 }

    /// The stricter of the portfolio's own state and the account's.
    func state(_ portfolio: Int) -> RiskState {
        switch (states[portfolio], states[account]) {
        case (.halted, _), (_, .halted): .halted
        case (.reduceOnly, _), (_, .reduceOnly): .reduceOnly
        case (.active, .active): .active
        }
    }
    mutating func set(_ state: RiskState, for portfolio: Int) { states[portfolio] = state }
    func dailyLossLimit(_ portfolio: Int) -> Money {
        portfolio == account ? accountLimits.maxDailyLoss : strategyLimits.maxDailyLoss
    }

    mutating func tighten(account: RiskLimits?, strategies: RiskLimits?) {
        if let account { accountLimits.tighten(to: account) }
        if let strategies { strategyLimits.tighten(to: strategies) }
        for index in windows.indices {
            let isAccount = index == windows.count - 1
            windows[index].tighten(to: (isAccount ? accountLimits : strategyLimits).maxOrdersPerSecond)
        }
    }

    func approveCancel() -> Approved { Approved(.cancel, isReducing: true) }
    func approveDecrease(to remaining: Quantity) -> Approved {
        Approved(.decrease(remaining), isReducing: true)
    }

    /// For a request that was judged, sent, and turned away for want of budget (429).
    func renewPlace() -> Approved { Approved(.place, isReducing: false) }
    func renewAmend(_ price: Price, _ total: Quantity) -> Approved {
        Approved(.amend(price, total), isReducing: false)
    }

    /// Judges a new order or an amend. A refusal is counted.
    mutating func approve(
        _ proposal: Proposal, as work: Approved.Work, now: Timestamp, in core: TradingCore
    ) -> Result<Approved, Refusal> {
        if let refusal = judge(proposal, now, core) {
            refusalCounts[RiskRule.allCases.firstIndex(of: refusal.rule) ?? 0] += 1
            return .failure(refusal)
        }
        if !proposal.isReplacement {
            windows[proposal.strategy].count(at: now)
            windows[account].count(at: now)
        }
        return .success(Approved(work, isReducing: proposal.isShrinking || core.isReducing(proposal)))
    }
    mutating func count(_ rule: RiskRule) {
        refusalCounts[RiskRule.allCases.firstIndex(of: rule) ?? 0] += 1
    }

    /// The largest order that any rule can reckon with: a hundred million contracts.
    static let largestSize = Quantity(100_000_000)

    /// What is no order at all, found before anything is reckoned.
    static func invalidity(price: Price, size: Quantity) -> Refusal? {
        if !size.isPositive { return Refusal(.invalidOrder, value: "size \(size)", limit: "above zero") }
        if size > largestSize {
            return Refusal(.invalidOrder, value: "size \(size)", limit: "\(largestSize)")
        }
        if price.isTradable { return nil }
        return Refusal(.invalidOrder, value: "price \(price)", limit: "between 0 and 1")
    }

    // MARK: Rules

    private func judge(_ proposal: Proposal, _ now: Timestamp, _ core: TradingCore) -> Refusal? {
        judgeState(proposal, core) ?? judgeOrder(proposal, now, core) ?? judgeMarket(proposal, now, core)
            ?? judgeBook(proposal, now, core) ?? judgeSize(proposal, strategyLimits, core)
            ?? judgeSize(proposal, accountLimits, core) ?? judgeSelfCross(proposal, core)
            ?? judgePortfolio(proposal.strategy, strategyLimits, proposal, now, core)
            ?? judgePortfolio(account, accountLimits, proposal, now, core)
            ?? judgeBalance(proposal, core)
    }

    private func judgeState(_ proposal: Proposal, _ core: TradingCore) -> Refusal? {
        switch state(proposal.strategy) {
        case .active: return nil
        case .halted: return Refusal(.halted, value: "halted", limit: "cancels only")
        case .reduceOnly:
            if proposal.isShrinking { return nil }
            if core.isReducing(proposal) { return nil }
            return Refusal(
                .reduceOnly, value: "\(proposal.side) \(proposal.size)",
                limit: "position \(core.position(proposal.strategy, core.id(proposal.market)).quantity)")
        }
    }

    private func judgeOrder(_ proposal: Proposal, _ now: Timestamp, _ core: TradingCore) -> Refusal? {
        let request = proposal.request
        if request.isReduceOnly, request.timeInForce != .immediateOrCancel {
            return Refusal(.invalidOrder, value: "reduce-only", limit: "immediate-or-cancel orders")
        }
        if request.isPostOnly, !request.timeInForce.rests {
            return Refusal(.invalidOrder, value: "post-only", limit: "orders that can rest")
        }
        if case .goodTill(let time) = request.timeInForce, time.seconds <= now.seconds {
            return Refusal(.invalidOrder, value: "expiry \(time)", limit: "after \(now)")
        }
        if !core.isOnGrid(proposal.market, proposal.price) {
            return Refusal(.offGrid, value: "\(proposal.price)", limit: core.gridText(proposal.market))
        }
        return nil
    }

    private func judgeMarket(_ proposal: Proposal, _ now: Timestamp, _ core: TradingCore) -> Refusal? {
        let market = core.id(proposal.market)
        let status = core.markets.status(market)
        guard status.isTrading else {
            return Refusal(.marketNotOpen, value: status.wire, limit: MarketStatus.active.wire)
        }
        let (open, close) = core.times(proposal.market)
        if open.isKnown, now < open {
            return Refusal(.marketNotOpen, value: "\(now)", limit: "opens \(open)")
        }
        guard close.isKnown else { return nil }
        if now >= close { return Refusal(.marketNotOpen, value: "\(now)", limit: "closed \(close)") }
        let margin = max(strategyLimits.closeMargin, accountLimits.closeMargin)
        if close - now < margin {
            return Refusal(
                .nearClose, value: "\((close - now).seconds) s to close", limit: "\(margin.seconds) s")
        }
        return nil
    }

    private func judgeBook(_ proposal: Proposal, _ now: Timestamp, _ core: TradingCore) -> Refusal? {
        let market = core.id(proposal.market)
        guard core.markets.isUsable(market) else {
            // Crossed at the end of its group. Within one it may be, for moments: a fill's callback and a quote's
            // next step come there too, and are no worse for it.
            if core.markets.fault(market) == .crossed {
                return Refusal(.crossedBook, value: "crossed", limit: "bid below ask")
            }
            let fault = core.markets.fault(market).map { "\($0)" } ?? "unusable"
            return Refusal(.staleBook, value: fault, limit: "a usable book")
        }
        let age = now - core.markets.lastChange(market)
        if let limit = staleness(age, strategyLimits.maxBookAge) ?? staleness(age, accountLimits.maxBookAge) {
            return Refusal(.staleBook, value: "\(age.seconds) s old", limit: "\(limit.seconds) s")
        }
        return nil
    }

    /// The limit, where there is one and the age is beyond it.
    private func staleness(_ age: TimeSpan, _ limit: TimeSpan) -> TimeSpan? {
        limit > .zero && age > limit ? limit : nil
    }

    private func judgeSize(_ proposal: Proposal, _ limits: RiskLimits, _ core: TradingCore) -> Refusal? {
        if proposal.size > limits.maxOrderSize {
            return Refusal(.orderSize, value: "\(proposal.size)", limit: "\(limits.maxOrderSize)")
        }
        if proposal.isShrinking { return nil }
        let book = core.markets.book(core.id(proposal.market))
        guard let reference = book.best(proposal.side.opposite) ?? book.best(proposal.side) else {
            if limits.allowsEmptyBook { return nil }
            return Refusal(.priceCollar, value: "\(proposal.price)", limit: "a book that is not empty")
        }
        let edge = proposal.side.opposite.away(reference, by: limits.priceCollar)
        guard proposal.side.isBetter(proposal.price, than: edge) else { return nil }
        return Refusal(.priceCollar, value: "\(proposal.side) \(proposal.price)", limit: "\(edge)")
    }

    private func judgeSelfCross(_ proposal: Proposal, _ core: TradingCore) -> Refusal? {
        guard
            let own = core.crossingOrder(
                proposal.market, proposal.side, proposal.price, except: proposal.slot)
        else { return nil }
        return Refusal(
            .selfCross, value: "\(proposal.side) \(proposal.price)",
            limit: "\(own.id) \(own.side) at \(own.price)")
    }

    private func judgePortfolio(
        _ portfolio: Int, _ limits: RiskLimits, _ proposal: Proposal, _ now: Timestamp, _ core: TradingCore
    ) -> Refusal? {
        if proposal.isNew, core.portfolios[portfolio].openOrders >= limits.maxOpenOrders {
            return Refusal(
                .openOrders, value: "\(core.portfolios[portfolio].openOrders + 1)",
                limit: "\(limits.maxOpenOrders)")
        }
        if !proposal.isReplacement, !windows[portfolio].admits(at: now) {
            return Refusal(
                .orderRate, value: "more than \(windows[portfolio].limit) in a second",
                limit: "\(limits.maxOrdersPerSecond)")
        }
        if proposal.isShrinking { return nil }
        let loss = core.portfolios[portfolio].dailyLoss
        if loss.raw > 0, loss >= limits.maxDailyLoss, !core.isReducing(proposal) {
            return Refusal(.dailyLoss, value: "\(loss)", limit: "\(limits.maxDailyLoss)")
        }
        return judgeExposure(portfolio, limits, proposal, core)
    }

    /// A value beyond its limit is refused if the order makes it worse: a reducing order passes.
    private func judgeExposure(
        _ portfolio: Int, _ limits: RiskLimits, _ proposal: Proposal, _ core: TradingCore
    ) -> Refusal? {
        let after = core.portfolios[portfolio].projected(
            proposal.market, proposal.side, proposal.added.quantity, proposal.added.cost)
        if after.isWithin(limits) { return nil }
        let before = core.portfolios[portfolio].current(proposal.market)
        func exceeds<T: Comparable>(_ rule: RiskRule, _ value: T, _ before: T, _ limit: T) -> Refusal? {
            value > limit && value > before ? Refusal(rule, value: "\(value)", limit: "\(limit)") : nil
        }
        return exceeds(.marketPosition, after.marketPosition, before.marketPosition, limits.maxMarketPosition)
            ?? exceeds(.eventPosition, after.eventPosition, before.eventPosition, limits.maxEventPosition)
            ?? exceeds(.totalPosition, after.totalPosition, before.totalPosition, limits.maxTotalPosition)
            ?? exceeds(.marketLoss, after.marketLoss, before.marketLoss, limits.maxMarketLoss)
            ?? exceeds(.eventLoss, after.eventLoss, before.eventLoss, limits.maxEventLoss)
            ?? exceeds(.totalLoss, after.totalLoss, before.totalLoss, limits.maxTotalLoss)
    }

    private func judgeBalance(_ proposal: Proposal, _ core: TradingCore) -> Refusal? {
        let needed =
            core.collateral(proposal.market, proposal.side, adding: proposal.added, at: proposal.price)
            - core.collateral(proposal.market) + proposal.added.fee
        guard needed.raw > 0 else { return nil }
        let available = core.cash[core.shardIndex(proposal.market)].available
        return needed > available ? Refusal(.balance, value: "\(needed)", limit: "\(available)") : nil
    }
}

extension Portfolio.Projection {
    /// No sum is beyond its limit: what nearly every order comes to, found at once.
    func isWithin(_ limits: RiskLimits) -> Bool {
        marketPosition <= limits.maxMarketPosition && eventPosition <= limits.maxEventPosition
            && totalPosition <= limits.maxTotalPosition && marketLoss <= limits.maxMarketLoss
            && eventLoss <= limits.maxEventLoss && totalLoss <= limits.maxTotalLoss
    }
}
