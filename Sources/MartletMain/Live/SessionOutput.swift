import Foundation
import MartletLive
import MartletReport

/// A session's report and result, beside its journal.
struct SessionOutput {
    let setup: SessionSetup
    let result: RunResult
    let fills: FillLog

    func write() throws(CommandError) -> [String] {
        let files: [(String, String)]
        do {
            files = [
                (setup.folder.page, ReportPage.html(result)), (setup.folder.result, try result.json()),
                (setup.folder.path + "/" + FillLog.name, fills.text),
            ]
        } catch {
            throw CommandError("the result cannot be written as JSON: \(error)")
        }
        for (path, text) in files {
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw CommandError(FileProblem.writing(path, error))
            }
        }
        return files.map(\.0)
    }
}
