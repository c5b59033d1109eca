import Foundation
import Martlet
import MartletEngine

/// Makes a tape of recordings.
///
///     let report = try Importer(options: options).run(["day.jsonl.gz"], to: "day.tape")
///     guard report.isUsable else { … }
///
/// Takes files, folders (with what is below them) and `-` for standard input. Several recordings become one tape,
/// merged by receive time. The tape appears only when something of use was imported and nothing failed.
public struct Importer: Sendable {
    public var options: ImportOptions
    public init(options: ImportOptions = ImportOptions()) { self.options = options }

    public func run(_ inputs: [String], to output: String) throws(ImportError) -> ImportReport {
        let recordings = try Recording.find(inputs)
        guard !recordings.isEmpty else {
            throw ImportError(.nothingToImport, file: inputs.joined(separator: ", "))
        }
        guard recordings.count > 1 else {
            return try importOne(recordings[0], to: output, ImportContext(), sync: true)
        }
        return try importAll(recordings, to: output)
    }

    // MARK: - One recording

    /// Straight to its tape.
    private func importOne(
        _ recording: Recording, to output: String, _ context: ImportContext, sync: Bool
    ) throws(ImportError) -> ImportReport {
        let writer = try wrap(output) { () throws(TapeError) in try TapeWriter(path: output) }
        let assembler = TapeAssembler(writer: writer, options: options, context: context)
        assembler.note(.source, recording.path)
        assembler.note(.convention, "use_yes_price: \(options.usesYesPrice)")
        try read(recording, assembler)
        try wrap(output) { () throws(TapeError) in
            try assembler.finish()
            if assembler.report.isUsable { try writer.finish(sync: sync) }
        }
        return assembler.report
    }

    private func wrap<T>(_ file: String, _ body: () throws(TapeError) -> T) throws(ImportError) -> T {
        do throws(TapeError) {
            return try body()
        } catch {
            throw ImportError(.tape(error), file: file)
        }
    }

    private func read(_ recording: Recording, _ assembler: TapeAssembler) throws(ImportError) {
        assembler.report.files.append(recording.path)
        switch recording.kind {
        case .parts(let paths):
            assembler.report.formats.append(.parts)
            try PartsImport(assembler).read(paths)
        case .file:
            let source = try ByteSource.open(recording.path)
            let start = try source.peek(64 << 10)
            guard let format = options.format ?? RecordingFormat.detect(start) else {
                throw ImportError(.unknownFormat, file: source.name)
            }
            assembler.report.formats.append(format)
            try read(source, as: format, assembler)
        }
    }

    private func read(
        _ source: ByteSource, as format: RecordingFormat, _ assembler: TapeAssembler
    ) throws(ImportError) {
        let rest = RestImport(assembler: assembler, context: assembler.context, source: source)
        switch format {
        case .frames:
            var frames = FrameImport(assembler)
            try frames.read(source)
        case .parts:
            let parts = PartsImport(assembler)
            try parts.read(source)
            try parts.run()
        case .tradesCSV: try TradesCSV.read(source, assembler)
        case .books: try rest.books()
        case .restLog: try rest.log()
        case .rest2024: try rest.documents2024()
        case .settlements: try rest.settlements()
        case .definitions: try rest.definitions()
        case .martletJSON: try ExportedImport(assembler, source).json()
        case .martletCSV: try ExportedImport(assembler, source).csv()
        }
    }

    // MARK: - Several

    /// Each to a tape of its own beside the output, then merged. A file that is no recording is named and left out.
    private func importAll(_ recordings: [Recording], to output: String) throws(ImportError) -> ImportReport {
        let folder = "\(output).parts-\(getpid())"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        } catch {
            throw ImportError(.unreadable("the folder for the parts cannot be made: \(error)"), file: folder)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let context = ImportContext()
        var total = ImportReport()
        var tapes: [String] = []
        for recording in try definitionsFirst(recordings) {
            let path = "\(folder)/\(tapes.count)"
            let report: ImportReport
            do throws(ImportError) {
                report = try importOne(recording, to: path, context, sync: false)
            } catch {
                guard error.problem == .unknownFormat else { throw error }
                total.skip("a file that is no recording")
                options.onRemark?(
                    ImportRemark(file: recording.path, line: 0, isSkipped: true, reason: "no recording"))
                continue
            }
            if report.isUsable { tapes.append(path) }
            total.add(report)
        }
        guard total.isUsable else { return total }
        let written = try wrap(output) { () throws(TapeError) in try TapeMerger.merge(tapes, to: output) }
        (total.records, total.first, total.last) = (Int(written.records), written.first, written.last)
        return total
    }

    /// Files that define markets before those that only name them; each kind in the order of its names.
    private func definitionsFirst(_ recordings: [Recording]) throws(ImportError) -> [Recording] {
        var defining: [Recording] = []
        var others: [Recording] = []
        for recording in recordings {
            var format = options.format
            if format == nil, recording.kind == .file, recording.path != "-" {
                let source = try ByteSource.open(recording.path)
                let start = try source.peek(64 << 10)
                // The bytes lie in the source's buffer.
                format = withExtendedLifetime(source) { RecordingFormat.detect(start) }
            }
            if format == .definitions || format == .rest2024 {
                defining.append(recording)
            } else {
                others.append(recording)
            }
        }
        return defining + others
    }
}
