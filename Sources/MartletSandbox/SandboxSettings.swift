import Martlet
import MartletEngine
import MartletSimulation

/// How a sandbox exchange is set up.
public struct SandboxSettings: Sendable {
    /// The port of REST and WebSocket on loopback; 0 takes any free one.
    public var port: Int = 0
    /// Without TLS.
    public var isPlain = false
    /// What the world and the exchange's own choices are drawn from.
    public var seed: UInt64 = 1
    /// Rate limits of every account (API.md §3): one of the seven tiers' names, or `unlimited`.
    public var tier = "advanced"
    /// Cash of every account on each shard, in whole dollars.
    public var balanceDollars = 10_000
    /// Accounts by API key id, with the public key's PEM text.
    public var accounts: [Account] = []
    public var world = WorldSettings()
    /// The exchange's clock stands still until the control endpoint steps it.
    public var isPaused = false
    public var rules = Rules()
    public var faults = Faults()
    /// Bytes that may wait for a WebSocket client that does not read; beyond it the client is dropped and told.
    public var clientBuffer = 4 * 1024 * 1024
    /// HTTP connections at once, WebSockets apart.
    public var connectionsMax = 4096
    /// WebSocket connections at once, over all accounts.
    public var sessionsMax = 4096
    /// WebSocket connections of one account, so that none shuts out the others.
    public var accountSessionsMax = 512
    /// From a request's first byte to its last, in seconds: a slow sender is cut off with 408.
    public var requestSeconds = 30
    /// Between pings with the payload `heartbeat`, in seconds.
    public var heartbeatSeconds = 10

    public init() {}

    /// An account and the keys that sign for it.
    public struct Account: Sendable {
        /// What the client sends as `KALSHI-ACCESS-KEY`.
        public var keyID: String
        /// `BEGIN PUBLIC KEY`, RSA or Ed25519.
        public var publicKeyPEM: String
        public init(keyID: String, publicKeyPEM: String) {
            self.keyID = keyID
            self.publicKeyPEM = publicKeyPEM
        }
    }

    /// Behaviour that the exchange's documentation leaves open, so that a client can be tested against both.
    public struct Rules: Sendable, Hashable {
        /// How far a request's time stamp may be off, in milliseconds, either way.
        public var skewToleranceMilliseconds: Int64 = 10_000
        /// A signature that was seen before is refused.
        public var refusesReplay = false
        /// Errors as `{"error": {"code": …}}` (observed) rather than flat (documented).
        public var nestedErrors = true
        /// A post-only order that would cross: refused, rather than taken and cancelled at once.
        public var rejectsPostOnlyCross = false
        /// An immediate-or-cancel order that meets nothing: refused, rather than taken with nothing filled.
        public var rejectsEmptyImmediate = false
        /// A cancel of an order that is over: `reduced_by` 0.00, rather than 404.
        public var confirmsLateCancels = false
        /// Orders of the minute after a cancel of everything are cancelled too, which the documentation says may be.
        public var cancelsAllForAMinute = false
        /// A second subscription to a channel joins the first (observed) rather than getting a sid of its own.
        public var mergesSubscriptions = true
        /// Subscriptions that do not say get NO levels at YES prices (announced for the future).
        public var yesPricesByDefault = false
        /// Book levels from the worst to the best price (observed) rather than from the best.
        public var ascendingLevels = true
        /// A taking order shows as an addition on its own side before the removals on the other (observed).
        public var showsTakersFirst = false
        /// Fields that the exchange removed but clients still in use demand: `liquidity_dollars` of markets, which
        /// was always "0.0000" before it went on 2026-10-01 (kalshi-sdk 22.4.0).
        public var keepsRemovedFields = true
        public init() {}
    }
}

/// What trades in the sandbox beside the accounts.
public struct WorldSettings: Sendable, Hashable {
    /// Markets generated, over events of several kinds.
    public var markets = 24
    /// How busy the agents are; 1 is usual, 0 stops them after the start.
    public var activity = 1.0
    /// How long the world has run before anybody sees it, in seconds.
    public var warmUpSeconds: Int64 = 120
    /// Changes a second of all books together on top of the agents': orders behind the best prices that come and go.
    /// For load tests.
    public var changesPerSecond = 0.0
    /// A tape to replay as the crowd instead of agents.
    public var tape: String?
    /// How many times faster than real the tape runs.
    public var speed = 1.0
    public init() {}
}
