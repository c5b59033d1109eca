import MartletNetwork

/// Requests, and what came back: `STATUS SHA256HEX LENGTH`, or `error …`.
enum HTTPProbe {
    static func run(_ arguments: [String]) -> Int32 {
        guard let requests = parse(arguments), !requests.isEmpty else {
            print("error the arguments cannot be used")
            _ = Probe.usage()
            return 1
        }
        do {
            let loop = try EventLoop()
            var configuration = HTTPClientConfiguration()
            let whole = Probe.timeout("HTTP_TIMEOUT_MS", orSeconds: 30)
            configuration.wholeTimeout = whole
            configuration.connectTimeout = whole
            configuration.writeTimeout = whole
            configuration.firstByteTimeout = whole
            let tls = requests.contains { $0.endpoint.isSecure } ? try Probe.trust() : nil
            let client = HTTPClient(loop, tls: tls, configuration: configuration)
            let sequence = Sequence(loop, client, requests)
            loop.defer { sequence.next() }
            try loop.run()
            return sequence.code
        } catch {
            print("error \(error)")
            return 1
        }
    }

    private static func parse(_ arguments: [String]) -> [HTTPRequest]? {
        if arguments.first == "--seq" {
            let pairs = Array(arguments.dropFirst())
            guard pairs.count % 2 == 0 else { return nil }
            var requests: [HTTPRequest] = []
            for index in stride(from: 0, to: pairs.count, by: 2) {
                guard let request = request(pairs[index], pairs[index + 1]) else { return nil }
                requests.append(request)
            }
            return requests
        }
        guard (2...3).contains(arguments.count), var request = request(arguments[0], arguments[1]) else {
            return nil
        }
        if arguments.count == 3 {
            let text = arguments[2]
            guard
                let body = text.hasPrefix("@")
                    ? Probe.bytes(ofFile: String(text.dropFirst())) : Array(text.utf8)
            else { return nil }
            request.body = body
        }
        return [request]
    }

    private static func request(_ method: String, _ text: String) -> HTTPRequest? {
        guard let url = HTTPURL(text), !url.isWebSocket else { return nil }
        return HTTPRequest(method, url)
    }

    /// One request after the other through one client, a line for each.
    private final class Sequence {
        private let loop: EventLoop
        private let client: HTTPClient
        private var left: ArraySlice<HTTPRequest>
        private(set) var code: Int32 = 0

        init(_ loop: EventLoop, _ client: HTTPClient, _ requests: [HTTPRequest]) {
            self.loop = loop
            self.client = client
            left = requests[...]
        }

        func next() {
            guard let request = left.popFirst() else {
                client.close()
                loop.stop()
                return
            }
            do {
                try client.send(request) { [self] result in
                    report(result)
                    loop.defer { [self] in next() }
                }
            } catch {
                fail("\(error)")
                next()
            }
        }

        private func report(_ result: Result<HTTPResponse, HTTPClientError>) {
            switch result {
            case .success(let response):
                let digest = Digest.hex(Digest.sha256(response.body))
                print("\(response.status) \(digest) \(response.body.count)")
            case .failure(let error):
                fail("\(error)" + (error.requestMayHaveReachedServer ? "" : " (not sent)"))
            }
        }

        private func fail(_ text: String) {
            code = 1
            print("error " + text.replacing("\n", with: " "))
        }
    }
}
