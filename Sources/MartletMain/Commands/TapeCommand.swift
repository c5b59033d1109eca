import Foundation
import Martlet
import MartletTape
import MartletWire

/// `martlet tape …`: recordings become tapes; tapes are looked at, checked, cut, merged and written as text.
enum TapeCommand {
    static func command() -> Command {
        var command = Command(name: "tape", summary: "make, look at, check, cut and merge tapes")
        command.discussion = """
            A tape is recorded market data in one file: snapshots and changes of books, trades, tickers, market \
            definitions, reference index values, gaps and results, in the order of their receive times. Backtests \
            replay it: 'martlet backtest --tape day.tape'.

            The usual way:
              martlet tape import RECORDINGS -o day.tape    make one of recordings
              martlet tape info day.tape                    what is on it
              martlet tape verify day.tape                  whether it is whole and sound

            A tape is little-endian, made of checksummed blocks, and is mapped into memory when read, so that its \
            length costs no memory. One that was cut off is readable up to the tear. The format is described in \
            Sources/MartletTape/Format/TapeFormat.swift; it carries a version, and a build that does not know the \
            version says so.
            """
        command.subcommands = [
            TapeImportCommand.command(), TapeInfoCommand.command(), TapeCatCommand.command(),
            TapeVerifyCommand.command(), TapeSliceCommand.command(), TapeMergeCommand.command(),
            TapeExportCommand.command(), TapeDemoCommand.command(),
        ]
        return command
    }

    static let out = ValueFlag("out", short: "o", .file, "the tape to write")

    static let force = Switch("force", "replace the file if it exists")

    /// `--from` and `--to`, in their order.
    static func span(_ invocation: Invocation) throws(CommandError) -> (from: Timestamp?, to: Timestamp?) {
        let (from, to) = (invocation[TapeCatCommand.from], invocation[TapeCatCommand.to])
        if let from, let to, from >= to { throw .usage("--from \(from) is not before --to \(to)") }
        return (from, to)
    }

    /// Tapes as named; of a folder, all that it holds, in the order of their names.
    static func tapes(_ paths: [String]) throws(CommandError) -> [String] {
        var tapes: [String] = []
        for path in paths { tapes += try RunInput.paths(path) }
        return tapes
    }

    /// The path given with `--out`, once it is known that writing there destroys nothing.
    static func output(
        _ flag: ValueFlag<String>, _ invocation: Invocation, isTape: Bool = true
    ) throws(CommandError) -> String {
        guard let path = invocation[flag] else {
            throw .usage("'\(invocation.title)' needs --out FILE, the file to write")
        }
        try check(
            output: path, inputs: invocation.operands, isTape: isTape, replaces: invocation[force])
        return path
    }

    static func check(
        output path: String, inputs: [String], isTape: Bool, replaces: Bool
    ) throws(CommandError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw .usage("'\(path)' is a folder; name the file to write in it")
        }
        // What is written appears by renaming: a device or pipe of that name would be gone.
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .usage("'\(path)' is no regular file; choose another --out")
        }
        for input in inputs {
            var other = stat()
            guard stat(input, &other) == 0 else { continue }
            if other.st_ino == status.st_ino, other.st_dev == status.st_dev {
                throw .usage("'\(path)' is read and cannot be written at the same time; choose another --out")
            }
        }
        // A recording typed where the tape should stand would be lost.
        guard status.st_size > 0 else { return }
        if isTape, !FileProblem.isTape(path) {
            throw .usage("'\(path)' exists and is no tape; remove it first or choose another name")
        }
        guard !replaces else { return }
        throw .usage("'\(path)' exists; --force replaces it, or choose another name")
    }

    /// What tape code throws, for people.
    static func attempt<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as TapeError {
            if error.problem == .interrupted { throw interrupted(error.description) }
            throw CommandError(error.description)
        } catch let error as ImportError {
            switch error.problem {
            case .interrupted: throw interrupted(error.description)
            case .tape(let inner) where inner.problem == .interrupted: throw interrupted(error.description)
            case .unknownFormat, .nothingToImport:
                throw CommandError(error.description, code: .nothingUsable)
            case .unreadable, .gzipFailed, .badReference, .tape:
                throw CommandError(error.description)
            }
        }
    }

    private static func interrupted(_ text: String) -> CommandError {
        CommandError(text, code: Interrupt.exitCode ?? .interrupted)
    }

    /// Opens a tape to be read; `acceptsTorn` where what is whole of a torn one is of use.
    static func open(_ path: String, acceptsTorn: Bool = true) throws -> TapeReader {
        var options = TapeReader.Options()
        options.acceptsTorn = acceptsTorn
        return try attempt { try TapeReader(path: path, options: options) }
    }

    /// A tape named twice, by whatever names, would be replayed twice over: every change of a book doubled.
    static func refuseRepetition(_ tapes: [TapeReader]) throws(CommandError) {
        for (index, tape) in tapes.enumerated() {
            guard let totals = tape.totals, totals.records > 0,
                let same = tapes[..<index].first(where: { $0.totals == totals })
            else { continue }
            throw .usage(
                same.path == tape.path
                    ? "tape '\(tape.path)' is named twice"
                    : "'\(same.path)' and '\(tape.path)' are the same tape; name it once")
        }
    }

    /// Says of tapes without their end mark that they were used as far as they go.
    static func noteTears(_ tapes: [TapeReader], _ terminal: Terminal) {
        for tape in tapes where tape.totals == nil { terminal.note(tornRemark(tape.path)) }
    }
    static func tornRemark(_ name: String) -> String {
        "\(name) has no end mark: it was cut off or is still being written; what is whole was used"
    }

    // MARK: - JSON

    static func json(_ time: Timestamp) -> JSONValue {
        time.isKnown ? .string(time.description) : .null
    }
    static func json(_ quantity: Quantity) -> JSONValue { .number(quantity.description) }
    static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension FileProblem {
    /// Whether a file begins as a tape does, whatever its version and state.
    static func isTape(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 8)) == Data(TapeFormat.magic)
    }
}
