import Martlet
import MartletEngine
import MartletNetwork

/// What the encoder must know of markets and orders: the live driver's tables.
public protocol OrderDirectory {
    /// Nil for a market that the exchange has not defined.
    func route(_ market: Market.ID) -> OrderRoute?
    /// The exchange's id of an order; nil before its acknowledgement.
    func venueID(_ order: OrderID) -> String?
}

/// Why a command cannot be sent.
public enum OrderEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownMarket(Market.ID)
    /// The exchange has not told its id of the order yet.
    case noVenueID(OrderID)
    case emptyBatch

    public var description: String {
        switch self {
        case .unknownMarket(let market): "market \(market) has no definition"
        case .noVenueID(let order): "\(order) has no id of the exchange yet"
        case .emptyBatch: "a batch without orders"
        }
    }
}

/// Which request a command becomes: known before it is signed, so that a signature can be taken from the pool.
public struct OrderRequestPlan: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case create, createBatch, amend, decrease, cancel, cancelBatch, cancelAll
    }

    public var kind: Kind
    public var method: String
    /// From `/trade-api/v2` on: what is signed.
    public var path: String
    /// With its question mark; not signed.
    var query: String
    public var scope: BudgetScope
    public var items: Int
}

/// Writes the engine's commands as whole HTTP requests, ready for ``HTTPClient/send(encoded:method:to:isIdempotent:timeout:completion:)``.
///
///     let plan = try encoder.plan(command, directory)
///     let signature = try pool.signature(for: createPath)
///     try encoder.encode(command, plan, directory, signature, into: &bytes)
///
/// A new order is written in one pass over two buffers that are kept, without intermediate objects.
public struct OrderRequestEncoder: Sendable {
    public static let createPath = ExchangeEnvironment.apiPath + Endpoints.ordersPath
    public static let batchPath = ExchangeEnvironment.apiPath + Endpoints.batchPath

    public let endpoint: Endpoint
    /// The run's random number in its client order ids.
    public let nonce: UInt64
    public let subaccount: Int?
    /// Single cancels on shard 0 go out as batches of one: that path is fixed, and so signed ahead. Other shards'
    /// would be billed to shard 0's budget, as all batches are.
    public var batchesSingleCancels = true
    private let prefix: [UInt8]
    /// Everything between the request line and the timestamp, alike in all requests.
    private let fixedHead: [UInt8]
    /// A new order's request line and all of that.
    private let createHead: [UInt8]
    private let signatureHead: [UInt8]
    /// What this run's client order ids begin with.
    private let stem: [UInt8]
    private var body: [UInt8] = []
    /// Room for a head with an RSA-4096 signature: made at once, where growing would copy.
    private static let headCapacity = 1536

    public init(_ environment: ExchangeEnvironment, keyID: String, nonce: UInt64, subaccount: Int? = nil) {
        endpoint = environment.endpoint
        self.nonce = nonce
        self.subaccount = subaccount
        prefix = Array(environment.pathPrefix.utf8)
        fixedHead = Array(
            (" HTTP/1.1\r\nHost: \(environment.endpoint.hostHeader)\r\nAccept: application/json\r\n"
                + "Accept-Encoding: identity\r\n\(RequestSigner.keyHeader): \(keyID)\r\n"
                + "\(RequestSigner.timestampHeader): ").utf8)
        createHead = Array("POST \(environment.pathPrefix)\(Self.createPath)".utf8) + fixedHead
        signatureHead = Array("\r\n\(RequestSigner.signatureHeader): ".utf8)
        var stem: [UInt8] = []
        ClientOrderID.appendStem(nonce, to: &stem)
        self.stem = stem
        body.reserveCapacity(4096)
    }

    // MARK: - Plans

    public func plan(
        _ command: VenueCommand, _ directory: some OrderDirectory
    ) throws(OrderEncodingError) -> OrderRequestPlan {
        switch command {
        case .place(let order):
            return fixed(
                .create, "POST", Self.createPath, shard: try route(order.request.market, directory).shard)
        case .placeBatch(let orders):
            guard !orders.isEmpty else { throw .emptyBatch }
            return fixed(.createBatch, "POST", Self.batchPath, items: orders.count)
        case .cancelBatch(let orders):
            guard !orders.isEmpty else { throw .emptyBatch }
            return fixed(.cancelBatch, "DELETE", Self.batchPath, items: orders.count)
        case .cancel(let order, let market):
            let shard = try route(market, directory).shard
            if batchesSingleCancels, shard < 1 { return fixed(.cancelBatch, "DELETE", Self.batchPath) }
            var plan = try single(.cancel, "DELETE", order, "", shard, directory)
            plan.query = "?exchange_index=\(shard)" + (subaccount.map { "&subaccount=\($0)" } ?? "")
            return plan
        case .amend(let order):
            let shard = try route(order.market, directory).shard
            return try single(.amend, "POST", order.id, "/amend", shard, directory)
        case .decrease(let order, let market, _):
            let shard = try route(market, directory).shard
            return try single(.decrease, "POST", order, "/decrease", shard, directory)
        case .cancelEverything:
            var plan = fixed(.cancelAll, "DELETE", Self.createPath)
            plan.query = subaccount.map { "?subaccount=\($0)" } ?? ""
            return plan
        }
    }

    private func fixed(
        _ kind: OrderRequestPlan.Kind, _ method: String, _ path: String, shard: Int = 0, items: Int = 1
    ) -> OrderRequestPlan {
        // Batches are billed to the unscoped bucket, whatever their orders' shards.
        OrderRequestPlan(
            kind: kind, method: method, path: path, query: "", scope: .write(shard: shard), items: items)
    }

    private func single(
        _ kind: OrderRequestPlan.Kind, _ method: String, _ order: OrderID, _ action: String, _ shard: Int,
        _ directory: some OrderDirectory
    ) throws(OrderEncodingError) -> OrderRequestPlan {
        guard let id = directory.venueID(order) else { throw .noVenueID(order) }
        return OrderRequestPlan(
            kind: kind, method: method, path: "\(Self.createPath)/\(URLText.encode(id))\(action)",
            query: subaccount.map { "?subaccount=\($0)" } ?? "", scope: .write(shard: shard), items: 1)
    }

    private func route(
        _ market: Market.ID, _ directory: some OrderDirectory
    ) throws(OrderEncodingError) -> OrderRoute {
        guard let route = directory.route(market) else { throw .unknownMarket(market) }
        return route
    }

    // MARK: - Bytes

    /// Writes the whole request into `bytes`, in place of what stood there.
    public mutating func encode(
        _ command: VenueCommand, _ plan: OrderRequestPlan, _ directory: some OrderDirectory,
        _ signature: RequestSignature, into bytes: inout [UInt8]
    ) throws(OrderEncodingError) {
        body.removeAll(keepingCapacity: true)
        try writeBody(command, plan, directory)
        bytes.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(Self.headCapacity + body.count)
        if plan.kind == .create {
            bytes += createHead
        } else {
            bytes += plan.method.utf8
            bytes.append(UInt8(ascii: " "))
            bytes += prefix
            bytes += plan.path.utf8
            bytes += plan.query.utf8
            bytes += fixedHead
        }
        DecimalText.append(signature.milliseconds, to: &bytes)
        bytes += signatureHead
        bytes += signature.signature.utf8
        if !body.isEmpty {
            bytes.append("\r\nContent-Type: application/json\r\nContent-Length: ")
            DecimalText.append(UInt64(body.count), to: &bytes)
        }
        bytes.append("\r\n\r\n")
        bytes += body
    }

    private mutating func writeBody(
        _ command: VenueCommand, _ plan: OrderRequestPlan, _ directory: some OrderDirectory
    ) throws(OrderEncodingError) {
        switch command {
        case .place(let order): try write(order, directory)
        case .placeBatch(let orders):
            body.append("{\"orders\":[")
            for (index, order) in orders.enumerated() {
                if index > 0 { body.append(UInt8(ascii: ",")) }
                try write(order, directory)
            }
            body.append("]}")
        case .amend(let order):
            OrderBody.amend(
                try route(order.market, directory),
                .init(side: order.side, price: order.price, quantity: order.quantity), into: &body)
        case .decrease(_, let market, let quantity):
            OrderBody.decrease(try route(market, directory), to: quantity, into: &body)
        case .cancel(let order, let market):
            guard plan.kind == .cancelBatch else { return }
            try write(cancels: [OrderReference(order, market: market)], directory)
        case .cancelBatch(let orders): try write(cancels: orders, directory)
        case .cancelEverything: return
        }
    }

    private mutating func write(
        _ order: PlaceOrder, _ directory: some OrderDirectory
    ) throws(OrderEncodingError) {
        let route = try route(order.request.market, directory)
        let stem = stem
        OrderBody.create(route, order.request, subaccount: subaccount, into: &body) { bytes in
            bytes += stem
            DecimalText.append(order.id.number, to: &bytes)
        }
    }

    private mutating func write(
        cancels orders: [OrderReference], _ directory: some OrderDirectory
    ) throws(OrderEncodingError) {
        body.append("{\"orders\":[")
        for (index, order) in orders.enumerated() {
            guard let id = directory.venueID(order.order) else { throw .noVenueID(order.order) }
            if index > 0 { body.append(UInt8(ascii: ",")) }
            let shard = try route(order.market, directory).shard
            OrderBody.cancelEntry(id, shard: shard, subaccount: subaccount, into: &body)
        }
        body.append("]}")
    }
}
