import Martlet
import MartletWire

// Members that an entity cannot do without, and entities inside others.
extension FieldReader {
    func needQuantity(_ name: String) throws(WireError) -> Quantity { try required(try quantity(name), name) }
    func needMoney(_ name: String) throws(WireError) -> Money { try required(try money(name), name) }
    func needBool(_ name: String) throws(WireError) -> Bool { try required(try bool(name), name) }
    func needInt(_ name: String) throws(WireError) -> Int { try required(try int(name), name) }
    func needTime(_ name: String) throws(WireError) -> Timestamp { try required(try time(name), name) }
    func optionalTime(_ name: String) throws(WireError) -> Timestamp { try time(name) ?? .unknown }

    /// The first of two names that stands: the exchange names some things differently from place to place.
    func either(_ first: String, _ second: String) -> String { member(first) != nil ? first : second }

    /// Money in a unit of its own: cents and centicents are 10^-2 and 10^-4 dollars, `raw` 10^-8.
    func cents(_ name: String) throws(WireError) -> Money? { try money(name, raw: 1_000_000) }
    func centicents(_ name: String) throws(WireError) -> Money? { try money(name, raw: 10_000) }
    private func money(_ name: String, raw: Int64) throws(WireError) -> Money? {
        guard let count = try int64(name) else { return nil }
        let (product, overflowed) = count.multipliedReportingOverflow(by: raw)
        guard !overflowed else { throw .invalid(field: name, value: "\(count)", problem: "not an amount") }
        return Money(raw: product)
    }

    /// The entities of a list.
    func entities<T>(_ name: String, _ read: (FieldReader) throws(WireError) -> T) throws(WireError) -> [T] {
        try list(name) { (value) throws(WireError) in try read(try FieldReader(value, name)) }
    }
    /// An entity under a name of its own.
    func entity<T>(_ name: String, _ read: (FieldReader) throws(WireError) -> T) throws(WireError) -> T {
        try read(try FieldReader(member(name), name))
    }
}

extension RestCall {
    /// A call whose answer is one object.
    init(
        object request: RestRequest, _ read: @escaping @Sendable (FieldReader) throws(WireError) -> Response
    ) {
        self.init(request) { (value) throws(WireError) in try read(try FieldReader(value, request.path)) }
    }
}

extension RestCall where Response == Void {
    /// A call whose answer says nothing beyond its status.
    init(accepted request: RestRequest) {
        self.init(request) { (_) throws(WireError) in }
    }
}
