import Foundation
import MartletWire

/// Lines of JSON on disk that are added at the end and survive a crash: a torn last line is cut off when the file is
/// opened again.
final class LineSpool {
    /// Where a line stands.
    struct Place: Hashable {
        var offset: UInt64
        var length: Int
    }

    let path: String
    private let file: FileHandle
    private var end: UInt64 = 0
    private static let chunk = 1 << 20

    /// Opens or creates the file and hands each whole line to `body`.
    init(path: String, _ body: (JSONValue, Place) throws -> Void) throws {
        self.path = path
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw CommandError("cannot write \(path)")
            }
        }
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            throw CommandError("cannot write \(path)")
        }
        self.file = file
        try readAll(body)
        try file.truncate(atOffset: end)
    }

    deinit { try? file.close() }

    private func readAll(_ body: (JSONValue, Place) throws -> Void) throws {
        var rest = Data()
        while let data = try file.read(upToCount: Self.chunk), !data.isEmpty {
            rest.append(data)
            while let newline = rest.firstIndex(of: 10) {
                let line = rest[rest.startIndex..<newline]
                // A line that cannot be read ends what is trusted.
                guard let value = try? JSONParser.parse(line) else { return }
                let place = Place(offset: end, length: line.count)
                try body(value, place)
                end += UInt64(line.count) + 1
                rest = rest[rest.index(after: newline)...]
            }
            rest = Data(rest)
        }
    }

    @discardableResult
    func append(_ value: JSONValue) throws -> Place {
        let bytes = Data(JSONWriter.text(value).utf8)
        let place = Place(offset: end, length: bytes.count)
        try file.seek(toOffset: end)
        try file.write(contentsOf: bytes + [10])
        end += UInt64(bytes.count) + 1
        return place
    }

    func read(_ place: Place) throws -> JSONValue {
        try file.seek(toOffset: place.offset)
        guard let data = try file.read(upToCount: place.length), let value = try? JSONParser.parse(data)
        else {
            throw CommandError("\(path) is damaged: delete it and fetch again")
        }
        return value
    }
}
