import Foundation
import Testing

@testable import MartletWire

@Suite struct JSONParserTests {
    @Test(.enabled(if: !RecordedData.isMissing, "set MARTLET_DATA"))
    func theWholeJSONTestSuite() throws {
        var counts: [Character: Int] = [:]
        for file in try RecordedData.files("jsontestsuite/test_parsing") {
            let kind = try #require(file.lastPathComponent.first)
            let bytes = [UInt8](try Data(contentsOf: file))
            let isAccepted = (try? JSONParser.parse(bytes)) != nil
            if kind == "y" { #expect(isAccepted, "\(file.lastPathComponent)") }
            if kind == "n" { #expect(!isAccepted, "\(file.lastPathComponent)") }
            counts[kind, default: 0] += 1
        }
        #expect(counts == ["y": 95, "n": 188, "i": 35])
    }

    @Test func deepNestingIsRefusedNotFatal() {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONParser.parse(deep) }
        let allowed = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        #expect((try? JSONParser.parse(allowed)) != nil)
    }

    @Test func errorsSayWhere() {
        #expect(throws: JSONError(problem: "',' or '}' expected", offset: 13, line: 2, column: 8)) {
            try JSONParser.parse("{\"a\":\n \"b\"   1}")
        }
    }

    @Test func textAndValueRoundTrip() throws {
        let text = #"{"a":[1,2.50,-0e3,true,null],"b":"q\"\\\n\u0001é😀","a":{}}"#
        let value = try JSONParser.parse(text)
        #expect(JSONWriter.text(value) == text)
        #expect(try JSONParser.parse(JSONWriter.text(value, pretty: true)) == value)
        #expect(value["b"]?.string == "q\"\\\n\u{1}é😀")
        #expect(value["a"] == .object([]))
        #expect(try JSONParser.parse(#""\ud83d\ude00""#) == .string("😀"))
    }
}
