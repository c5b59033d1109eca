import Martlet
import MartletKalshi
import MartletLive

/// Definitions of markets for the commands that watch the feed: asked within the rate limit, again after a fault,
/// and waited for on the main thread.
struct MarketLookup: Sendable {
    /// So few are asked for before the lowest tier's budget is felt.
    private static let fewTickers = 100

    let client: KalshiClient

    init(_ access: ExchangeAccess, _ signer: RequestSigner) throws {
        client = try KalshiClient(access.environment, signer: signer, tls: access.tls)
    }

    /// The markets of these names, in that order. One that the exchange does not know is an error.
    func markets(_ tickers: [String]) throws -> [Market] {
        let isMany = tickers.count > MarketLookup.fewTickers
        let found = try wait { loader in
            if isMany { await takeLimits() }
            return try await loader.markets(tickers)
        }
        let known = Set(found.map(\.ticker))
        if let missing = tickers.first(where: { !known.contains($0) }) {
            throw CommandError(
                "the exchange knows no market \(missing): 'martlet markets' lists those there are",
                code: .usage)
        }
        return found
    }
    /// All open markets of these events and series.
    func open(events: [String], series: [String]) throws -> [Market] {
        return try wait { loader in
            await takeLimits()
            return try await loader.open(events: events) + loader.open(series: series)
        }
    }
    /// Throws a usage error for a series that the exchange does not know.
    func check(series: [String]) throws {
        let client = client
        for name in series {
            let isKnown = try wait { _ in
                do {
                    _ = try await client.send(Endpoints.series(name))
                    return true
                } catch RestError.refused(let error) where error.status == 404 {
                    return false
                }
            }
            guard isKnown else { throw CommandError("the exchange knows no series \(name)", code: .usage) }
        }
    }

    /// With a key the account's own tier counts, not the lowest; a key may not be allowed to ask.
    private func takeLimits() async { _ = try? await client.refreshLimits() }

    private func wait<Value: Sendable>(
        _ body: @escaping @Sendable (MarketLoader) async throws -> Value
    ) throws -> Value {
        let loader = MarketLoader(client)
        do {
            return try AsyncWork.run { try await body(loader) }
        } catch {
            if let code = Interrupt.exitCode { throw CommandError("interrupted", code: code) }
            throw error
        }
    }
}
