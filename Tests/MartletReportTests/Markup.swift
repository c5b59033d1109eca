/// A small check that a page is well-formed XML after its document type: tags nest and close, attributes are
/// quoted and not repeated, `<` and `&` stand only where they may, ids are unique.
enum Markup {
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    /// Returns the names of all elements in order, or throws the first problem.
    @discardableResult
    static func check(_ text: String) throws -> [String] {
        var parser = Parser(bytes: Array(text.utf8))
        return try parser.run()
    }

    private struct Parser {
        let bytes: [UInt8]
        var at = 0
        var open: [String] = []
        var names: [String] = []
        var ids: Set<String> = []

        init(bytes: [UInt8]) { self.bytes = bytes }

        func fail(_ text: String) -> Problem {
            let from = max(0, at - 80)
            let near = String(decoding: bytes[from..<min(bytes.count, at + 40)], as: UTF8.self)
            return Problem(description: "\(text) at \(at), near \(near)")
        }
        func has(_ text: String) -> Bool { bytes[at...].starts(with: text.utf8) }
        mutating func skip(past text: String) throws {
            while at < bytes.count, !has(text) { at += 1 }
            guard at < bytes.count else { throw fail("no \(text)") }
            at += text.utf8.count
        }

        mutating func run() throws -> [String] {
            while at < bytes.count {
                switch bytes[at] {
                case UInt8(ascii: "<"):
                    if has("<!DOCTYPE") {
                        try skip(past: ">")
                    } else if has("<![CDATA[") {
                        try skip(past: "]]>")
                    } else if has("</") {
                        at += 2
                        let name = name()
                        guard open.popLast() == name else { throw fail("unexpected </\(name)>") }
                        guard has(">") else { throw fail("no > after </\(name)") }
                        at += 1
                    } else {
                        try element()
                    }
                case UInt8(ascii: "&"): try entity()
                case 0..<9, 11, 12, 14..<32: throw fail("control character")
                default: at += 1
                }
            }
            guard open.isEmpty else { throw fail("not closed: \(open)") }
            return names
        }

        mutating func name() -> String {
            let from = at
            while at < bytes.count, !" \n\t=/>".utf8.contains(bytes[at]) { at += 1 }
            return String(decoding: bytes[from..<at], as: UTF8.self)
        }

        mutating func entity() throws {
            for known in ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"] where has(known) {
                at += known.utf8.count
                return
            }
            throw fail("a bare &")
        }

        mutating func element() throws {
            at += 1
            let tag = name()
            guard let first = tag.first, first.isLetter else { throw fail("a bare <") }
            names.append(tag)
            var seen: Set<String> = []
            while true {
                while at < bytes.count, " \n\t".utf8.contains(bytes[at]) { at += 1 }
                if has("/>") {
                    at += 2
                    return
                }
                if has(">") {
                    at += 1
                    open.append(tag)
                    return
                }
                let attribute = name()
                guard !attribute.isEmpty, seen.insert(attribute).inserted else {
                    throw fail("attribute '\(attribute)' of \(tag)")
                }
                guard has("=\"") else { throw fail("attribute \(attribute) is not quoted") }
                at += 2
                let from = at
                while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
                    if bytes[at] == UInt8(ascii: "<") { throw fail("< in an attribute") }
                    if bytes[at] == UInt8(ascii: "&") { try entity() } else { at += 1 }
                }
                let value = String(decoding: bytes[from..<at], as: UTF8.self)
                if attribute == "id", !ids.insert(value).inserted { throw fail("id \(value) twice") }
                at += 1
            }
        }
    }
}
