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
        guard recordings.count > 1 else { return try importOne(recordings[0], to: output) }
        return try importAll(recordings, to: output)
    }

    /// One recording, straight to its tape.
    private func importOne(_ recording: Recording, to output: String) throws(ImportError) -> ImportReport {
        let writer = try wrap(output) { () throws(TapeError) in try TapeWriter(path: output) }
        let assembler = TapeAssembler(writer: writer, options: options)
        assembler.note(.source, recording.path)
        assembler.note(.convention, "use_yes_price: \(options.usesYesPrice)")
        try read(recording, assembler)
        try wrap(output) { () throws(TapeError) in
            try assembler.finish()
            if assembler.report.isUsable { try writer.finish() }
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
        case .parts: return
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

    private func read(_ source: ByteSource, as format: RecordingFormat, _ assembler: TapeAssembler)
        throws(ImportError)
    {
        switch format {
        case .frames:
            var frames = FrameImport(assembler)
            try frames.read(source)
        default: throw ImportError(.unknownFormat, file: source.name)
        }
    }

    private func importAll(_ recordings: [Recording], to output: String) throws(ImportError) -> ImportReport {
        throw ImportError(.unknownFormat, file: output)
    }
}
