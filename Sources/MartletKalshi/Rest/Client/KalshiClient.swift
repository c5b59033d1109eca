import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Synchronization

/// The exchange's REST interface for tools and for start-up: typed calls that wait for their answers.
///
///     let client = try KalshiClient(.demo, signer: signer, tls: TLSContext(clientTrusting: .system))
///     let balance = try await client.send(Endpoints.balance())
///     for try await market in client.all(Endpoints.markets(filter)) { … }
///
/// It keeps to the rate limit by itself, signs each attempt anew, corrects its dates by the exchange's clock, and
/// repeats GETs that met a fault. A write is sent once: where its outcome is not known the error says so
/// (``RestError/leavesOutcomeUnknown``), and asking is the caller's part.
public final class KalshiClient: Sendable {
    /// What the client has seen so far.
    public struct Statistics: Hashable, Sendable {
        public var requests = 0
        public var repeats = 0
        /// 429 answers.
        public var rateLimited = 0
        /// Nanoseconds spent waiting for the rate limit.
        public var waited: Int64 = 0
    }

    struct State {
        var budget: RateBudget
        var offset = ClockOffset()
        var jitter: Jitter
        var statistics = Statistics()
        var markets: [String: ListedMarket] = [:]
        /// A 429 may say when to come back, though the exchange's do not: nothing leaves before.
        var notBefore: Timestamp = .distantPast
    }

    public let environment: ExchangeEnvironment
    public let signer: RequestSigner?
    let settings: ClientSettings
    private let http: AsyncHTTPClient
    private let clock: @Sendable () -> Int64
    let state: Mutex<State>

    /// - Parameters:
    ///   - signer: nil for public calls only.
    ///   - tls: nil where the exchange is a sandbox without TLS.
    ///   - clock: nanoseconds since 1970.
    public init(
        _ environment: ExchangeEnvironment, signer: RequestSigner? = nil, tls: TLSContext?,
        settings: ClientSettings = ClientSettings(),
        clock: @escaping @Sendable () -> Int64 = { Clocks.wall() }
    ) throws(SystemError) {
        self.environment = environment
        self.signer = signer
        self.settings = settings
        self.clock = clock
        http = try AsyncHTTPClient(tls: tls, configuration: settings.http)
        let seed = settings.seed ?? UInt64.random(in: .min ... .max)
        state = Mutex(
            State(budget: RateBudget(now: Timestamp(nanoseconds: clock())), jitter: Jitter(seed)))
    }

    public var statistics: Statistics { state.withLock { $0.statistics } }
    public var clockOffset: ClockOffset { state.withLock { $0.offset } }
    public var limits: RateLimits { state.withLock { $0.budget.limits } }
    public var costs: EndpointCosts { state.withLock { $0.budget.costs } }
    /// When this client's writes are made up for: from then on another may spend the whole budget.
    public var writesRefilled: Timestamp { state.withLock { $0.budget.writesRefilled(now: now) } }
    var now: Timestamp { Timestamp(nanoseconds: clock()) }

    // MARK: - Calls

    /// Sends a call and reads its answer.
    public func send<Response>(_ call: RestCall<Response>) async throws(RestError) -> Response {
        let request = call.request
        let name = "\(request.method.rawValue) \(request.fullPath)"
        let (status, body) = try await exchange(request, name)
        let value: JSONValue
        do throws(JSONError) {
            value = body.isEmpty ? .null : try JSONParser.parse(body)
        } catch {
            throw .unreadable(.notJSON(error), request: name, status: status)
        }
        // An answer of success may hold an error all the same (FIELD-NOTES 19).
        if request.method != .get, let error = value["error"], !error.isNull,
            let refusal = ExchangeError(status: status, value: value)
        {
            throw .refused(refusal)
        }
        do throws(WireError) {
            return try call.decode(value)
        } catch {
            throw .unreadable(error, request: name, status: status)
        }
    }

    /// A list, page after page.
    public func all<Element>(_ paged: PagedCall<Element>) -> PagedSequence<Element> {
        PagedSequence(client: self, paged: paged)
    }

    /// The status and body of a 2xx answer, after as many attempts as it takes.
    private func exchange(_ request: RestRequest, _ name: String) async throws(RestError) -> (Int, [UInt8]) {
        guard signer != nil || request.isPublic else { throw .needsKey(request: name) }
        var attempt = 1
        while true {
            try await waitForBudget(request, name)
            let failure: RestError
            do throws(RestError) {
                return try await attemptOnce(request, name)
            } catch {
                failure = error
            }
            guard request.method == .get, attempt < settings.attempts, isWorthAnother(failure) else {
                throw failure
            }
            attempt += 1
            state.withLock { $0.statistics.repeats += 1 }
            // An idle connection that had died says nothing of the exchange: the next one is tried at once.
            if case .transport = failure, attempt == 2 { continue }
            try await pause(attempt)
        }
    }

    /// Faults that pass by themselves.
    private func isWorthAnother(_ failure: RestError) -> Bool {
        switch failure {
        case .refused(let error):
            // The clock's correction is known better after a refused date.
            error.status == 429 || error.status >= 500 || error.status == 408
                || error.code == .timestampExpired
        case .transport(let failure): failure.mayHaveReachedExchange || failure.isPassing
        case .unreadable, .key, .needsKey, .budget, .cursorLoop, .cancelled: false
        }
    }

    private func attemptOnce(
        _ request: RestRequest, _ name: String
    ) async throws(RestError) -> (Int, [UInt8]) {
        let sent = now
        let wire = try signed(request)
        let response: HTTPResponse
        do throws(HTTPClientError) {
            response = try await http.send(wire, timeout: settings.timeout)
        } catch {
            if error.kind == .cancelled { throw .cancelled }
            throw .transport(RestError.HTTPFailure(error, name, environment))
        }
        observe(response, sent: sent)
        guard (200..<300).contains(response.status) || isAnswer(response, to: request) else {
            let error = ExchangeError(status: response.status, body: response.body)
            if response.status == 429 { wasRefused(request, response) }
            throw .refused(error)
        }
        return (response.status, response.body)
    }

    private func isAnswer(_ response: HTTPResponse, to request: RestRequest) -> Bool {
        guard let name = request.faultMember, [500, 503, 504].contains(response.status) else { return false }
        return (try? JSONParser.parse(response.body))?[name] != nil
    }

    private func signed(_ request: RestRequest) throws(RestError) -> HTTPRequest {
        var headers: HTTPHeaders = ["Accept": "application/json"]
        if let signer {
            let (date, method) = (exchangeNow.milliseconds, request.method.rawValue)
            do throws(KeyError) {
                let signature = try signer.signNext(method: method, path: request.fullPath, notBefore: date)
                for field in signer.headers(signature).fields { headers.append(field.name, field.value) }
            } catch {
                throw .key("\(error)")
            }
        }
        let body = request.bodyBytes
        if !body.isEmpty { headers.append("Content-Type", "application/json") }
        var wire = HTTPRequest(
            request.method.rawValue, environment.endpoint, environment.pathPrefix + request.target,
            headers: headers, body: body)
        // A repetition below this level would carry the same signature twice.
        wire.isIdempotent = false
        return wire
    }

    /// Our time, corrected by what is proven of the exchange's.
    public var exchangeNow: Timestamp { now + state.withLock { $0.offset.correction } }

    private func observe(_ response: HTTPResponse, sent: Timestamp) {
        let received = now
        let date = response.headers["Date"].flatMap(HTTPDate.parse)
        state.withLock { state in
            state.statistics.requests += 1
            if let date {
                state.offset.observe(named: date, resolution: .seconds(1), sent: sent, received: received)
            }
        }
    }

    // MARK: - Waiting

    private func waitForBudget(_ request: RestRequest, _ name: String) async throws(RestError) {
        let started = now
        while true {
            let now = now
            let next = state.withLock { state -> Timestamp? in
                if now < state.notBefore { return state.notBefore }
                return state.budget.admit(
                    method: request.method.rawValue, path: request.fullPath, scope: request.scope,
                    items: request.items, now: now)
            }
            guard let next else { return }
            let wait = max((next - now).nanoseconds, 1_000_000)
            guard (now - started).nanoseconds + wait <= settings.budgetWaitMax else {
                throw .budget(request: name, seconds: Int(settings.budgetWaitMax / 1_000_000_000))
            }
            state.withLock { $0.statistics.waited += wait }
            try await sleep(wait)
        }
    }

    private func wasRefused(_ request: RestRequest, _ response: HTTPResponse) {
        let now = now
        let pause = response.headers["Retry-After"].flatMap { Int64($0) } ?? 0
        state.withLock { state in
            state.notBefore = now + .seconds(min(max(pause, 0), 60))
            state.statistics.rateLimited += 1
            let chance = state.jitter.next()
            state.budget.refused(scope: request.scope, chance: chance, now: now)
        }
    }

    private func pause(_ attempt: Int) async throws(RestError) {
        let doublings = min(attempt - 2, 16)
        let span = min(settings.backOff << Int64(doublings), settings.backOffMax)
        try await sleep(state.withLock { $0.jitter.wait(span) })
    }

    private func sleep(_ nanoseconds: Int64) async throws(RestError) {
        do {
            try await Task.sleep(for: .nanoseconds(nanoseconds))
        } catch {
            throw .cancelled
        }
    }
}

extension RestError.HTTPFailure {
    init(_ error: HTTPClientError, _ name: String, _ environment: ExchangeEnvironment) {
        request = name
        reason = "\(error) (\(environment.endpoint.hostHeader))"
        mayHaveReachedExchange = error.requestMayHaveReachedServer
        switch error.kind {
        case .network(.tls), .invalidRequest, .malformed: isPassing = false
        case .network, .poolExhausted, .cancelled: isPassing = true
        }
    }
}
