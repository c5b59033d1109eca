import MartletNetwork
import Testing

@testable import MartletKalshi

@Suite struct RequestSignerTests {
    /// The documentation's vectors: Ed25519 is deterministic, so the public key must take its signature over the
    /// text that we would sign.
    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAZExvE1RH7D9B/buGzHbVw2oyuHE4B2NZvZOJUUwZAwA=
        -----END PUBLIC KEY-----

        """
    static let vectors: [(Int64, String, String, String)] = [
        (
            1_795_442_400_000, "GET", "/trade-api/v2/portfolio/orders?limit=5&status=resting",
            "7MQ9+nE68dk6JPiZVXTIRCJvlinSaZZcK5KdPajfGYgQQsTSSyxvGORfeNp3gbM8V3Nxwh1yuwBNG7J5cWz/Bw=="
        ),
        (
            1_795_442_400_001, "POST", "/trade-api/v2/portfolio/events/orders",
            "BtOtLDjQ7EbQMoFC9owZ5GpNJIwqxrDs6EJPysY9MIhokgAjvAfiu5ajyGV3zecVc8VQ+/KxujcqpkETDV9DDg=="
        ),
        (
            1_795_442_400_003, "GET", "/trade-api/ws/v2",
            "adV/TZuVUjRRFdH4HESFPgYDOdEppnkHRmA6tnp7OwsC1ssIH4g5Evs/BLQU+DkWJrAE8NcBx6oWc6X06S/SBA=="
        ),
    ]

    @Test func fieldNote26SignsMillisecondsAndThePathWithoutItsQuery() throws {
        let key = try PublicKey(pem: Array(Self.publicKey.utf8))
        for (milliseconds, method, path, base64) in Self.vectors {
            let signature = try #require(Base64.decode(base64))
            let message = RequestSigner.message(milliseconds: milliseconds, method: method, path: path)
            #expect(key.verify(signature, of: message))
        }
    }

    @Test(arguments: [KeyAlgorithm.rsa, .ed25519])
    func headersHoldWhatThePublicKeyVerifies(_ algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let signer = try RequestSigner.test(key)
        let signature = try signer.sign(
            method: "GET", path: "/trade-api/v2/portfolio/balance?subaccount=1",
            milliseconds: 1_795_442_400_000)
        let headers = signer.headers(signature)
        #expect(headers["KALSHI-ACCESS-KEY"] == RequestSigner.testKeyID)
        #expect(headers["KALSHI-ACCESS-TIMESTAMP"] == "1795442400000")
        let text = try #require(headers["KALSHI-ACCESS-SIGNATURE"])
        let bytes = try #require(Base64.decode(text))
        let message = Array("1795442400000GET/trade-api/v2/portfolio/balance".utf8)
        #expect(key.publicKey.verify(bytes, of: message))
        #expect(bytes.count == (algorithm == .rsa ? 256 : 64))
    }

    @Test func theFeedsHandshakeIsSignedForItsOwnPath() throws {
        let key = try PrivateKey.generate(.ed25519)
        let headers = try RequestSigner.test(key).feedHeaders(milliseconds: 1_795_442_400_003)
        let bytes = try #require(Base64.decode(headers["KALSHI-ACCESS-SIGNATURE"] ?? ""))
        #expect(key.publicKey.verify(bytes, of: Array("1795442400003GET/trade-api/ws/v2".utf8)))
    }

    @Test func eachSignatureHasAMillisecondOfItsOwn() throws {
        let signer = try RequestSigner.test(PrivateKey.generate(.ed25519))
        let dates = try (0..<50).map { _ in
            try signer.signNext(method: "GET", path: "/trade-api/v2/x", notBefore: 1_000).milliseconds
        }
        #expect(dates == Array(1_000..<1_050))
        // The clock was set back by a minute: dates follow it.
        #expect(
            try signer.signNext(method: "GET", path: "/x", notBefore: -60_000).milliseconds == -60_000)
    }

    @Test func aKeyIdThatCannotStandInAHeaderIsRefused() throws {
        let key = try SecretKey(PrivateKey.generate(.ed25519))
        for id in ["", "a b", "a\r\nX: y", "schlüssel"] {
            #expect(throws: KeyError.self) { try Credentials(keyID: id, key: key) }
        }
    }
}
