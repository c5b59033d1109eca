import Martlet

/// Reads the members of a JSON object by name and kind, exactly, for the messages that are not hot.
///
/// Every numeric member may be a JSON number or a decimal string: the exchange sends both. An absent or null member
/// is nil, never a default (FIELD-NOTES 18); a present one of the wrong kind is an error that names it.
package struct FieldReader {
    package let value: JSONValue
    /// What is being read, for errors.
    package let message: String

    package init(_ value: JSONValue?, _ message: String) throws(WireError) {
        guard let value else { throw .missing(field: message, message: message) }
        guard value.object != nil else { throw FieldReader.invalid(message, value, "not an object") }
        self.value = value
        self.message = message
    }

    package static func invalid(_ field: String, _ value: JSONValue, _ problem: String) -> WireError {
        .invalid(field: field, value: String(JSONWriter.text(value).prefix(60)), problem: problem)
    }

    package func member(_ name: String) -> JSONValue? {
        guard let found = value[name], !found.isNull else { return nil }
        return found
    }

    /// The value, or an error that it is missing.
    package func required<T>(_ read: T?, _ name: String) throws(WireError) -> T {
        guard let read else { throw .missing(field: name, message: message) }
        return read
    }

    // MARK: Numbers

    package func fixed(_ name: String, _ decimals: Int) throws(WireError) -> Int64? {
        guard let found = member(name) else { return nil }
        return try FieldReader.fixed(found, decimals, name)
    }
    package static func fixed(_ value: JSONValue, _ decimals: Int, _ name: String) throws(WireError) -> Int64
    {
        guard let text = value.decimalText else { throw invalid(name, value, "not a number") }
        do {
            return try FixedPoint.parse(text.utf8, decimals: decimals)
        } catch {
            throw .invalid(field: name, value: String(text.prefix(40)), problem: "\(error)")
        }
    }
    package func price(_ name: String) throws(WireError) -> Price? {
        guard let micros = try fixed(name, 6) else { return nil }
        guard let narrow = Int32(exactly: micros) else {
            throw .invalid(field: name, value: "\(micros)", problem: "not a price")
        }
        return Price(micros: narrow)
    }
    /// A price of a contract: 0 to 1 dollar.
    package func contractPrice(_ name: String) throws(WireError) -> Price? {
        guard let price = try price(name) else { return nil }
        guard price >= .zero, price <= .one else {
            throw .invalid(field: name, value: "\(price)", problem: "not between 0 and 1")
        }
        return price
    }
    package func quantity(_ name: String) throws(WireError) -> Quantity? {
        try fixed(name, 2).map { Quantity(hundredths: $0) }
    }
    package func money(_ name: String) throws(WireError) -> Money? {
        try fixed(name, 8).map { Money(raw: $0) }
    }
    package func int64(_ name: String) throws(WireError) -> Int64? { try fixed(name, 0) }
    package func int(_ name: String) throws(WireError) -> Int? { try int64(name).map { Int($0) } }

    // MARK: Words and lists

    package func bool(_ name: String) throws(WireError) -> Bool? {
        guard let found = member(name) else { return nil }
        guard let flag = found.bool else { throw FieldReader.invalid(name, found, "neither true nor false") }
        return flag
    }
    package func string(_ name: String) throws(WireError) -> String? {
        guard let found = member(name) else { return nil }
        guard let text = found.string else { throw FieldReader.invalid(name, found, "not a string") }
        return text
    }
    /// A string that must be there and say something.
    package func name(_ name: String) throws(WireError) -> String {
        let text = try required(try string(name), name)
        guard !text.isEmpty else { throw .invalid(field: name, value: "", problem: "empty") }
        return text
    }
    package func strings(_ name: String) throws(WireError) -> [String]? {
        guard let found = member(name) else { return nil }
        let texts = found.array?.compactMap(\.string)
        guard let texts, texts.count == found.array?.count else {
            throw FieldReader.invalid(name, found, "not a list of strings")
        }
        return texts
    }
    /// Each element of a list, read; an absent or null list is empty.
    package func list<T>(_ name: String, _ read: (JSONValue) throws(WireError) -> T) throws(WireError) -> [T]
    {
        guard let found = member(name) else { return [] }
        guard let elements = found.array else { throw FieldReader.invalid(name, found, "not a list") }
        var result: [T] = []
        result.reserveCapacity(elements.count)
        for element in elements { result.append(try read(element)) }
        return result
    }

    // MARK: Times

    package func milliseconds(_ name: String) throws(WireError) -> Timestamp? { try scaled(name, 1_000_000) }
    /// RFC 3339 text, or unix seconds where a number stands. An empty text is no time.
    package func time(_ name: String) throws(WireError) -> Timestamp? {
        guard let found = member(name) else { return nil }
        guard let text = found.string else { return try scaled(name, 1_000_000_000) }
        if text.isEmpty { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw FieldReader.invalid(name, found, "not a time")
        }
        return time
    }
    private func scaled(_ name: String, _ factor: Int64) throws(WireError) -> Timestamp? {
        guard let number = try int64(name) else { return nil }
        let (nanoseconds, overflowed) = number.multipliedReportingOverflow(by: factor)
        guard !overflowed else { throw .invalid(field: name, value: "\(number)", problem: "not a time") }
        return Timestamp(nanoseconds: nanoseconds)
    }
    /// The finer of a millisecond and a text member of one moment where both name the same millisecond, else the
    /// milliseconds; `.unknown` where neither stands.
    package func bestTime(_ millisecondsName: String, _ textName: String) throws(WireError) -> Timestamp {
        let fine = try time(textName)
        guard let coarse = try milliseconds(millisecondsName) else { return fine ?? .unknown }
        if let fine, fine.milliseconds == coarse.milliseconds { return fine }
        return coarse
    }

    // MARK: Direction

    /// The order's or taker's side in YES terms, from `book_side` and `outcome_side`, which must agree; the older
    /// fields mean different things in different messages and are not read (FIELD-NOTES 17, 32).
    package func side(_ bookName: String = "book_side", _ outcomeName: String = "outcome_side")
        throws(WireError)
        -> Side
    {
        let book = try word(bookName, "bid", "ask")
        let outcome = try word(outcomeName, "yes", "no")
        if let book, let outcome, book != outcome {
            throw .contradiction(
                field: bookName, value: book.description, other: outcomeName,
                otherValue: outcome == .bid ? "yes" : "no")
        }
        return try required(book ?? outcome, bookName)
    }
    private func word(_ name: String, _ bid: String, _ ask: String) throws(WireError) -> Side? {
        guard let text = try string(name), !text.isEmpty else { return nil }
        if text == bid { return .bid }
        if text == ask { return .ask }
        throw .invalid(field: name, value: String(text.prefix(40)), problem: "neither \(bid) nor \(ask)")
    }
    /// The YES price from either side's member; both must add up to a dollar.
    package func yesPrice() throws(WireError) -> Price {
        let yes = try contractPrice("yes_price_dollars")
        let no = try contractPrice("no_price_dollars")
        if let yes, let no, no != yes.complement {
            throw .contradiction(
                field: "yes_price_dollars", value: "\(yes)", other: "no_price_dollars", otherValue: "\(no)")
        }
        return try required(yes ?? no?.complement, "yes_price_dollars")
    }
}

extension Side {
    /// The side in YES terms of an order in the exchange's older vocabulary: buy YES and sell NO are bids, buy NO and
    /// sell YES are asks (API.md §5). For orders only: fills use the words differently. Nil for other words.
    public init?(legacyAction action: String, side: String) {
        switch (action, side) {
        case ("buy", "yes"), ("sell", "no"): self = .bid
        case ("buy", "no"), ("sell", "yes"): self = .ask
        default: return nil
        }
    }
}
