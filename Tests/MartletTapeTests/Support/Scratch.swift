import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

/// A folder for one test, removed with it.
final class Scratch {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "/martlet-tape-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }
}

/// SplitMix64: a seeded generator.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Everything that a tape says, in a form that can be compared.
enum Said: Hashable {
    case event(MarketEvent, id: String?)
    case input(EngineInput, at: Timestamp)
    case note(TapeNote, at: Timestamp)
}

struct Reading {
    var said: [Said] = []
    var error: TapeError?
    var tornAt: Int?
    var events: [MarketEvent] {
        said.compactMap { if case .event(let event, _) = $0 { event } else { nil } }
    }
    var inputs: [EngineInput] {
        said.compactMap { if case .input(let input, _) = $0 { input } else { nil } }
    }
    var notes: [TapeNote] { said.compactMap { if case .note(let note, _) = $0 { note } else { nil } } }
}

func read(_ path: String, acceptsTorn: Bool = false, verifies: Bool = true) -> Reading {
    var reading = Reading()
    do throws(TapeError) {
        var options = TapeReader.Options()
        options.acceptsTorn = acceptsTorn
        options.verifiesChecksums = verifies
        let tape = try TapeReader(path: path, options: options)
        var cursor = tape.cursor()
        loop: while true {
            switch try cursor.next() {
            case .market: reading.said.append(.event(cursor.event, id: cursor.tradeID))
            case .input: reading.said.append(.input(cursor.input, at: cursor.time))
            case .note: reading.said.append(.note(cursor.note, at: cursor.time))
            case .end: break loop
            }
        }
        reading.tornAt = cursor.tornAt
    } catch {
        reading.error = error
    }
    return reading
}

func write(_ said: [Said], to path: String, blockBytes: Int = TapeFormat.defaultPayloadBytes) throws {
    let writer = try TapeWriter(path: path, blockBytes: blockBytes)
    for one in said { try append(one, to: writer) }
    try writer.finish(sync: false)
}

func append(_ one: Said, to writer: TapeWriter) throws {
    switch one {
    case .event(let event, let id?): try writer.append(event, tradeID: id)
    case .event(let event, nil): try writer.append(event)
    case .input(let input, let time): try writer.append(input, at: time)
    case .note(let note, let time): try writer.append(note, at: time)
    }
}
