/// Who watches an import: told of single lines as they are met, and of how far it has come.
///
/// Not `Sendable`: an import runs on its caller's thread and calls back there.
public struct ImportObserver {
    /// Told each line that was left out or taken with a remark.
    public var onRemark: ((ImportRemark) -> Void)?
    /// Asked after each buffer of input whether to go on; false ends the import with ``ImportError``
    /// `interrupted` and leaves nothing behind.
    public var goesOn: ((ImportProgress) -> Bool)?
    public init() {}
}

/// How far an import has come.
public struct ImportProgress: Hashable, Sendable {
    /// The recording being read.
    public var file = ""
    /// Bytes of text read so far, unpacked.
    public var bytes = 0
    /// Bytes in all, unpacked; nil where that cannot be known (standard input). An estimate for gzipped files.
    public var totalBytes: Int?
    public init() {}
}

/// Counts what the sources of one import have read, and asks whether to go on.
final class ImportMeter {
    private var progress = ImportProgress()
    private let ask: ((ImportProgress) -> Bool)?
    var goesOn: Bool { ask?(progress) ?? true }

    init(_ observer: ImportObserver, totalBytes: Int?) {
        ask = observer.goesOn
        progress.totalBytes = totalBytes
    }

    func add(_ bytes: Int, of file: String) throws(ImportError) {
        progress.bytes += bytes
        progress.file = file
        if !goesOn { throw ImportError(.interrupted, file: file) }
    }
}
