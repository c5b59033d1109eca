import Martlet
import MartletNetwork
import MartletWire

// A member's keys (API.md §2): those of the command line may do everything, others are made here.
extension API {
    static var keyRoutes: [Route] {
        [
            route("GET", "api_keys", .member, .read(10), API.keys),
            route("POST", "api_keys", .member, .read(10), API.registerKey),
            route("POST", "api_keys/generate", .member, .read(10), API.generateKey),
            route("DELETE", "api_keys/:id", .member, .read(10), API.deleteKey),
        ]
    }
    private static let keysMax = 100

    private func keys(_ request: APIRequest) throws(APIError) -> APIResponse {
        let rows = exchange.keys(of: try request.owner()).map { id, entry -> JSONValue in
            .of([
                "api_key_id": .string(id), "name": .string(entry.name),
                "scopes": .array(entry.scopes.map { .string($0.rawValue) }),
                "subaccount": entry.subaccount.map { .integer($0) },
            ])
        }
        return .ok(.of(["api_keys": .array(rows)]))
    }

    /// An entry as the body describes it.
    private func entry(_ reader: BodyReader, _ member: Member, _ key: PublicKey) throws(APIError) -> KeyEntry
    {
        var entry = KeyEntry(member: member.index, key: key, name: try reader.required("name"))
        if let list = reader.value["scopes"], !list.isNull {
            guard let texts = list.array, !texts.isEmpty else {
                throw .badRequest("scopes must be a list of at least one")
            }
            entry.scopes = []
            for text in texts {
                guard let scope = text.string.flatMap(KeyScope.init(rawValue:)) else {
                    let all = KeyScope.allCases.map(\.rawValue)
                    throw .badRequest("scopes must be of \(all.joined(separator: ", "))")
                }
                if !entry.scopes.contains(scope) { entry.scopes.append(scope) }
            }
            guard !entry.scopes.contains(.write) || entry.scopes.contains(.read) else {
                throw .badRequest("the scope write needs read too")
            }
        }
        entry.subaccount = try reader.subaccount()
        if let number = entry.subaccount { _ = try need(member, number) }
        guard exchange.keys(of: member).count < API.keysMax else {
            throw APIError(400, "too_many_api_keys", "too many API keys")
        }
        return entry
    }

    private func registerKey(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let text = try reader.required("public_key")
        guard let key = try? PublicKey(pem: Array(text.utf8)), key.algorithm != .ecdsaP256 else {
            throw .badRequest("public_key must be PEM text of an RSA or Ed25519 key")
        }
        let id = exchange.register(try entry(reader, member, key))
        return APIResponse(status: 201, body: .of(["api_key_id": .string(id)]))
    }

    private func generateKey(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let type = try reader.text("key_type") ?? "rsa"
        guard let algorithm = KeyAlgorithm(rawValue: type), algorithm != .ecdsaP256 else {
            throw .badRequest("key_type is '\(type.prefix(40))'; one of rsa, ed25519")
        }
        guard let key = try? PrivateKey.generate(algorithm), let general = try? key.pem() else {
            throw .unavailable
        }
        let id = exchange.register(try entry(reader, member, key.publicKey))
        let text = algorithm == .rsa ? API.bareRSA(general) ?? general : general
        return APIResponse(
            status: 201,
            body: .of([
                "api_key_id": .string(id), "key_type": .string(type), "private_key": .string(text),
            ]))
    }

    /// PKCS#1 text, as the exchange gives RSA keys, of PKCS#8 text; nil for what is none of RSA's.
    private static func bareRSA(_ general: String) -> String? {
        let lines = general.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-") }
        // SEQUENCE, version, rsaEncryption, then an OCTET STRING of more than 255 bytes that holds the key.
        let head = 26
        guard let whole = Base64.decode(lines.joined()), whole.count > head, whole[22] == 0x04,
            whole[23] == 0x82
        else { return nil }
        var rest = Base64.encode(Array(whole[head...]))[...]
        var text = "-----BEGIN RSA PRIVATE KEY-----\n"
        while !rest.isEmpty {
            text += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END RSA PRIVATE KEY-----\n"
    }

    private func deleteKey(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard exchange.removeKey(request.parameters[0], of: try request.owner()) else { throw .notFound }
        return APIResponse(status: 204)
    }
}
