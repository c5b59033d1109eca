import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletWire

// Requests on their way in, answers on their way out, and what goes wrong between.
extension SandboxServer: HTTPServerHandler {
    public func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        requestCount += 1
        let path = request.path
        if path.hasPrefix("/sandbox/") || path == "/sandbox" {
            return control(request, responder)
        }
        let wait = Int64(dice.faults.readDelayMilliseconds * 1e6)
        guard wait > 0 else { return take(request, responder) }
        loop.schedule(after: wait) { [weak self] in self?.take(request, responder) }
    }

    private func take(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        if dice.strikes(\.dropConnection) { return responder.abort() }
        catchUp()
        let path = request.path
        if path == SandboxServer.webSocketPath { return openFeed(request, responder) }
        if dice.strikes(\.hangResponse) {
            // Kept by the loop until the client gives up, or a minute has passed.
            loop.schedule(after: Nanoseconds.seconds(60)) { responder.abort() }
            return
        }
        let read: (reading: Reading, claim: Claim?)
        do throws(APIError) {
            read = try self.read(request)
        } catch {
            return complete(request, responder) { () throws(APIError) in throw error }
        }
        guard let claim = read.claim else {
            return complete(request, responder) { () throws(APIError) in try self.run(read.reading) }
        }
        func proceed(_ refusal: APIError?) {
            complete(request, responder) { () throws(APIError) in
                try self.run(read.reading, claim, refusal)
            }
        }
        // An RSA check is quicker than the way to another thread and back.
        if claim.key.algorithm == .ed25519 { desk.check(claim, proceed) } else { proceed(claim.refusal) }
    }

    /// Gets the answer, and sends it with the faults that are on.
    private func complete(
        _ request: HTTPServerRequest, _ responder: HTTPResponder,
        _ answer: () throws(APIError) -> APIResponse
    ) {
        let isWrite = request.method != "GET" && request.method != "HEAD"
        var response: APIResponse
        do throws(APIError) {
            response = try answer()
            if isWrite, dice.strikes(\.loseResponse) { return responder.abort() }
            if isWrite, dice.strikes(\.errorAfterWrite) {
                throw APIError(504, "gateway_timeout", "gateway timeout")
            }
        } catch {
            response = APIResponse(
                status: error.status, body: error.body(nested: settings.rules.nestedErrors))
        }
        if dice.strikes(\.extraField), let body = response.body { response.body = body.withExtraFields }
        let delay = dice.delay()
        guard delay > 0 else { return send(response, responder) }
        loop.schedule(after: delay) { [weak self] in self?.send(response, responder) }
    }

    private func send(_ response: APIResponse, _ responder: HTTPResponder) {
        guard let body = response.body else {
            let headers: HTTPHeaders = ["Date": dates.text(shownNow)]
            return responder.respond(response.status, headers: headers)
        }
        responder.respond(
            response.status,
            headers: ["Content-Type": "application/json", "Date": dates.text(shownNow)],
            body: Array(JSONWriter.text(body).utf8))
    }

    /// A request whose endpoint is known.
    private struct Reading {
        var request: APIRequest
        let route: API.Route
    }

    /// Finds the endpoint, and who asks as far as that is said.
    private func read(_ raw: HTTPServerRequest) throws(APIError) -> (Reading, Claim?) {
        guard var request = APIRequest(raw), let below = request.below else { throw .notFound }
        let route: API.Route
        switch api.match(raw.method, below) {
        case .found(let found, let parameters):
            route = found
            request.parameters = parameters
        case .wrongMethod: throw APIError(405, "method_not_allowed", "method not allowed")
        case .unknown: throw .notFound
        }
        let claim: Claim?
        switch route.access {
        case .member: claim = try authenticator.claim(raw.head, exchange, now: authenticationNow)
        case .open:
            // Signing public reads is harmless, and not asked for.
            let isSigned = Authenticator.isSigned(raw.headers)
            claim = isSigned ? try? authenticator.claim(raw.head, exchange, now: authenticationNow) : nil
        }
        return (Reading(request: request, route: route), claim)
    }

    /// Runs what a claim was judged for.
    private func run(_ reading: Reading, _ claim: Claim, _ refusal: APIError?) throws(APIError) -> APIResponse
    {
        catchUp()
        var reading = reading
        switch reading.route.access {
        case .member:
            if let refusal { throw refusal }
            reading.request.member = try authenticator.admit(claim, exchange, now: authenticationNow)
            reading.request.key = claim.entry
            guard claim.entry.allows(reading.route.need) else { throw .forbidden }
        case .open:
            if refusal == nil {
                reading.request.member = try? authenticator.admit(claim, exchange, now: authenticationNow)
            }
        }
        return try run(reading)
    }

    private func run(_ reading: Reading) throws(APIError) -> APIResponse {
        if dice.faults.maintenance, reading.route.pattern != ["exchange", "status"] {
            throw .inMaintenance
        }
        if dice.strikes(\.tooManyRequests) { throw .tooManyRequests }
        if dice.strikes(\.serverError) { throw APIError(503, "service_unavailable", "service unavailable") }
        return try api.run(reading.route, reading.request)
    }

    private func openFeed(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        do throws(APIError) {
            let (member, key) = try authenticator.check(request.head, exchange, now: authenticationNow)
            guard key.allows(.read) else { throw .forbidden }
            if dice.faults.maintenance { throw .inMaintenance }
            guard sessionCount < settings.sessionsMax,
                hub.sessionCount(of: member) < settings.accountSessionsMax
            else { throw APIError(503, "too_many_connections", "too many connections") }
            let session = hub.open(member, key)
            var configuration = WebSocketConfiguration()
            configuration.messageMax = 1024 * 1024
            configuration.outputMax = settings.clientBuffer * 2 + 1024 * 1024
            configuration.readSize = 4096
            guard let socket = responder.upgradeToWebSocket(configuration: configuration, handler: session)
            else {
                return hub.forget(session)
            }
            session.socket = socket
        } catch {
            send(
                APIResponse(status: error.status, body: error.body(nested: settings.rules.nestedErrors)),
                responder)
        }
    }
}

extension JSONValue {
    /// With a field in each object that no documentation knows.
    var withExtraFields: JSONValue {
        switch self {
        case .object(let members):
            let inner = members.map { Member($0.key, $0.value.withExtraFields) }
            return .object(inner + [Member("sandbox_added_field", .string("new"))])
        case .array(let values): return .array(values.map(\.withExtraFields))
        case .null, .bool, .number, .string: return self
        }
    }
}

/// `Date` headers: `Mon, 23 Nov 2026 14:00:00 GMT`, made once a second.
struct HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private var latest: (seconds: Int64, text: String) = (.min, "")

    mutating func text(_ time: Timestamp) -> String {
        if latest.seconds != time.seconds { latest = (time.seconds, HTTPDate.make(time)) }
        return latest.text
    }
    private static func make(_ time: Timestamp) -> String {
        let text = Array(Timestamp(seconds: time.seconds).description)
        let month = Int(String(text[5...6])) ?? 1
        let weekday = days[Int(((time.seconds / 86_400) % 7 + 7) % 7)]
        return "\(weekday), \(String(text[8...9])) \(months[month - 1]) \(String(text[0...3])) "
            + "\(String(text[11...18])) GMT"
    }
}
