/// The HTTP client for callers that wait: the same state machine on a loop of its own thread.
///
///     let client = try AsyncHTTPClient(tls: TLSContext(clientTrusting: .system))
///     let response = try await client.send(HTTPRequest("GET", url))
public final class AsyncHTTPClient: Sendable {
    private let thread: EventLoopThread
    // Made here and used on the loop's thread only.
    private let client: LoopBound<HTTPClient>

    public init(
        tls: TLSContext?, configuration: HTTPClientConfiguration = HTTPClientConfiguration()
    ) throws(SystemError) {
        thread = try EventLoopThread(name: "http", givesWay: true)
        client = LoopBound(HTTPClient(thread.loop, tls: tls, configuration: configuration))
    }

    deinit {
        let (thread, client) = (thread, client)
        thread.loop.execute {
            client.value.close()
            thread.stop()
        }
    }

    /// Keeps connections open ahead of use.
    public func warm(_ endpoint: Endpoint, connections: Int) {
        thread.loop.execute { [client] in client.value.warm(endpoint, connections: connections) }
    }

    /// Sends a request and waits for the whole response. Cancelling the task closes the connection.
    public func send(
        _ request: HTTPRequest, timeout: Int64? = nil
    ) async throws(HTTPClientError) -> HTTPResponse {
        let running = Running()
        let loop = thread.loop
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { [client] in
                    AsyncHTTPClient.start(request, timeout, client.value, running, continuation)
                }
            }
        } onCancel: {
            loop.execute { running.cancel() }
        }
        return try result.get()
    }

    private static func start(
        _ request: HTTPRequest, _ timeout: Int64?, _ client: HTTPClient, _ running: Running,
        _ continuation: CheckedContinuation<Result<HTTPResponse, HTTPClientError>, Never>
    ) {
        func refuse(_ kind: HTTPClientError.Kind) {
            let error = HTTPClientError(kind: kind, requestMayHaveReachedServer: false)
            continuation.resume(returning: .failure(error))
        }
        if running.isCancelled {
            refuse(.cancelled)
            return
        }
        do throws(HTTPClientError.Kind) {
            running.exchange = try client.send(request, timeout: timeout) { result in
                running.exchange = nil
                continuation.resume(returning: result)
            }
        } catch {
            refuse(error)
        }
    }

    // @unchecked Sendable is sound because both fields are touched on the loop's thread alone.
    private final class Running: @unchecked Sendable {
        var exchange: HTTPExchange?
        var isCancelled = false

        func cancel() {
            isCancelled = true
            exchange?.cancel()
        }
    }
}
