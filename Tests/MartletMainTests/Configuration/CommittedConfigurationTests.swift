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
                #expect(text.contains("| `\(key)` | \(help) |"), "\(key)")
            }
        }
        for code in ExitCode.allCases { #expect(text.contains("| \(code.rawValue) | \(code.meaning) |")) }
    }
}
