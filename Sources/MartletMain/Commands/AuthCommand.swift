import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// `martlet auth check`: whether the key works, and what the account may do.
enum AuthCommand {
    static func command() -> Command {
        var command = Command(name: "auth", summary: "check the API key and the account's limits")
        command.subcommands = [check()]
        return command
    }

    private static func check() -> Command {
        var command = Command(
            name: "check", summary: "try the key, measure the clock, show tier, limits and cash")
        command.discussion = """
            Reads the key file (which nobody else may be able to read), signs a few harmless requests and shows what \
            the exchange says: whether it takes the signature, how far this machine's clock is off, the account's \
            tier, its rate limits and its cash on each shard. Nothing is changed and no order is sent.

            Each setting can come from the environment instead: MARTLET_ENVIRONMENT, MARTLET_KEY_ID, MARTLET_KEY, \
            MARTLET_KEY_PASSPHRASE, MARTLET_CA.
            """
        command.flags = ExchangeFlags.all
        command.examples = [
            (
                "martlet auth check --environment demo --key-id ID --key demo.pem",
                "try a key of the demo exchange"
            ),
            ("martlet auth check --json", "for a script, with everything from MARTLET_* variables"),
        ]
        command.run = { invocation, terminal in
            let access = try ExchangeAccess(invocation)
            let signer = try access.signer("there is no key to check")
            let client = try KalshiClient(access.environment, signer: signer, tls: access.tls)
            let findings = try AsyncWork.run { try await Findings.gather(client) }
            if let code = Interrupt.exitCode { return code }
            try show(findings, access.environment, signer, invocation, terminal)
            return .success
        }
        return command
    }

    /// What the exchange said.
    struct Findings: Sendable {
        var status: ExchangeStatus
        var balance: Balance
        var limits: AccountLimits
        var costs: EndpointCosts
        var offset: ClockOffset
        /// Of the fastest answer, there and back.
        var roundTrip: TimeSpan

        /// `Date` headers have whole seconds: so many answers narrow the offset down.
        static let clockSamples = 6

        static func gather(_ client: KalshiClient) async throws -> Findings {
            let status = try await client.send(Endpoints.exchangeStatus())
            let balance = try await client.send(Endpoints.balance())
            let limits = try await client.send(Endpoints.accountLimits())
            let costs = try await client.send(Endpoints.endpointCosts())
            let fastest = try await narrowClock(client)
            return Findings(
                status: status, balance: balance, limits: limits, costs: costs, offset: client.clockOffset,
                roundTrip: fastest)
        }
    }

    /// Asks often enough to know the exchange's clock well.
    /// - Returns: the time of the fastest answer, there and back.
    @discardableResult
    static func narrowClock(_ client: KalshiClient) async throws -> TimeSpan {
        var fastest = TimeSpan.seconds(3600)
        for sample in 0..<Findings.clockSamples {
            // Spread over the second, so that its beginning is met from both sides.
            if sample > 0 { try await Task.sleep(for: .milliseconds(170)) }
            let sent = Clocks.monotonic()
            _ = try await client.send(Endpoints.exchangeStatus())
            fastest = min(fastest, TimeSpan(nanoseconds: Clocks.monotonic() - sent))
        }
        return fastest
    }

    private static func show(
        _ findings: Findings, _ environment: ExchangeEnvironment, _ signer: RequestSigner,
        _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON { return try terminal.line(json(findings, environment, signer).text) }
        let limits = findings.limits
        func bucket(_ bucket: RateLimits.Bucket) -> String {
            "\(bucket.refill) tokens a second, at most \(bucket.capacity)"
        }
        let halted = findings.status.shards.filter { !$0.isActive || !$0.isTrading }.map { "\($0.index)" }
        let exchange =
            !findings.status.isActive
            ? "closed"
            : !findings.status.isTrading
                ? "trading is paused"
                : halted.isEmpty ? "open" : "open but for shards \(halted.joined(separator: ", "))"
        let orderCosts = findings.costs.orderCosts
        let cash = findings.balance.shards.map { "shard \($0.index): \($0.balance.display)" }
        let rows = [
            ("exchange", "\(environment)"),
            ("trading", exchange),
            ("key", "\(signer.credentials): the signature is accepted"),
            ("clock", clock(findings)),
            ("round trip", FormatNumber.decimals(findings.roundTrip.milliseconds, 1) + " ms"),
            ("tier", limits.tier),
            ("reads", bucket(limits.read)),
            ("writes", bucket(limits.write)),
            (
                "costs",
                "\(findings.costs.defaultCost) a request; new order \(orderCosts.place), amend \(orderCosts.amend), "
                    + "cancel \(orderCosts.cancel)"
            ),
            (
                "cash",
                findings.balance.cash.display + (cash.isEmpty ? "" : " (\(cash.joined(separator: ", ")))")
            ),
            ("positions", findings.balance.portfolioValue.display),
        ]
        try terminal.line(HelpText.table(rows, indent: 0))
    }

    private static func clock(_ findings: Findings) -> String {
        guard findings.offset.estimate != nil else { return "the exchange's answers name no time" }
        let correction = findings.offset.correction
        let text = "the exchange's is \(findings.offset) from ours"
        return correction == .zero
            ? text + ": right as far as can be told" : text + ": signatures are corrected, but set it (NTP)"
    }

    private static func json(
        _ findings: Findings, _ environment: ExchangeEnvironment, _ signer: RequestSigner
    ) -> JSONValue {
        func bucket(_ bucket: RateLimits.Bucket) -> JSONValue {
            .fields([("refill", .integer(bucket.refill)), ("capacity", .integer(bucket.capacity))])
        }
        func seconds(_ span: TimeSpan?) -> JSONValue { span.map { .real($0.seconds) } ?? .null }
        return .fields([
            ("environment", .string(environment.kind.rawValue)),
            ("endpoint", .string(environment.endpoint.hostHeader)),
            ("key_id", .string(signer.credentials.keyID)), ("algorithm", .string(signer.algorithm.rawValue)),
            ("signature", .string("accepted")),
            ("exchange_active", .bool(findings.status.isActive)),
            ("trading_active", .bool(findings.status.isTrading)),
            ("clock_offset", seconds(findings.offset.estimate)),
            ("clock_uncertainty", seconds(findings.offset.uncertainty)),
            ("clock_correction", seconds(findings.offset.correction)),
            ("round_trip", seconds(findings.roundTrip)),
            ("tier", .string(findings.limits.tier)), ("read", bucket(findings.limits.read)),
            ("write", bucket(findings.limits.write)), ("default_cost", .integer(findings.costs.defaultCost)),
            ("cash", .string("\(findings.balance.cash)")),
            ("portfolio_value", .string("\(findings.balance.portfolioValue)")),
            (
                "shards",
                .array(
                    findings.balance.shards.map {
                        .fields([("shard", .integer($0.index)), ("cash", .string("\($0.balance)"))])
                    })
            ),
        ])
    }
}
