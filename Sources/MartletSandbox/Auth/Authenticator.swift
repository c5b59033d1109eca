import Martlet
import MartletNetwork

/// Checks who signed a request, as the exchange does (API.md §2).
///
/// Refusals carry the exchange's codes; their messages say what a client most often gets wrong.
struct Authenticator {
    static let keyHeader = "KALSHI-ACCESS-KEY"
    static let timeHeader = "KALSHI-ACCESS-TIMESTAMP"
    static let signatureHeader = "KALSHI-ACCESS-SIGNATURE"
    /// No right signature is longer (RSA of 8192 bits), in base64.
    private static let signatureMax = 1400

    let rules: SandboxSettings.Rules
    /// Signatures seen, by when they may be forgotten.
    private var seen: [String: Int64] = [:]
    private var nextSweep: Int64 = 0

    init(_ rules: SandboxSettings.Rules) { self.rules = rules }

    /// Whether a request tries to identify itself at all.
    static func isSigned(_ headers: HTTPHeaders) -> Bool {
        headers.contains(keyHeader) || headers.contains(signatureHeader) || headers.contains(timeHeader)
    }

    /// Reads who a request says it is from: all but the check of the signature itself.
    /// - Parameter now: the exchange's clock in milliseconds since 1970.
    func claim(_ head: HTTPRequestHead, _ exchange: Exchange, now: Int64) throws(APIError) -> Claim {
        let headers = head.headers
        guard let keyID = Authenticator.only(headers, Authenticator.keyHeader),
            let time = Authenticator.only(headers, Authenticator.timeHeader),
            let signature = Authenticator.only(headers, Authenticator.signatureHeader)
        else {
            throw .authentication("MISSING_AUTHENTICATION_HEADERS")
        }
        guard time.utf8.count <= 20, let stamp = Int64(time), stamp >= 0 else {
            throw APIError(
                401, "header_timestamp_expired", "the time stamp is not a number of milliseconds since 1970")
        }
        let (skew, overflowed) = stamp.subtractingReportingOverflow(now)
        guard !overflowed, skew.magnitude <= UInt64(max(rules.skewToleranceMilliseconds, 0)) else {
            throw APIError(401, "header_timestamp_expired", Authenticator.expiry(stamp, now))
        }
        guard let (_, entry) = exchange.registration(keyID) else { throw .authentication("NOT_FOUND") }
        guard signature.utf8.count <= Authenticator.signatureMax, let bytes = Base64.decode(signature) else {
            throw Claim.wrong("the signature is not base64 with padding")
        }
        return Claim(
            entry: entry, head: head, time: time, signature: bytes, text: signature)
    }

    /// Takes a claim whose signature was found genuine.
    mutating func admit(_ claim: Claim, _ exchange: Exchange, now: Int64) throws(APIError) -> Member {
        if rules.refusesReplay { try refuseReplay(claim.text, now) }
        return exchange.members[claim.entry.member]
    }

    /// Both at once, and the signature's check between them.
    mutating func check(_ head: HTTPRequestHead, _ exchange: Exchange, now: Int64) throws(APIError) -> (
        Member, KeyEntry
    ) {
        let claim = try claim(head, exchange, now: now)
        if let refusal = claim.refusal { throw refusal }
        return (try admit(claim, exchange, now: now), claim.entry)
    }

    private static func only(_ headers: HTTPHeaders, _ name: String) -> String? {
        let values = headers.all(name)
        return values.count == 1 && !values[0].isEmpty ? values[0] : nil
    }

    private static func expiry(_ stamp: Int64, _ now: Int64) -> String {
        if stamp < 100_000_000_000 {
            return "header timestamp expired: seconds were sent, milliseconds are wanted"
        }
        let seconds = (stamp - now) / 1000
        return
            "header timestamp expired: \(seconds.magnitude) s \(seconds < 0 ? "behind" : "ahead of") our clock"
    }

    private mutating func refuseReplay(_ signature: String, _ now: Int64) throws(APIError) {
        let life = 2 * rules.skewToleranceMilliseconds
        if now >= nextSweep {
            seen = seen.filter { $0.value > now }
            nextSweep = now + life
        }
        guard seen[signature] == nil else { throw wrongReplay }
        seen[signature] = now + life
    }
    private var wrongReplay: APIError {
        APIError(
            401, "authentication_error", "authentication_error: the signature was used before",
            details: "INCORRECT_API_KEY_SIGNATURE")
    }
}

/// Who a request says it is from, and what is to show it.
struct Claim: Sendable {
    let entry: KeyEntry
    let head: HTTPRequestHead
    let time: String
    let signature: [UInt8]
    /// The signature as it was sent.
    let text: String

    var key: PublicKey { entry.key }

    /// Why the signature is not good; nil for a genuine one. From any thread.
    var refusal: APIError? {
        if key.verify(signature, of: Array((time + head.method + head.path).utf8)) { return nil }
        return Claim.wrong(mistake)
    }

    static func wrong(_ hint: String?) -> APIError {
        APIError(
            401, "authentication_error", hint.map { "authentication_error: \($0)" } ?? "authentication_error",
            details: "INCORRECT_API_KEY_SIGNATURE")
    }

    /// Tries the usual mistakes, and names the one that was made.
    private var mistake: String? {
        let bare = head.path.hasPrefix("/trade-api/v2") ? String(head.path.dropFirst(13)) : head.path
        let tries: [(String, String)] = [
            (time + head.method + head.target, "the query was signed; sign the path alone"),
            (time + head.method + bare, "the path was signed without /trade-api/v2"),
            (time + head.method.lowercased() + head.path, "the method was signed in lower case"),
        ]
        return tries.first { key.verify(signature, of: Array($0.0.utf8)) }?.1
    }
}
