/// What was wrong with a tape, in which file and where in it.
public struct TapeError: Error, Hashable, Sendable {
    public enum Problem: Hashable, Sendable {
        /// The system refused `action`; `reason` is its own text.
        case system(action: String, reason: String)
        case empty
        /// The file starts as a gzip stream does.
        case gzipped
        case notATape
        case unsupportedVersion(Int)
        /// The version that the header names, which need not be one: the header's checksum differs.
        case corruptFileHeader(version: Int)
        /// The file ends before its end block: everything before `offset` is whole.
        case torn
        case corruptBlockHeader
        /// The payload is not the one that was written.
        case checksumMismatch(block: Int)
        /// The blocks are each whole, but are not the ones that the tape ended with.
        case wrongTotals
        /// Bytes follow the end of the tape.
        case trailingBytes(Int)
        /// A record that cannot be: the checksum was not asked for, or the writer was at fault.
        case badRecord(String)
        /// A record that the format cannot hold was handed to the writer.
        case unwritable(String)
        /// The tapes to be merged disagree, or an argument makes no sense.
        case incompatible(String)
        /// The caller did not want to go on.
        case interrupted
    }

    public var file: String
    /// Bytes from the start of the file, where the trouble has a place.
    public var offset: Int?
    public var problem: Problem

    public init(_ problem: Problem, file: String, offset: Int? = nil) {
        self.problem = problem
        self.file = file
        self.offset = offset
    }
}

extension TapeError: CustomStringConvertible {
    public var description: String {
        let place = offset.map { "\(file) at byte \($0)" } ?? file
        return "\(place): \(problem)"
    }
}

extension TapeError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let action, let reason): "cannot \(action): \(reason)"
        case .empty: "the file is empty, not a tape"
        case .gzipped: "the file is gzipped; a tape is read as it is: gunzip it, or import it"
        case .notATape: "not a Martlet tape; recordings are turned into one by `martlet tape import`"
        case .unsupportedVersion(let version):
            "tape format version \(version); this build reads version \(TapeFormat.version)"
        case .corruptFileHeader(Int(TapeFormat.version)): "the tape's header is damaged"
        case .corruptFileHeader(let version):
            "the tape's header is damaged, or of a format that this build cannot read: it names version \(version), "
                + "this build reads version \(TapeFormat.version)"
        case .torn: "the tape ends here without its end mark: it was cut off or is still being written"
        case .corruptBlockHeader: "a block's header is damaged"
        case .checksumMismatch(let block): "block \(block) is damaged: its checksum differs"
        case .wrongTotals: "the blocks are not those that the tape was finished with"
        case .trailingBytes(let count): "\(count) bytes follow the end of the tape"
        case .badRecord(let what): "impossible record: \(what)"
        case .unwritable(let what): "cannot be written to a tape: \(what)"
        case .incompatible(let what): what
        case .interrupted: "interrupted; nothing was written"
        }
    }
}
