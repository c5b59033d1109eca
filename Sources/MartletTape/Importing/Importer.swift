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

    public func run(
        _ inputs: [String], to output: String, observer: ImportObserver = ImportObserver()
    ) throws(ImportError) -> ImportReport {
        let recordings = try Recording.find(inputs)
        guard !recordings.isEmpty else {
            throw ImportError(.nothingToImport, file: inputs.joined(separator: ", "))
        }
        let job = ImportJob(options: options, observer: observer, recordings: recordings)
        guard recordings.count > 1 else {
            var report = try job.importOne(recordings[0], to: output)
            if report.isTimeAssumed {
                report.assume("a recording without any time: placed at \(options.assumedTime)")
            }
            return report
        }
        return try job.importAll(recordings, to: output)
    }
}

/// One run of an importer.
private struct ImportJob {
    let options: ImportOptions
    let observer: ImportObserver
    let meter: ImportMeter
    let context = ImportContext()

    init(options: ImportOptions, observer: ImportObserver, recordings: [Recording]) {
        self.options = options
        self.observer = observer
        var total: Int? = 0
        for path in recordings.flatMap(\.paths) {
            guard let bytes = ByteSource.textBytes(path) else {
                total = nil
                break
            }
            total = total.map { $0 + bytes }
        }
        meter = ImportMeter(observer, totalBytes: total)
    }

    // MARK: - One recording

    /// Straight to its tape; `isPart` of a longer one.
    func importOne(
        _ recording: Recording, to output: String, isPart: Bool = false
    ) throws(ImportError) -> ImportReport {
        let writer = try wrap(output) { () throws(TapeError) in try TapeWriter(path: output) }
        let assembler = TapeAssembler(
            writer: writer, options: options, context: context, onRemark: observer.onRemark)
        try read(recording, assembler)
        try wrap(output) { () throws(TapeError) in
            try assembler.finish()
            if assembler.report.isUsable { try writer.finish(sync: !isPart) }
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
            begin(recording, .parts, assembler)
            try PartsImport(assembler).read(paths, meter)
        case .file:
            let source = try ByteSource.open(recording.path, meter)
            let start = try source.peek(64 << 10)
            guard !start.isEmpty else { throw ImportError(.nothingToImport, file: source.name) }
            guard let format = options.format ?? RecordingFormat.detect(start) else {
                throw ImportError(.unknownFormat, file: source.name)
            }
            begin(recording, format, assembler)
            try read(source, as: format, assembler)
        }
    }

    private func begin(_ recording: Recording, _ format: RecordingFormat, _ assembler: TapeAssembler) {
        assembler.report.formats.append(format)
        // An exported tape has its own notes, and is to come back as it was.
        guard format != .martletJSON, format != .martletCSV else { return }
        assembler.note(.source, recording.name)
        if format == .frames || format == .parts {
            assembler.note(.convention, "use_yes_price: \(options.usesYesPrice)")
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

    /// Each to a tape of its own beside the output, then merged. A file that is no recording is named and left out,
    /// and so is a recording of books that another one has already: changes applied twice make no book.
    func importAll(_ recordings: [Recording], to output: String) throws(ImportError) -> ImportReport {
        let folder = "\(output).parts-\(getpid())"
        guard mkdir(folder, 0o755) == 0 else {
            throw ImportError(.tape(.system("create", folder)), file: folder)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var total = ImportReport()
        var parts: [(tape: String, report: ImportReport)] = []
        for recording in try definitionsFirst(recordings) {
            let path = "\(folder)/\(parts.count)"
            let report: ImportReport
            do throws(ImportError) {
                report = try importOne(recording, to: path, isPart: true)
            } catch {
                guard error.problem == .unknownFormat || error.problem == .nothingToImport else {
                    throw error
                }
                leaveOut(recording, "a file that is no recording", &total)
                continue
            }
            if let other = parts.first(where: { report.overlaps($0.report) })?.report.files.first {
                leaveOut(
                    recording, "a second recording of the same books at the same time as \(other)", &total)
                continue
            }
            if report.isUsable { parts.append((path, report)) }
            total.add(report)
        }
        guard total.isUsable else { return total }
        let tapes = try place(parts, &total)
        let written = try wrap(output) { () throws(TapeError) in
            try TapeMerger.merge(tapes, to: output) { _ in meter.goesOn }
        }
        (total.records, total.first, total.last) = (Int(written.records), written.first, written.last)
        return total
    }

    /// Recordings without any time move to where the others begin; books that a later recording starts anew are
    /// not to be trusted between the two. Returns the tapes to be merged.
    private func place(
        _ parts: [(tape: String, report: ImportReport)], _ total: inout ImportReport
    ) throws(ImportError) -> [String] {
        let start = parts.filter { !$0.report.isTimeAssumed }.map(\.report.first).min() ?? options.assumedTime
        if parts.contains(where: \.report.isTimeAssumed) {
            total.assume("recordings without any time: placed at \(start)")
        }
        var tapes: [String] = []
        for part in parts {
            var change = TapeChange()
            if part.report.isTimeAssumed, part.report.first < start { change.notBefore = start }
            change.ends = part.report.booksTakenUp(by: parts.map(\.report))
            guard !change.isNone else {
                tapes.append(part.tape)
                continue
            }
            let changed = part.tape + ".placed"
            try wrap(part.tape) { () throws(TapeError) in
                try change.write(try TapeReader(path: part.tape), to: changed)
            }
            tapes.append(changed)
        }
        return tapes
    }

    private func leaveOut(_ recording: Recording, _ reason: String, _ total: inout ImportReport) {
        total.filesLeftOut.append((recording.path, reason))
        observer.onRemark?(ImportRemark(file: recording.path, line: 0, isSkipped: true, reason: reason))
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

extension ImportReport {
    /// The markets whose books end here and begin again in a later recording, with the times of their ends.
    fileprivate func booksTakenUp(by reports: [ImportReport]) -> [TapeChange.End] {
        guard deltas > 0 else { return [] }
        let later = reports.filter { $0.deltas > 0 }
        return markets.indices.compactMap { index in
            guard let span = markets[index].bookSpan else { return nil }
            let isTakenUp = later.contains { report in
                report.markets.contains {
                    $0.ticker == markets[index].ticker
                        && ($0.bookSpan?.lowerBound ?? .unknown) > span.upperBound
                }
            }
            return isTakenUp ? .init(market: Market.ID(index), time: span.upperBound) : nil
        }.sorted { $0.time < $1.time }
    }
    /// Both hold changes of one market's book, recorded at the same time.
    fileprivate func overlaps(_ other: ImportReport) -> Bool {
        guard deltas > 0, other.deltas > 0 else { return false }
        return markets.contains { market in
            guard let span = market.bookSpan else { return false }
            return other.markets.contains {
                $0.ticker == market.ticker && $0.bookSpan?.overlaps(span) == true
            }
        }
    }
}
