import Martlet
import MartletEngine

/// Where a session writes what it is told and what it says, before either has an effect. Called on the loop's
/// thread; never waits.
package protocol SessionJournal: AnyObject {
    /// False: nothing more can be taken. The session halts before it writes again.
    var hasRoom: Bool { get }
    /// Why there is no more room; nil while there is.
    var problem: String? { get }
    func append(_ event: MarketEvent)
    func append(_ input: EngineInput, at time: Timestamp)
    /// Before the command's first byte leaves. False: it could not be written down.
    func append(_ command: VenueCommand, at time: Timestamp) -> Bool
    /// Every output of the engine, in order: folded into the running hash.
    func fold(_ output: EngineOutput)
    /// All outputs of the last input have been folded.
    func endInput()
    /// The exchange's own id of an order, and the client order id that it was sent under.
    func named(_ order: OrderID, venueOrderID: String, at time: Timestamp)
    /// Which strategy an order that was just sent belongs to.
    func owned(_ order: OrderID, by strategy: Int, at time: Timestamp)
    /// What a strategy wants a later run to know; or was given at the start.
    func keep(_ state: [UInt8], of strategy: String, isRestored: Bool, at time: Timestamp)
    func close()
}

/// No journal: for tests of other things.
package final class NoJournal: SessionJournal {
    package init() {}
    package let hasRoom = true
    package var problem: String? { nil }
    package func append(_ event: MarketEvent) {}
    package func append(_ input: EngineInput, at time: Timestamp) {}
    package func append(_ command: VenueCommand, at time: Timestamp) -> Bool { true }
    package func fold(_ output: EngineOutput) {}
    package func endInput() {}
    package func named(_ order: OrderID, venueOrderID: String, at time: Timestamp) {}
    package func owned(_ order: OrderID, by strategy: Int, at time: Timestamp) {}
    package func keep(_ state: [UInt8], of strategy: String, isRestored: Bool, at time: Timestamp) {}
    package func close() {}
}
