import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

@Suite struct WriterTests {
    private let market = Market(ticker: "KXTEST-1-A")
    private let start = Timestamp(seconds: 1_780_000_000)

    private func delta(_ index: Int, at time: Timestamp, price: Price = 0.5) -> MarketEvent {
        MarketEvent(.delta, market: Market.ID(index), price: price, quantity: 1, receiveTime: time)
    }

    @Test func abandonedTapeLeavesNothing() throws {
        let scratch = try Scratch()
        try scratch.write("day.tape", "the old one")
        do {
            let writer = try TapeWriter(path: scratch.file("day.tape"))
            try writer.append(.defined(market), at: start)
            try writer.flush()
        }
        #expect(scratch.names == ["day.tape"])
        #expect(try scratch.read("day.tape") == Array("the old one".utf8))
    }

    @Test func recordingKeepsWhatWasFlushed() throws {
        let scratch = try Scratch()
        let path = scratch.file("live.tape")
        do {
            let writer = try TapeWriter(path: path, isRecording: true)
            try writer.append(.defined(market), at: start)
            try writer.append(delta(0, at: start))
            try writer.flush()
            #expect(read(path, acceptsTorn: true).said.count == 2)
            try writer.append(delta(0, at: start))
        }
        #expect(read(path).error?.problem == .torn)
        #expect(read(path, acceptsTorn: true).said.count == 2)
        // Nobody's recording is overwritten.
        #expect(throws: TapeError.self) { try TapeWriter(path: path, isRecording: true) }
    }

    @Test func whatCannotBeHeldIsRefused() throws {
        let scratch = try Scratch()
        let refused: [(String, Said)] = [
            ("undefined market", .event(delta(1, at: start), id: nil)),
            ("price 0", .event(delta(0, at: start, price: .zero), id: nil)),
            ("price 1", .event(delta(0, at: start, price: .one), id: nil)),
            ("time", .event(delta(0, at: start - .nanoseconds(1)), id: nil)),
            ("no time", .event(delta(0, at: .unknown), id: nil)),
            ("status of an undefined market", .input(.status(Market.ID(3), .active), at: start)),
            ("our own account", .input(.balance(shard: nil, 5), at: start)),
            ("no ticker", .input(.defined(Market(ticker: "")), at: start)),
        ]
        for (name, said) in refused {
            let writer = try TapeWriter(path: scratch.file("a"))
            try writer.append(.defined(market), at: start)
            #expect(throws: TapeError.self, "\(name)") { try append(said, to: writer) }
        }
        #expect(scratch.names == [])
    }

    @Test func unwritableFolderIsOneError() throws {
        let scratch = try Scratch()
        do throws(TapeError) {
            _ = try TapeWriter(path: scratch.file("missing/day.tape"))
            Issue.record("created a file in a folder that is not there")
        } catch {
            #expect(error.description.contains("No such file or directory"))
            #expect(error.file.hasSuffix("missing/day.tape"))
        }
    }

    /// `/dev/full` answers every write as a full disk does.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDiskIsOneErrorAndLeavesNothing() throws {
        let scratch = try Scratch()
        // The writer's temporary name is a link to the full device.
        let name = "\(scratch.file("day.tape")).unfinished-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: "/dev/full")
        do {
            _ = try TapeWriter(path: scratch.file("day.tape"))
            Issue.record("wrote to a full disk")
        } catch {
            #expect("\(error)".contains("No space left on device"))
        }
        #expect(scratch.names == [])
    }

    /// A tape appears by renaming: a pipe of that name would be gone.
    @Test func anythingButAFileIsLeftInItsPlace() throws {
        let scratch = try Scratch()
        let pipe = scratch.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: TapeError.self) { _ = try TapeWriter(path: pipe) }
        #expect(scratch.names == ["pipe"])
        #expect(
            try FileManager.default.attributesOfItem(atPath: pipe)[.type] as? FileAttributeType
                != .typeRegular)
    }

    @Test func definitionsKeepTheirIndex() throws {
        let scratch = try Scratch()
        let writer = try TapeWriter(path: scratch.file("a"))
        var other = Market(ticker: "KXTEST-1-B")
        try writer.append(.defined(market), at: start)
        try writer.append(.defined(other), at: start)
        other.grid = .deciCent
        try writer.append(.defined(other), at: start)
        #expect(writer.market("KXTEST-1-B") == Market.ID(1))
        #expect(writer.totals.markets == 2)
        try writer.finish(sync: false)
        let inputs = read(scratch.file("a")).inputs
        #expect(inputs.last == .defined(other))
        #expect(try TapeReader(path: scratch.file("a")).totals?.records == 3)
    }
}
