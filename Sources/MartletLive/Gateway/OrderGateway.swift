import Martlet
import MartletEngine

/// Where a session's commands go, and whence its reports come: the exchange, or a simulated venue.
package protocol OrderGateway: AnyObject {
    /// Told of each market, new or changed, before the engine is.
    func define(_ market: Market, as id: Market.ID, at time: Timestamp)
    /// Told of each book event and trade before the engine is.
    func observe(_ event: MarketEvent)
    /// Told of the other inputs before the engine is. Nil: the engine is not to be told, for the gateway says so
    /// itself when it is time.
    func observe(_ input: EngineInput, at time: Timestamp) -> EngineInput?
    /// Carries out a command. Reports come later, never from inside the call.
    func submit(_ command: VenueCommand, at time: Timestamp)
    /// When ``advance(to:)`` has something to do; `.distantFuture` for never.
    var nextDue: Timestamp { get }
    func advance(to time: Timestamp)
    /// Requests without an answer.
    var inFlight: Int { get }
}

/// What a gateway hands back. Calls on the loop's thread.
package protocol GatewayOwner: AnyObject {
    func gateway(_ input: EngineInput, at time: Timestamp)
}
