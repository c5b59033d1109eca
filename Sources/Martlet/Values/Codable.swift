// In configurations, parameters and JSON output the values are plain numbers in their everyday unit: dollars,
// contracts, seconds. Decoding accepts a number or a decimal string; the number's shortest decimal text is what
// counts, so 0.07 is exactly seven cents.

import Foundation

private func decimalText(_ decoder: any Decoder) throws -> String {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) { return text }
    if let whole = try? container.decode(Int64.self) { return String(whole) }
    // Foundation's JSON decoder has exact decimals; other decoders may have floating point alone.
    if let exact = try? container.decode(Decimal.self) { return exact.description }
    let number = try container.decode(Double.self)
    let text = "\(number)"
    guard number.isFinite, !text.contains("e") else {
        throw DecodingError.dataCorruptedError(
            in: container, debugDescription: "'\(text)' is not a plain decimal")
    }
    return text
}

private func parse<T>(_ decoder: any Decoder, _ make: (String) throws -> T) throws -> T {
    let text = try decimalText(decoder)
    do {
        return try make(text)
    } catch {
        throw DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath, debugDescription: "\(error)", underlyingError: error))
    }
}

extension Price: Codable {
    public init(from decoder: any Decoder) throws { self = try parse(decoder) { try Price(parsing: $0) } }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dollars)
    }
}

extension Quantity: Codable {
    public init(from decoder: any Decoder) throws { self = try parse(decoder) { try Quantity(parsing: $0) } }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(contracts)
    }
}

extension Money: Codable {
    public init(from decoder: any Decoder) throws { self = try parse(decoder) { try Money(parsing: $0) } }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dollars)
    }
}

extension TimeSpan: Codable {
    public init(from decoder: any Decoder) throws {
        self = try parse(decoder) { TimeSpan(nanoseconds: try FixedPoint.parse($0.utf8, decimals: 9)) }
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = text == "unknown" ? .unknown : Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not a time of the form 2026-05-11T12:17:32Z")
        }
        self = time
    }
    /// RFC 3339 text in UTC.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
