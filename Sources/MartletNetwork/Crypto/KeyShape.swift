/// What the DER contents of a key's block are, by their own structure.
enum KeyShape: Equatable {
    /// PKCS#8 (RFC 5958): a key of any kind that names its algorithm.
    case general
    /// PKCS#8 under a pass phrase.
    case encrypted
    /// PKCS#1 (RFC 8017, appendix A.1.2): RSA's nine numbers.
    case rsa
    /// SEC 1 (RFC 5915): an elliptic curve's key.
    case elliptic

    /// Nil for what is no private key, is cut or has something behind its end.
    init?(_ der: [UInt8]) {
        var outer = DERReader(der[...])
        guard let whole = outer.next(), whole.tag == .sequence, outer.isAtEnd else { return nil }
        var reader = DERReader(whole.contents)
        var elements: [DERReader.Element] = []
        while !reader.isAtEnd {
            // More parts than any key has.
            guard elements.count < 16, let element = reader.next() else { return nil }
            elements.append(element)
        }
        switch elements.prefix(3).map(\.tag) {
        case [.integer, .sequence, .octets]: self = .general
        case [.integer, .integer, .integer]:
            // With more than two primes a sequence follows, which no exchange's key has.
            guard elements.count == 9, elements.allSatisfy({ $0.tag == .integer && !$0.contents.isEmpty })
            else {
                return nil
            }
            self = .rsa
        case [.sequence, .octets]: self = .encrypted
        case let tags where tags.prefix(2) == [.integer, .octets]: self = .elliptic
        default: return nil
        }
    }
}

/// Steps through DER (X.690): definite lengths in their shortest form only.
struct DERReader {
    enum Tag: UInt8 {
        case integer = 0x02
        case octets = 0x04
        case sequence = 0x30
        case other = 0
    }

    struct Element {
        let tag: Tag
        let contents: ArraySlice<UInt8>
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next element; nil where it is not whole or no DER.
    mutating func next() -> Element? {
        guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            // Four bytes of length are more than any file that is read.
            let digits = Int(first & 0x7f)
            guard (1...4).contains(digits), rest.count >= digits, rest.first != 0 else { return nil }
            length = rest.prefix(digits).reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { return nil }
            rest = rest.dropFirst(digits)
        }
        guard length <= rest.count else { return nil }
        let contents = rest.prefix(length)
        rest = rest.dropFirst(length)
        return Element(tag: Tag(rawValue: tag) ?? .other, contents: contents)
    }
}
