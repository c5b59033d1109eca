import Foundation
import Testing

@testable import MartletMain

@Suite struct CommittedConfigurationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The README's tables say what the program says.
    @Test func theREADMEExplainsEveryKeyAndExitCode() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        for section in ConfigurationHelp.sections {
            for (key, help) in section.rows {
                let row = "| `\(key)` | \(help) |"
                let isThere = text.contains(row)
                #expect(isThere, "README.md lacks the line \(row)")
            }
        }
        for code in ExitCode.allCases {
            let isThere = text.contains("| \(code.rawValue) | \(code.meaning) |")
            #expect(isThere, "README.md lacks exit code \(code.rawValue)")
        }
    }
}
