import Foundation
import Testing

@testable import MartletNetwork

/// TLS on real sockets, with certificates made on the spot.
@Suite struct TLSTests {
    let authority: CertificateMaker
    let key: PrivateKey

    init() throws {
        authority = try CertificateMaker.authority(named: "test authority")
        key = try PrivateKey.generate(.ecdsaP256)
    }

    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".bytes

    func trust(maximum: TLSVersion = .v1_3, minimum: TLSVersion = .v1_2) throws -> TLSContext {
        try TLSContext(clientTrusting: .pem(authority.certificate.pem), minimum: minimum, maximum: maximum)
    }

    func server(_ request: CertificateRequest, key: PrivateKey? = nil, chain: [Certificate] = []) throws
        -> TLSContext
    {
        let key = key ?? self.key
        return try TLSContext(serverCertificates: [try authority.issue(request, key)] + chain, key: key)
    }

    static let good = CertificateRequest(names: ["localhost", "*.wild.test"], addresses: ["127.0.0.1"])

    /// One GET over TLS against a server with that context; what came of it.
    func ask(
        _ server: TLSContext, client: TLSContext? = nil, host: String = "localhost",
        script: [ScriptedServer.Step] = [.request, .send(ok)]
    ) throws -> Result<HTTPResponse, HTTPClientError> {
        let fixture = try HTTPClientTests.Fixture(tls: try client ?? trust())
        let scripted = try ScriptedServer(fixture.test.loop, tls: server, [script])
        defer { scripted.close() }
        return try fixture.ask("GET", scripted.endpoint(secure: true, host: host))
    }

    func problem(_ server: TLSContext, host: String = "localhost", client: TLSContext? = nil) throws
        -> CertificateProblem?
    {
        guard let error = HTTPClientTests.failure(try ask(server, client: client, host: host)) else {
            return nil
        }
        #expect(!error.requestMayHaveReachedServer, "nothing is sent before the certificate is judged")
        guard case .network(.tls(.certificate(let problem))) = error.kind else {
            Issue.record(error)
            return nil
        }
        return problem
    }

    @Test func goodCertificatesOfAllKindsAreTaken() throws {
        for algorithm in [KeyAlgorithm.rsa, .ecdsaP256, .ed25519] {
            let key = try PrivateKey.generate(algorithm)
            for host in ["localhost", "127.0.0.1"] {
                let response = try ask(try server(Self.good, key: key), host: host).get()
                #expect(response.body == "ok".bytes)
            }
        }
    }

    @Test func bothVersionsAreSpoken() throws {
        for version in [TLSVersion.v1_2, .v1_3] {
            let client = try trust(maximum: version, minimum: version)
            #expect(try ask(try server(Self.good), client: client).get().status == 200)
        }
        let old = try TLSContext(
            serverCertificates: [try authority.issue(Self.good, key)], key: key, maximum: .v1_2)
        let error = HTTPClientTests.failure(try ask(old, client: try trust(minimum: .v1_3)))
        guard case .network(.tls(let problem)) = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(
            [.version("tlsv1 alert protocol version")].contains(problem) || "\(problem)".contains("version"))
    }

    @Test func badCertificatesAreNamed() throws {
        func changed(_ change: (inout CertificateRequest) -> Void) throws -> CertificateProblem? {
            var request = Self.good
            change(&request)
            return try problem(try server(request))
        }
        #expect(try changed { $0.validToSeconds = -60 } == .expired)
        #expect(try changed { $0.validFromSeconds = 3600 } == .notYetValid)
        #expect(try changed { $0.names = ["other.test"] } == .wrongHost)
        #expect(
            try changed {
                $0.names = []; $0.addresses = []; $0.commonName = "localhost"
            } == .wrongHost)
        #expect(try changed { $0.names = ["*"] } == .wrongHost)
        #expect(try changed { $0.names = ["local*"] } == .wrongHost)
        #expect(try changed { $0.names = ["*.localhost"] } == .wrongHost)
        #expect(try changed { $0.extendedKeyUsage = "clientAuth" } == .badPurpose)
        #expect(
            try problem(try server(CertificateRequest(names: ["127.0.0.1"])), host: "127.0.0.1") == .wrongHost
        )
        #expect(
            try problem(try server(CertificateRequest(addresses: ["127.0.0.2"])), host: "127.0.0.1")
                == .wrongHost)
        let own = try TLSContext(
            serverCertificates: [try CertificateMaker.selfSigned(Self.good, key)], key: key)
        #expect(try problem(own) == .selfSigned)
        let stranger = try CertificateMaker.authority(named: "stranger")
        let strange = try stranger.issue(Self.good, key)
        #expect(try problem(try TLSContext(serverCertificates: [strange], key: key)) == .unknownAuthority)
        let withRoot = try TLSContext(serverCertificates: [strange, stranger.certificate], key: key)
        #expect(try problem(withRoot) == .unknownAuthority)
        let none = try TLSContext(clientTrusting: .none)
        #expect(try problem(try server(Self.good), client: none) == .unknownAuthority)
    }

    @Test func weakChainsAreRefused() throws {
        let small = try PrivateKey.generate(.rsa, rsaBits: 1024)
        // A server of ours refuses the weak ones too; for the test it is told to take anything.
        #expect(throws: TLSError.self) { try server(Self.good, key: small) }
        for (algorithm, digest) in [
            (KeyAlgorithm.rsa, CertificateRequest.SigningDigest.sha1), (.ecdsaP256, .sha1), (.rsa, .md5),
        ] {
            let weakAuthority = try CertificateMaker.authority(named: "weak", algorithm: algorithm)
            var request = Self.good
            request.digest = digest
            let leaf = try weakAuthority.issue(request, key)
            let client = try TLSContext(clientTrusting: .pem(weakAuthority.certificate.pem))
            let lax = try TLSContext(laxServerCertificates: [leaf], key: key)
            #expect(try problem(lax, client: client) == .weakSignature)
        }
        let lax = try TLSContext(laxServerCertificates: [try authority.issue(Self.good, small)], key: small)
        #expect(try problem(lax) == .weakKey)
    }

    @Test func chainsAreJudgedWhole() throws {
        let middle = try authority.subordinate(.authority(named: "middle", pathLength: 0))
        let leaf = try middle.issue(Self.good, key)
        let whole = try TLSContext(serverCertificates: [leaf, middle.certificate], key: key)
        #expect(try ask(whole).get().status == 200)
        #expect(try problem(try TLSContext(serverCertificates: [leaf], key: key)) == .unknownAuthority)

        let tooDeep = try middle.subordinate(.authority(named: "too deep"))
        let deepLeaf = try tooDeep.issue(Self.good, key)
        let deep = try TLSContext(
            serverCertificates: [deepLeaf, tooDeep.certificate, middle.certificate], key: key)
        #expect(try problem(deep) == .chainTooLong)

        var server = CertificateRequest(names: ["middle.test"])
        server.commonName = "a server, no authority"
        let noAuthority = try authority.subordinate(server)
        let issued = try noAuthority.issue(Self.good, key)
        let wrong = try TLSContext(serverCertificates: [issued, noAuthority.certificate], key: key)
        // Without the right to sign it is not even looked at as an issuer.
        let found = try problem(wrong)
        #expect(found == .notAnAuthority || found == .unknownAuthority, "\(String(describing: found))")

        var narrow = CertificateRequest.authority(named: "narrow")
        narrow.nameConstraints = "critical,permitted;DNS:example.test"
        let constrained = try authority.subordinate(narrow)
        let outside = try constrained.issue(CertificateRequest(names: ["localhost"]), key)
        let beyond = try TLSContext(serverCertificates: [outside, constrained.certificate], key: key)
        #expect(try problem(beyond) == .nameNotPermitted)
    }

    @Test func endWithoutClosingWordIsTruncation() throws {
        let body = "HTTP/1.1 200 OK\r\n\r\nhalf of it".bytes
        let cut = HTTPClientTests.failure(
            try ask(
                try server(Self.good), script: [.request, .send(body), .pause(milliseconds: 5), .truncate]))
        #expect(cut?.kind == .network(.tls(.truncated)))
        let whole = try ask(
            try server(Self.good), script: [.request, .send(body), .pause(milliseconds: 5), .close])
        #expect(try whole.get().body == "half of it".bytes)
    }

    @Test func sessionsAreResumed() throws {
        for version in [TLSVersion.v1_2, .v1_3] {
            let client = try trust(maximum: version)
            let server = try server(Self.good)
            let test = try TestLoop()
            let scripted = try ScriptedServer(test.loop, tls: server, [[.send("hello".bytes)]])
            var resumed: [Bool] = []
            for _ in 0..<3 {
                let reader = FirstBytes()
                Connector(
                    test.loop, to: scripted.endpoint(secure: true, host: "localhost"), tls: client,
                    timeout: Nanoseconds.seconds(5)
                ) { result in
                    guard let stream = try? result.get() else { return }
                    stream.handler = reader
                    reader.stream = stream
                    resumed.append(stream.wasResumed)
                    stream.readAvailable()
                }
                try test.run { reader.count >= 5 }
                reader.stream?.close()
            }
            #expect(resumed == [false, true, true], "TLS \(version)")
        }
    }

    private final class FirstBytes: StreamHandler {
        var count = 0
        var stream: SocketStream?
        func streamReceived(_ stream: SocketStream) { count = stream.input.count }
        func streamEnded(_ stream: SocketStream) {}
        func streamFailed(_ stream: SocketStream, _ error: NetworkError) {}
    }

    @Test func largeTransfersSurviveBothWays() throws {
        let fixture = try HTTPServerTests.Fixture()
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
        fixture.answer = { request, responder in responder.respond(200, body: request.body) }
        let context = try server(Self.good)
        let secure = try HTTPServer(
            fixture.test.loop, on: try Loopback.address(), tls: context, handler: fixture)
        let client = HTTPClient(fixture.test.loop, tls: try trust())
        var result: Result<HTTPResponse, HTTPClientError>?
        let endpoint = Endpoint(host: "localhost", port: secure.address.port, isSecure: true)
        try client.send(HTTPRequest("POST", endpoint, "/", body: body)) { result = $0 }
        try fixture.test.run { result != nil }
        #expect(try result?.get().body == body)
    }

    @Test func plainPeersAreFoundOut() throws {
        let fixture = try HTTPClientTests.Fixture(tls: try trust())
        let plain = try ScriptedServer(fixture.test.loop, [[.send("HTTP/1.1 400 Bad Request\r\n\r\n".bytes)]])
        let error = HTTPClientTests.failure(try fixture.ask("GET", plain.endpoint(secure: true)))
        #expect(error?.requestMayHaveReachedServer == false)
        guard case .network(.tls(.version)) = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func noCommonProtocolFails() throws {
        let other = try TLSContext(
            serverCertificates: [try authority.issue(Self.good, key)], key: key, protocols: ["h2"])
        let error = HTTPClientTests.failure(try ask(other))
        guard case .network(.tls(.alert)) = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
