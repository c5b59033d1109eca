/// An HTTP/1.1 client on an event loop: a small pool of persistent connections for each endpoint.
///
///     let client = HTTPClient(loop, tls: try TLSContext(clientTrusting: .system))
///     client.warm(url.endpoint, connections: 2)
///     try client.send(HTTPRequest("GET", url)) { result in … }
///
/// Redirects are returned, never followed; bodies are never decoded. An idempotent request that meets a dead
/// idle connection is sent once more on a fresh one; any other is never sent again once a byte of it may have
/// left. It lives as long as it is held. Loop-thread only; for other threads there is `AsyncHTTPClient`.
public final class HTTPClient {
    private final class Pool {
        var idle: [HTTPClientConnection] = []
        var busy: [ObjectIdentifier: HTTPClientConnection] = [:]
        var connecting: [ObjectIdentifier: Connector] = [:]
        var waiting: [HTTPExchange] = []
        var warmTarget = 0
        var count: Int { idle.count + busy.count + connecting.count }
    }

    private let loop: EventLoop
    private let tls: TLSContext?
    private let configuration: HTTPClientConfiguration
    private var pools: [Endpoint: Pool] = [:]
    /// The pool used last: nearly always the one asked for.
    private var recent: (endpoint: Endpoint, pool: Pool)?
    private var isClosed = false

    public init(
        _ loop: EventLoop, tls: TLSContext?,
        configuration: HTTPClientConfiguration = HTTPClientConfiguration()
    ) {
        self.loop = loop
        self.tls = tls
        self.configuration = configuration
    }

    deinit { close() }

    // MARK: - Use

    /// Keeps this many connections open ahead of use, and renews those that die.
    public func warm(_ endpoint: Endpoint, connections: Int) {
        let pool = pool(endpoint)
        if pool.warmTarget == 0 && connections > 0 { keepFresh(pool, endpoint) }
        pool.warmTarget = min(connections, configuration.connectionsPerEndpoint)
        fill(pool, endpoint)
    }

    /// Connections ready for a request now.
    public func idleConnections(_ endpoint: Endpoint) -> Int { pools[endpoint]?.idle.count ?? 0 }

    /// Sends a request; `completion` is called once, on the loop's thread, never from inside this call.
    /// - Throws: `HTTPClientError.Kind.invalidRequest` for what cannot be sent at all.
    @discardableResult
    public func send(
        _ request: HTTPRequest, timeout: Int64? = nil,
        completion: @escaping (Result<HTTPResponse, HTTPClientError>) -> Void
    ) throws(HTTPClientError.Kind) -> HTTPExchange {
        send(
            encoded: try request.encoded(), method: request.method, to: request.endpoint,
            isIdempotent: request.isIdempotent, timeout: timeout, completion: completion)
    }

    /// Sends a request that is already whole: for a caller that builds its bytes itself, to the end of the
    /// body, and answers for their form.
    @discardableResult
    public func send(
        encoded bytes: [UInt8], method: String, to endpoint: Endpoint, isIdempotent: Bool,
        timeout: Int64? = nil, completion: @escaping (Result<HTTPResponse, HTTPClientError>) -> Void
    ) -> HTTPExchange {
        let exchange = HTTPExchange(
            self, method: method, endpoint: endpoint, isIdempotent: isIdempotent, bytes: bytes,
            completion: completion)
        if isClosed {
            loop.defer { exchange.fail(.network(.closed)) }
            return exchange
        }
        let began = loop.refreshNow()
        // First of all the bytes leave: what watches over them can be set up after.
        dispatch(exchange)
        exchange.deadline = loop.schedule(at: began + max(timeout ?? configuration.wholeTimeout, 0)) {
            [weak self, exchange] in self?.abandon(exchange, .network(.timedOut(.whole)))
        }
        return exchange
    }

    /// Closes all connections; requests under way fail.
    public func close() {
        isClosed = true
        let all = pools.values
        pools = [:]
        recent = nil
        for pool in all {
            for connector in pool.connecting.values { connector.cancel() }
            for connection in pool.idle { connection.close() }
            let waiting = pool.waiting
            pool.waiting = []
            for exchange in waiting { finish(exchange) { $0.fail(.network(.closed)) } }
            for connection in pool.busy.values {
                if let exchange = connection.release() { finish(exchange) { $0.fail(.network(.closed)) } }
            }
            pool.busy = [:]
        }
    }

    // MARK: - Ways

    private func pool(_ endpoint: Endpoint) -> Pool {
        if let recent, recent.endpoint == endpoint { return recent.pool }
        let pool = pools[endpoint] ?? Pool()
        pools[endpoint] = pool
        recent = (endpoint, pool)
        return pool
    }

    private func dispatch(_ exchange: HTTPExchange) {
        let pool = pool(exchange.endpoint)
        if !exchange.needsFreshConnection {
            // The most recently used first: the others may grow old and be dropped.
            while let connection = pool.idle.popLast() {
                guard connection.checkIdle() else { continue }
                assign(exchange, connection, pool)
                return
            }
        }
        guard pool.waiting.count < configuration.waitingMax else {
            loop.defer { [self] in finish(exchange) { $0.fail(.poolExhausted) } }
            return
        }
        exchange.place = .waiting
        if exchange.needsFreshConnection {
            pool.waiting.insert(exchange, at: 0)
        } else {
            pool.waiting.append(exchange)
        }
        fill(pool, exchange.endpoint)
    }

    private func assign(_ exchange: HTTPExchange, _ connection: HTTPClientConnection, _ pool: Pool) {
        connection.send(exchange)
        // Books are kept of it while it is on its way: its outcome comes later, whatever it is.
        pool.busy[ObjectIdentifier(connection)] = connection
    }

    /// Starts as many connections as those who wait, and the warm target, ask for.
    private func fill(_ pool: Pool, _ endpoint: Endpoint) {
        if isClosed { return }
        // One that must have a fresh connection displaces an idle one where the pool is full.
        if pool.waiting.first?.needsFreshConnection == true,
            pool.count >= configuration.connectionsPerEndpoint
        {
            pool.idle.popLast()?.close()
        }
        while pool.count < configuration.connectionsPerEndpoint,
            pool.connecting.count < pool.waiting.count || pool.count < pool.warmTarget
        {
            connect(pool, endpoint)
        }
    }

    private func connect(_ pool: Pool, _ endpoint: Endpoint) {
        var key: ObjectIdentifier?
        let connector = Connector(
            loop, to: endpoint, tls: endpoint.isSecure ? tls : nil, timeout: configuration.connectTimeout
        ) { [weak self] result in
            if let key { pool.connecting[key] = nil }
            guard let self, !isClosed else {
                if case .success(let stream) = result { stream.close() }
                return
            }
            connected(result, pool, endpoint)
        }
        key = ObjectIdentifier(connector)
        pool.connecting[ObjectIdentifier(connector)] = connector
    }

    private func connected(_ result: Result<SocketStream, NetworkError>, _ pool: Pool, _ endpoint: Endpoint) {
        switch result {
        case .success(let stream):
            let connection = HTTPClientConnection(stream, configuration) { [weak self] in
                self?.ended($0, $1, $2, pool, endpoint)
            }
            serveNext(connection, pool)
        case .failure(let error):
            if pool.waiting.isEmpty {
                rewarm(pool, endpoint)
                return
            }
            let exchange = pool.waiting.removeFirst()
            finish(exchange) { $0.fail(.network(error)) }
            fill(pool, endpoint)
        }
    }

    private func rewarm(_ pool: Pool, _ endpoint: Endpoint) {
        guard pool.count < pool.warmTarget else { return }
        loop.schedule(after: configuration.rewarmPause) { [weak self] in self?.fill(pool, endpoint) }
    }

    /// Renews idle connections before they are too old to be used, so that no request has to wait for it.
    private func keepFresh(_ pool: Pool, _ endpoint: Endpoint) {
        let quarter = configuration.idleTimeout / 4
        loop.schedule(after: quarter) { [weak self] in
            guard let self, !isClosed, pool.warmTarget > 0 else { return }
            // One at a time: the others stay ready meanwhile.
            if let old = pool.idle.first, loop.now - old.idleSince > 2 * quarter {
                pool.idle.removeFirst()
                old.close()
                fill(pool, endpoint)
            }
            keepFresh(pool, endpoint)
        }
    }

    private func serveNext(_ connection: HTTPClientConnection, _ pool: Pool) {
        let fits = pool.waiting.firstIndex { connection.served == 0 || !$0.needsFreshConnection }
        guard let fits else {
            pool.idle.append(connection)
            return
        }
        // The server may have closed right behind its answer; then nothing has left yet, nothing is lost.
        guard connection.served == 0 || connection.checkIdle() else { return }
        assign(pool.waiting.remove(at: fits), connection, pool)
    }

    private func ended(
        _ connection: HTTPClientConnection, _ exchange: HTTPExchange?,
        _ outcome: HTTPClientConnection.Outcome?,
        _ pool: Pool, _ endpoint: Endpoint
    ) {
        pool.busy[ObjectIdentifier(connection)] = nil
        guard let exchange, let outcome else {
            // Only an idle connection that nobody is about to use: its place is filled when warmth is wanted.
            pool.idle.removeAll { $0 === connection }
            loop.defer { [weak self] in self?.fill(pool, endpoint) }
            return
        }
        if connection.isUsable && !isClosed { serveNext(connection, pool) }
        switch outcome {
        case .response(let response): finish(exchange) { $0.finish(.success(response)) }
        case .failure(let kind, let deadIdle):
            let nothingLeft = !exchange.mayHaveLeft
            if deadIdle && !exchange.wasRetried && !isClosed && (exchange.isIdempotent || nothingLeft) {
                exchange.wasRetried = true
                exchange.needsFreshConnection = true
                dispatch(exchange)
            } else {
                finish(exchange) { $0.fail(kind) }
            }
        }
        fill(pool, endpoint)
    }

    // MARK: - Ends

    private func finish(_ exchange: HTTPExchange, _ action: (HTTPExchange) -> Void) {
        loop.cancel(exchange.deadline)
        exchange.deadline = nil
        action(exchange)
    }

    /// Ends an exchange before its time.
    func abandon(_ exchange: HTTPExchange, _ kind: HTTPClientError.Kind) {
        switch exchange.place {
        case .finished: return
        case .waiting:
            pools[exchange.endpoint]?.waiting.removeAll { $0 === exchange }
            finish(exchange) { $0.fail(kind) }
        case .active(let connection): connection.interrupt(kind)
        }
    }
}
