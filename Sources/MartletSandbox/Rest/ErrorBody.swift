import MartletNetwork
import MartletWire

extension APIError {
    /// `{"code", "message", "details"?}`.
    var inner: JSONValue {
        .of(["code": .string(code), "message": .string(message), "details": .text(details)])
    }

    /// The body in one of the forms in which the exchange sends them (API.md §4).
    func body(nested: Bool) -> JSONValue {
        if status == 429 { return .of(["error": .string("too many requests")]) }
        if code == "missing_parameters" { return .of(["msg": .string(message)]) }
        return nested ? .of(["error": inner]) : inner
    }
}
