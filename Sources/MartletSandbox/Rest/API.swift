import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletWire

/// An answer's status and body; nil for none.
struct APIResponse {
    var status = 200
    var body: JSONValue?

    static func ok(_ body: JSONValue) -> APIResponse { APIResponse(body: body) }
    static let empty = APIResponse(body: .object([]))
}

/// The REST endpoints: each a method, a pattern, who may ask, what it costs and what it does.
///
/// Handlers are synchronous: an answer is what the exchange was at the moment of the request.
final class API {
    typealias Handler = (API) -> (APIRequest) throws(APIError) -> APIResponse

    enum Access { case open, member }
    enum Bill {
        case read(Int)
        case write(Int)
        /// The handler bills: the cost depends on the body.
        case byHandler
    }
    struct Route {
        let method: String
        let pattern: [String]
        let access: Access
        let bill: Bill
        let handler: Handler
    }

    let exchange: Exchange
    /// By the number of segments.
    private let routes: [[Route]]
    /// Nanoseconds for budgets: moves with the world's steps as well as with the wall.
    var budgetTime: () -> Timestamp
    var isInMaintenance: () -> Bool = { false }

    init(_ exchange: Exchange, budgetTime: @escaping () -> Timestamp) {
        self.exchange = exchange
        self.budgetTime = budgetTime
        let all =
            API.exchangeRoutes + API.marketRoutes + API.historicalRoutes + API.orderRoutes + API.groupRoutes
            + API.portfolioRoutes + API.accountRoutes + API.keyRoutes + API.retiredRoutes
        let longest = all.map(\.pattern.count).max() ?? 0
        routes = (0...longest).map { count in all.filter { $0.pattern.count == count } }
    }

    static func route(
        _ method: String, _ pattern: String, _ access: Access = .member, _ bill: Bill = .read(10),
        _ handler: @escaping Handler
    ) -> Route {
        Route(
            method: method, pattern: pattern.split(separator: "/").map(String.init), access: access,
            bill: bill,
            handler: handler)
    }

    enum Match {
        case found(Route, [String])
        case wrongMethod
        case unknown
    }

    /// The endpoint for a path; literal segments win over `:names`.
    func match(_ method: String, _ segments: ArraySlice<String>) -> Match {
        var best: (Route, [String])?
        var isKnown = false
        guard segments.count < routes.count else { return .unknown }
        for route in routes[segments.count] {
            var parameters: [String] = []
            var fits = true
            for (pattern, segment) in zip(route.pattern, segments) {
                if pattern.hasPrefix(":") {
                    parameters.append(segment)
                } else if pattern != segment {
                    fits = false
                    break
                }
            }
            guard fits else { continue }
            isKnown = true
            guard route.method == method else { continue }
            if best == nil || parameters.count < (best?.1.count ?? 0) { best = (route, parameters) }
        }
        if let (route, parameters) = best { return .found(route, parameters) }
        return isKnown ? .wrongMethod : .unknown
    }

    /// Bills and runs an endpoint.
    func run(_ route: Route, _ request: APIRequest) throws(APIError) -> APIResponse {
        if let member = request.member {
            switch route.bill {
            case .read(let cost): try billRead(member, cost)
            case .write(let cost): try billWrite(member, cost, shard: nil, hasTicker: false)
            case .byHandler: break
            }
        }
        return try route.handler(self)(request)
    }

    // MARK: Budgets (API.md §3)

    func billRead(_ member: Member, _ cost: Int) throws(APIError) {
        guard member.buckets.read.admit(cost, at: budgetTime()) else { throw .tooManyRequests }
    }
    /// Named shards from 1 on have buckets of their own; found by the ticker, all of them pay.
    func billWrite(_ member: Member, _ cost: Int, shard: Int?, hasTicker: Bool) throws(APIError) {
        let isRouted = shard == -1 || (shard == nil && hasTicker)
        let isAdmitted =
            isRouted
            ? member.buckets.admitEverywhere(cost, shards: Exchange.shards.count, at: budgetTime())
            : member.buckets.admitWrite(cost, shard: max(shard ?? 0, 0), at: budgetTime())
        guard isAdmitted else { throw .tooManyRequests }
    }

    // MARK: Pages

    /// A page of a list that is numbered downwards or upwards, and the cursor behind it.
    struct Page {
        var limit: Int
        /// The number after which to go on; nil at the start.
        var after: UInt64?
        let filter: UInt64

        /// Cursors hold for the filters that they came with.
        init(_ request: APIRequest, usual: Int = 100, most: Int64 = 1000) throws(APIError) {
            limit = Int(try request.whole("limit", in: 0...most) ?? Int64(usual))
            if limit == 0 { limit = usual }
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for pair in request.query where pair.name != "cursor" && pair.name != "limit" {
                for byte in (pair.name + "=" + pair.value + "&").utf8 {
                    hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
                }
            }
            filter = hash
            guard let text = request.text("cursor") else { return }
            let parts = Base64.decode(text).map { String(decoding: $0, as: UTF8.self).split(separator: ".") }
            guard let parts, parts.count == 2, let number = UInt64(parts[0], radix: 16) else {
                throw .badRequest("cursor is none of ours")
            }
            guard UInt64(parts[1], radix: 16) == hash else {
                throw .badRequest("cursor belongs to other filters")
            }
            after = number
        }
        func cursor(_ number: UInt64) -> JSONValue {
            .string(
                Base64.encode(
                    Array("\(String(number, radix: 16)).\(String(filter, radix: 16))".utf8)))
        }
    }

    /// The newest first of a list whose numbers grow, as far as `keep` says, up to a page.
    func page<Element>(
        _ all: ContiguousArray<Element>, _ page: Page, number: (Element) -> UInt64,
        keep: (Element) -> Bool, body: (Element) -> JSONValue?
    ) -> (items: [JSONValue], cursor: JSONValue) {
        var items: [JSONValue] = []
        var last: UInt64 = 0
        for element in all.reversed() {
            if let after = page.after, number(element) >= after { continue }
            guard keep(element), let text = body(element) else { continue }
            if items.count == page.limit { return (items, page.cursor(last)) }
            items.append(text)
            last = number(element)
        }
        return (items, .string(""))
    }
}
