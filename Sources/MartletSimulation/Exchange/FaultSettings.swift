import Martlet
import MartletEngine

/// What goes wrong between an engine and the simulated exchange. Probabilities from 0 to 1; all zero is a
/// perfect line.
package struct FaultSettings: Hashable, Sendable {
    /// A request never arrives, and no answer comes.
    package var lostRequest = 0.0
    /// A request is carried out, and its answer never comes. Fills are still told.
    package var lostAnswer = 0.0
    /// A 5xx comes back at once; the request was carried out with a chance of one half.
    package var serverError = 0.0
    /// A 429 although the budget was there.
    package var spuriousLimit = 0.0
    /// A report comes a second time, later.
    package var duplicateReport = 0.0
    /// A report is late by up to `longestDelay`, and others overtake it.
    package var delayedReport = 0.0
    package var longestDelay = TimeSpan.seconds(3)
    /// An order's fills are told before its acceptance.
    package var fillsFirst = 0.0
    /// When the engine's driver gives an answer up.
    package var deadline = TimeSpan.seconds(5)
    /// From giving up to the proof of what became of the order.
    package var lookUp = TimeSpan.seconds(2)

    package init() {}
}

/// What the line did, for reports and tests.
package struct ExchangeCounts: Hashable, Sendable {
    package var commands = 0
    package var rateLimited = 0
    package var lostRequests = 0
    package var lostAnswers = 0
    package var serverErrors = 0
    package var duplicates = 0
    package var delays = 0
    /// Commands that waited for the end of a time-stamp group.
    package var held = 0
}
