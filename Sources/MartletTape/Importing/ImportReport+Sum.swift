import Martlet

extension ImportReport {
    /// Adds what another file of the same import gave. Times and records are the merged tape's to tell.
    mutating func add(_ other: ImportReport) {
        files += other.files
        formats += other.formats
        let counts: [WritableKeyPath<ImportReport, Int>] = [
            \.lines, \.deltas, \.snapshots, \.emptySnapshots, \.trades, \.inferredTrades, \.tickers,
            \.references, \.statuses, \.results, \.definitions, \.controls, \.privateMessages, \.connections,
            \.gaps, \.missingMessages, \.duplicates, \.reordered, \.timesBackwards, \.receivedBeforeExchange,
            \.deltasWithoutSnapshot, \.bookFaults, \.offGridPrices, \.groups, \.crossedGroups,
            \.timedOutGroups, \.repeatedResults, \.conflictingResults, \.unknownMessages,
        ]
        for count in counts { self[keyPath: count] += other[keyPath: count] }
        for reason in other.skipped {
            for _ in 0..<reason.count { skip(reason.reason) }
        }
        for text in other.assumptions { assume(text) }
        // Each recorder's clock is its own.
        if other.medianDelay != nil {
            medianDelay = hasDelay ? nil : other.medianDelay
            hasDelay = true
        }
        isGridAssumed = isGridAssumed || other.isGridAssumed
        for market in other.markets { add(market) }
    }

    private mutating func add(_ market: MarketSummary) {
        guard let index = markets.firstIndex(where: { $0.ticker == market.ticker }) else {
            markets.append(market)
            return
        }
        markets[index].events += market.events
        markets[index].result = markets[index].result ?? market.result
        markets[index].inferredVolume += market.inferredVolume
        markets[index].contradictedVolume += market.contradictedVolume
        if let volume = market.tickerVolume {
            markets[index].tickerVolume = (markets[index].tickerVolume ?? .zero) + volume
        }
    }
}
