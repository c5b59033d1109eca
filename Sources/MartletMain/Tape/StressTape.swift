import MartletSimulation
import MartletTape

/// A generated tape of any length, written in memory that does not grow with it.
struct StressTape {
    let seed: UInt64
    let markets: Int
    let records: Int

    /// `goesOn` is asked now and then, with the records written.
    func write(to path: String, goesOn: (Int) -> Bool) throws -> TapeWriter.Totals {
        try TapeCommand.attempt {
            let writer = try TapeWriter(path: path)
            var generator = TapeStressGenerator(seed: seed, markets: markets)
            var done = 0
            try generator.generate(records: records) { input, time in
                if case .market(let event) = input {
                    try writer.append(event)
                } else {
                    try writer.append(input, at: time)
                }
                done += 1
                if done & 0xFFFF == 0, !goesOn(done) { throw TapeError(.interrupted, file: path) }
            }
            try writer.finish()
            return writer.totals
        }
    }
}
