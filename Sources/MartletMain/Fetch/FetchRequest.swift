import Foundation
import Martlet
import MartletKalshi
import MartletWire

/// What `martlet fetch` is to bring.
struct FetchRequest: Hashable, Sendable {
    var environment: String
    var tickers: [String]
    var series: String?
    var event: String?
    /// `settled`, `closed`, `open`: of the markets of a series or an event; nil for all.
    var status: String?
    var from: Timestamp?
    var to: Timestamp?
    var wantsTrades: Bool
    var candles: CandlePeriod?

    /// A resumed fetch must be of the same things: this text is kept beside the parts and compared.
    var fingerprint: String {
        func time(_ time: Timestamp?) -> JSONValue { time.map { .string("\($0)") } ?? .null }
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return JSONWriter.text(
            .fields([
                ("environment", .string(environment)), ("tickers", .array(tickers.map { .string($0) })),
                ("series", text(series)), ("event", text(event)), ("status", text(status)),
                ("from", time(from)), ("to", time(to)), ("trades", .bool(wantsTrades)),
                ("candles", candles.map { .integer($0.rawValue) } ?? .null),
            ]))
    }
}

/// The folder in which a fetch keeps what it has, so that it can go on after any end: finished parts (a tape for each
/// market) and the pages of the market in work.
struct FetchFolder: Sendable {
    let path: String

    /// - Throws: where the folder is of another fetch.
    init(for output: String, _ request: FetchRequest) throws {
        path = output + ".parts"
        let files = FileManager.default
        let note = path + "/request.json"
        if let known = try? String(contentsOfFile: note, encoding: .utf8) {
            guard known == request.fingerprint else {
                throw CommandError.usage(
                    "\(path) is what another fetch left, with other flags: repeat those, delete it, or choose another -o"
                )
            }
            return
        }
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
            try request.fingerprint.write(toFile: note, atomically: true, encoding: .utf8)
        } catch {
            throw CommandError(FileProblem.writing(path, error))
        }
    }

    /// Tickers may hold anything: what a file's name cannot is replaced by its code.
    func file(_ ticker: String, _ ending: String) -> String {
        var name = ""
        for byte in ticker.utf8 {
            let isPlain =
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a)
                || (byte >= 0x61 && byte <= 0x7a)
                || byte == 0x2d || byte == 0x2e
            name += isPlain ? String(UnicodeScalar(byte)) : "_\(String(byte, radix: 16))"
        }
        return "\(path)/\(name).\(ending)"
    }
    func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }
    func remove(_ file: String) { try? FileManager.default.removeItem(atPath: file) }
    /// Gone again where nothing was fetched.
    func removeUnused() {
        let held = try? FileManager.default.contentsOfDirectory(atPath: path)
        if held == ["request.json"] { removeAll() }
    }
    func removeAll() { try? FileManager.default.removeItem(atPath: path) }
}
