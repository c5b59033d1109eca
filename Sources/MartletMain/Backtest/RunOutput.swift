import Foundation
import Martlet
import MartletReport

/// Puts a run's result where people, browsers and machines find it.
struct RunOutput {
    let plan: BacktestPlan
    let result: RunResult
    var fills: FillLog?

    /// The files written, by path.
    func writeFiles() throws(CommandError) -> [String] {
        guard plan.configuration.report else { return [] }
        let folder = plan.outFolder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandError(FileProblem.writing(folder, error) + "; choose another folder with --out")
        }
        let files: [(String, String)]
        do {
            files =
                [("report.html", ReportPage.html(result)), ("result.json", try result.json())]
                + (fills.map { [(FillLog.name, $0.text)] } ?? [])
        } catch {
            throw CommandError("the result cannot be written as JSON: \(error)")
        }
        var written: [String] = []
        for (name, text) in files {
            let path = "\(folder)/\(name)"
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw CommandError(FileProblem.writing(path, error) + "; choose another folder with --out")
            }
            written.append(path)
        }
        return written
    }

    /// The summary, or the result as one line of JSON.
    func print(_ invocation: Invocation, _ terminal: Terminal, files: [String]) throws {
        if invocation.isJSON {
            try terminal.write(try result.json(timing: true, isPretty: false))
            return
        }
        try terminal.write(SummaryText.text(result, columns: terminal.outputColumns))
        if let report = files.first { terminal.note("report: \(report)") }
    }
}
