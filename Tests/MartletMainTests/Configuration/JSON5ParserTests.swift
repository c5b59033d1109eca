import Testing

@testable import MartletMain

@Suite struct JSON5ParserTests {
    @Test(arguments: [
        ("{}", "{}"), (" [ 1 , 2 , ] ", "[1,2]"),
        ("{a: 1, 'b': 'x', \"c\": null,}", #"{"a":1,"b":"x","c":null}"#),
        ("// c\n{ /* d */ a: true } // e", #"{"a":true}"#), ("0x1F", "31"), (".5", "0.5"), ("5.", "5"),
        ("+1", "1"), ("-0x10", "-16"), ("1e3", "1e3"), ("0.10", "0.10"),
        (#""a\nb\u00e9\x41""#, "\"a\\nbéA\""),
        ("'it\\'s'", "\"it's\""), ("\u{FEFF}1", "1"), ("\"line\\\nbreak\"", "\"linebreak\""),
    ])
    func accepts(text: String, json: String) throws {
        #expect(try JSON5Parser.parse(text).json == json)
    }

    @Test(arguments: [
        ("", 1, 1, "the text ends where a value should stand"),
        ("{a: 1", 1, 6, "the '{' of line 1 is never closed"),
        ("{\n  a: [1, 2\n}", 3, 1, "a ',' or ']' is missing before '}'"),
        ("{a 1}", 1, 4, "a ':' is missing after key 'a'"),
        ("{a: spread-maker}", 1, 5, "'spread' is no value; a text needs quotes: \"spread\""),
        ("{\n  a: 1,\n  a: 2\n}", 3, 3, "key 'a' stands twice, first in line 2"),
        ("{a: 1} x", 1, 8, "unexpected 'x' after the end of the value"),
        ("{a: \"x\n\"}", 1, 5, "this text is never closed"),
        ("/* x", 1, 1, "this comment is never closed"),
        ("1.2.3", 1, 1, "'1.2.3' is no number"), ("01", 1, 1, "'01' is no number"),
        ("-", 1, 1, "'-' is no number"),
        ("Infinity", 1, 1, "'Infinity' is no value; a text needs quotes: \"Infinity\""),
        ("[,]", 1, 2, "unexpected ',' where a value should stand"),
        (#""\u12""#, 1, 4, "4 hexadecimal digits are missing"),
    ])
    func refuses(text: String, line: Int, column: Int, message: String) {
        #expect(throws: JSON5Parser.Problem(line: line, column: column, message: message)) {
            try JSON5Parser.parse(text)
        }
    }

    @Test func nestingIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSON5Parser.Problem.self) { try JSON5Parser.parse(deep) }
    }

    /// No text, however broken, may trap: cut and altered pieces of a real configuration.
    @Test func survivesAnyText() throws {
        var state: UInt64 = 20_261_123
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        let source = Array(
            "{a: [1, 2.5e3, 'x\\u0041', \"y\"], // c\n b: {c: null, d: true}, /* e */ f: -0x1F}"
                .unicodeScalars)
        let noise = Array("{}[]:,'\"\\/*\n0eE.-+xuNa\u{0}\u{FEFF}é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = source
            for _ in 0..<(next() % 4 + 1) {
                let place = next() % max(1, text.count)
                switch next() % 3 {
                case 0: text.removeSubrange(place...)
                case 1: text.insert(noise[next() % noise.count], at: place)
                default: if !text.isEmpty { text[place] = noise[next() % noise.count] }
                }
            }
            var string = String.UnicodeScalarView()
            string.append(contentsOf: text)
            _ = try? JSON5Parser.parse(String(string))
        }
    }
}
