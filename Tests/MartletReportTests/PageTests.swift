import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletReport

@Suite struct PageTests {
    /// Writes the page to a temporary folder, or to MARTLET_REPORT_OUT to be looked at.
    private func write(_ html: String, _ name: String) throws -> URL {
        let folder =
            ProcessInfo.processInfo.environment["MARTLET_REPORT_OUT"].map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("martlet-report-tests")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(name + ".html")
        try Data(html.utf8).write(to: file)
        return file
    }

    @Test func aDayBecomesAWellFormedPageOfBoundedSize() throws {
        var day = SyntheticRun(seed: 7)
        let result = day.run()
        let html = ReportPage.html(result)
        let file = try write(html, "day")
        let size = try Data(contentsOf: file).count
        #expect(size > 50_000 && size < 600_000, "\(size) bytes")
        try Markup.check(html)
    }
}
