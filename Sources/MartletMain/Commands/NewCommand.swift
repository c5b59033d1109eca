import Foundation
import MartletWire

/// `martlet new NAME`: a strategy that compiles and trades, to be changed into one's own.
enum NewCommand {
    static func command() -> Command {
        var command = Command(name: "new", summary: "add a strategy to this checkout, ready to compile")
        command.discussion = """
            Makes Strategies/NAME with a small strategy to start from and Backtests/NAME.json5 to run it with, \
            and adds NAME to the marked lists in Package.swift and Sources/MartletCLI/Strategies.swift. Run it \
            anywhere in the checkout. Nothing that exists is overwritten.
            """
        command.operands = [
            .init("NAME", .one, "the strategy's name: MeanReverter or mean-reverter")
        ]
        command.examples = [
            ("martlet new mean-reverter", "makes Strategies/MeanReverter, known as 'mean-reverter'")
        ]
        command.run = { invocation, terminal in
            let names = try StrategyNames(invocation.operands[0])
            let root = try packageRoot()
            let change = try PackageChange(root: root, names: names)
            try change.apply()
            if invocation.isJSON {
                try terminal.line(
                    JSONValue.fields([
                        ("strategy", .string(names.kebab)), ("type", .string(names.type)),
                        ("files", .array(change.created.map { .string($0) })),
                        ("changed", .array(change.edited.map { .string($0) })),
                    ]).text)
                return .success
            }
            for file in change.created { try terminal.line("made     \(file)") }
            for file in change.edited { try terminal.line("changed  \(file)") }
            try terminal.line("next:    swift run -c release martlet backtest Backtests/\(names.kebab).json5")
            return .success
        }
        return command
    }

    /// The nearest folder from the current one upward whose Package.swift has the marked line.
    static func packageRoot() throws -> URL {
        let current = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        var folder = current
        while true {
            let manifest = folder.appendingPathComponent("Package.swift")
            if let text = try? String(contentsOf: manifest, encoding: .utf8),
                text.contains(PackageChange.marker)
            {
                return folder
            }
            let parent = folder.deletingLastPathComponent()
            if parent.path == folder.path { break }
            folder = parent
        }
        throw CommandError(
            "no Martlet checkout at '\(current.path)' or above it (a Package.swift with the marked line); "
                + "change to its folder first", code: .usage)
    }
}

/// A strategy's two names: a Swift type and a word for configurations.
struct StrategyNames: Equatable {
    /// `MeanReverter`
    let type: String
    /// `mean-reverter`
    let kebab: String

    /// Names that a module of ours cannot have: it would hide a module that it needs.
    private static let taken: Set<String> = [
        "Martlet", "Strategy", "Context", "Foundation", "Swift", "Dispatch", "Testing", "Synchronization",
        "Market",
        "Price", "Quantity", "Money", "Side", "Order", "Fill", "Quote", "Trade", "Position", "Self", "Type",
        "Any",
    ]

    init(_ text: String) throws {
        let isPlain = text.utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return byte < 128 && (character.isLetter || character.isNumber || character == "-")
        }
        guard isPlain, let first = text.first, first.isLetter, text.utf8.count <= 60, !text.hasSuffix("-"),
            !text.contains("--")
        else {
            throw CommandError.usage(
                "'\(text)' is no name for a strategy; use letters, digits and dashes, such as MeanReverter or "
                    + "mean-reverter")
        }
        type = text.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        // A word typed with dashes is kept; `BTCMaker` becomes `btc-maker`.
        kebab = text.contains("-") ? text.lowercased() : StrategyNames.kebab(ofType: type)
        guard !StrategyNames.taken.contains(type), !type.hasPrefix("Martlet") else {
            throw CommandError.usage("'\(type)' is a name of Martlet's own; choose another")
        }
    }
}

extension StrategyNames {
    private static func kebab(ofType type: String) -> String {
        let letters = Array(type)
        var kebab = ""
        for (index, letter) in letters.enumerated() {
            let startsWord =
                letter.isUppercase && index > 0
                && (!letters[index - 1].isUppercase
                    || index + 1 < letters.count && letters[index + 1].isLowercase)
            kebab += (startsWord ? "-" : "") + letter.lowercased()
        }
        return kebab
    }
}

/// The files that a new strategy makes and the lists that it joins; all of it or nothing.
struct PackageChange {
    static let marker = "`martlet new NAME` adds its"

    private let root: URL
    private let writes: [(path: String, text: String)]
    private let edits: [(path: String, text: String)]

    var created: [String] { writes.map(\.path) }
    var edited: [String] { edits.map(\.path) }

    /// Works out every change without making one.
    init(root: URL, names: StrategyNames) throws {
        self.root = root
        writes = [
            ("Strategies/\(names.type)/\(names.type).swift", StrategyTemplate.source(names)),
            ("Backtests/\(names.kebab).json5", StrategyTemplate.configuration(names)),
        ]
        for taken in ["Strategies/\(names.type)", "Sources/\(names.type)", writes[1].path] {
            let path = root.appendingPathComponent(taken).path
            guard !FileManager.default.fileExists(atPath: path) else {
                throw CommandError.usage("'\(taken)' exists already; choose another name or remove it first")
            }
        }
        let registry = "Sources/MartletCLI/Strategies.swift"
        edits = [
            (
                "Package.swift",
                try PackageChange.adding(["\"\(names.type)\","], to: "Package.swift", in: root)
            ),
            (
                registry,
                try PackageChange.adding(
                    ["import \(names.type)", "\(names.type).self,"], to: registry, in: root)
            ),
        ]
    }

    func apply() throws {
        var done: [URL] = []
        do {
            for (path, text) in writes {
                let url = root.appendingPathComponent(path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                done.append(url)
                try Data(text.utf8).write(to: url, options: .atomic)
            }
            for (path, text) in edits {
                try Data(text.utf8).write(to: root.appendingPathComponent(path), options: .atomic)
            }
        } catch {
            for url in done { try? FileManager.default.removeItem(at: url) }
            throw CommandError(FileProblem.writing(root.path, error))
        }
    }

    /// A file's text with a line added to the list above each marked line, in order, the list kept sorted.
    static func adding(_ lines: [String], to path: String, in root: URL) throws -> String {
        let url = root.appendingPathComponent(path)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw CommandError("cannot read '\(url.path)'")
        }
        return try adding(lines, to: text, path: path)
    }

    static func adding(_ lines: [String], to text: String, path: String) throws -> String {
        var rows = text.components(separatedBy: "\n")
        var searchFrom = 0
        for line in lines {
            guard let mark = rows[searchFrom...].firstIndex(where: { $0.contains(marker) }) else {
                throw CommandError(
                    "'\(path)' has lost its marked line ('// \(marker) … above this one'); put it back at the "
                        + "end of the list of strategies")
            }
            let indent = String(rows[mark].prefix { $0 == " " })
            var start = mark
            while start > 0, isListed(rows[start - 1], like: line, indent: indent) { start -= 1 }
            rows.replaceSubrange(start..<mark, with: (rows[start..<mark] + [indent + line]).sorted())
            searchFrom = mark + 2
        }
        return rows.joined(separator: "\n")
    }

    /// Whether a row belongs to the same list as a line to be added.
    private static func isListed(_ row: String, like line: String, indent: String) -> Bool {
        guard row.hasPrefix(indent), !row.dropFirst(indent.count).hasPrefix(" ") else { return false }
        let body = row.dropFirst(indent.count)
        if line.hasPrefix("import ") { return body.hasPrefix("import ") }
        return body.hasSuffix(",") && !body.hasPrefix("//") && body.hasPrefix("\"") == line.hasPrefix("\"")
    }
}
