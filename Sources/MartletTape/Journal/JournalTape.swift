import Martlet
import MartletEngine

/// Makes a tape of a session's journal: what the market did, without what we did. Our own orders were taken out of
/// the books as they came, so that the tape is as one recorded by somebody else.
public enum JournalTape {
    public struct Totals: Hashable, Sendable {
        public var records = 0
        /// Of our own account and the run itself, which a tape does not hold.
        public var left = 0
        public var ending: JournalReader.Ending = .clean
    }

    /// - Parameter goesOn: asked now and then with the bytes read and in all; false ends it without a tape.
    public static func write(
        _ journal: String, to path: String, goesOn: (Int, Int) -> Bool = { _, _ in true }
    ) throws(TapeError) -> Totals? {
        var reader = try JournalReader(folder: journal)
        let writer = try TapeWriter(path: path)
        try writer.append(
            TapeNote(
                .source, "the journal of session \(reader.header.session) on \(reader.header.environment)"),
            at: Timestamp(nanoseconds: reader.header.started))
        var totals = Totals()
        var count = 0
        while let record = reader.next() {
            count += 1
            if count % 65_536 == 0, !goesOn(reader.bytesRead, reader.byteCount) { return nil }
            switch record {
            case .event(let event):
                try writer.append(event)
                totals.records += 1
            case .input(let input, let time):
                switch input {
                case .defined, .ticker, .reference, .status, .result, .settled, .unusable:
                    try writer.append(input, at: time)
                    totals.records += 1
                case .market, .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock,
                    .command, .stopped:
                    totals.left += 1
                }
            case .command, .hash, .note: totals.left += 1
            }
        }
        try writer.finish()
        totals.ending = reader.ending ?? .clean
        return totals
    }
}
