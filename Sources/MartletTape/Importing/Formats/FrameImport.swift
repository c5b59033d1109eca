import Martlet
import MartletEngine
import MartletWire

/// Recordings of the exchange's WebSocket: decodes messages, puts them into their sequence, and hands them on.
struct FrameImport {
    let assembler: TapeAssembler
    var connections: [FrameConnection] = []
    /// Recorders that run several connections at once: the end of one is not to be concluded from the next.
    private var isConcurrent = false

    /// So many messages are waited for before one is given up as lost.
    private static let earlyMax = 32

    /// More than any gap holds: a number far out of the others' is no reason for a sum that overflows.
    private static let missingMax: Int64 = 1 << 40

    init(_ assembler: TapeAssembler) { self.assembler = assembler }

    mutating func read(_ source: ByteSource) throws(ImportError) {
        do throws(TapeError) {
            while let bytes = try nextLine(source) {
                guard bytes.contains(where: { !$0.isJSONSpace }) else { continue }
                try read(bytes, RecordedLine(file: source.name, number: source.lineNumber))
            }
        } catch {
            if let readError { throw readError }
            throw ImportError(.tape(error), file: source.name)
        }
        if let readError { throw readError }
        try finish()
    }

    private var readError: ImportError?

    /// Nil at the end, or when reading failed: then `readError` says how.
    private mutating func nextLine(_ source: ByteSource) throws(TapeError) -> UnsafeRawBufferPointer? {
        do throws(ImportError) {
            return try source.nextLine()
        } catch {
            readError = error
            return nil
        }
    }

    /// Gives up on what has not come.
    mutating func finish() throws(ImportError) {
        do throws(TapeError) {
            for index in connections.indices { try releaseEarly(index) }
        } catch {
            throw ImportError(.tape(error), file: error.file)
        }
    }

    // MARK: - One line

    mutating func read(_ bytes: UnsafeRawBufferPointer, _ start: RecordedLine) throws(TapeError) {
        assembler.report.lines += 1
        var line = start
        guard bytes.isUTF8 else { return assembler.skip(line, "not UTF-8") }
        let frame: WireFrame?
        var said: (name: String, info: JSONValue?)?
        do throws(WireError) {
            switch try Envelope.open(bytes, &line) {
            case .bytes(let message): frame = try assembler.decoder.decode(message.bindMemory(to: UInt8.self))
            case .text(let text): frame = try assembler.decoder.decode(text)
            case .value(let value): frame = try assembler.decoder.decode(value)
            case .event(let name, let info):
                frame = nil
                said = (name, info)
            }
        } catch {
            return assembler.skip(line, error)
        }
        if let frame { try take(frame, line) }
        if let said { try event(said.name, said.info, line) }
    }

    /// Puts a message into the sequence of its subscription.
    mutating func take(_ frame: WireFrame, _ line: RecordedLine) throws(TapeError) {
        let connection = try connection(of: frame, line)
        guard let sid = frame.sid, let sequence = frame.seq else {
            return try handle(frame, assembler.decoder.levels, connection, line)
        }
        guard FrameConnection.sequences.contains(sequence) else {
            return assembler.skip(line, "impossible 'seq'", "sequence number \(sequence)")
        }
        guard let index = connections[connection].subscription(sid) else {
            connections[connection].subscriptions.append(.init(sid: sid, last: sequence))
            return try handle(frame, assembler.decoder.levels, connection, line)
        }
        if connections[connection].subscriptions[index].isOver, sequence <= 1 {
            connections[connection].subscriptions[index] = .init(sid: sid, last: sequence)
            return try handle(frame, assembler.decoder.levels, connection, line)
        }
        let last = connections[connection].subscriptions[index].last
        if sequence == last + 1 {
            connections[connection].subscriptions[index].last = sequence
            try handle(frame, assembler.decoder.levels, connection, line)
            return try takeEarly(connection, index)
        }
        if sequence <= last || connections[connection].subscriptions[index].holds(sequence) {
            assembler.report.duplicates += 1
            return assembler.remark(line, "sequence number \(sequence) again; left out", isSkipped: true)
        }
        let held = FrameConnection.Held(
            frame: frame, levels: frame.kind == .snapshot ? assembler.decoder.levels : [], line: line,
            sequence: sequence)
        connections[connection].subscriptions[index].hold(held)
        if connections[connection].subscriptions[index].early.count > FrameImport.earlyMax {
            try giveUp(connection, index)
        }
    }

    /// Hands on the messages whose turn has come.
    private mutating func takeEarly(_ connection: Int, _ index: Int) throws(TapeError) {
        while let held = connections[connection].subscriptions[index].takeNext() {
            assembler.report.reordered += 1
            assembler.remark(held.line, "sequence number \(held.sequence) came early; put back into order")
            try handle(held.frame, held.levels, connection, held.line)
        }
    }

    /// What is missing before the first held message is lost: its books are not to be trusted.
    private mutating func giveUp(_ connection: Int, _ index: Int) throws(TapeError) {
        guard let first = connections[connection].subscriptions[index].early.first else { return }
        let subscription = connections[connection].subscriptions[index]
        let missing = first.sequence - subscription.last - 1
        _ = try assembler.advance(first.line)
        assembler.report.gaps += 1
        assembler.report.missingMessages += Int(min(missing, FrameImport.missingMax))
        assembler.remark(
            first.line, "\(missing) messages are missing before sequence number \(first.sequence)")
        for market in subscription.markets { assembler.interrupt(try assembler.market(market)) }
        if subscription.markets.isEmpty {
            assembler.note(.other, "\(missing) messages of subscription \(subscription.sid) are missing")
        }
        while let held = connections[connection].subscriptions[index].takeFirst() {
            connections[connection].subscriptions[index].last = held.sequence
            try handle(held.frame, held.levels, connection, held.line)
            guard let next = connections[connection].subscriptions[index].early.first,
                next.sequence == held.sequence &+ 1
            else { break }
        }
    }

    private mutating func releaseEarly(_ connection: Int) throws(TapeError) {
        for index in connections[connection].subscriptions.indices {
            while !connections[connection].subscriptions[index].early.isEmpty {
                try giveUp(connection, index)
            }
        }
    }

    // MARK: - Connections

    private mutating func connection(of frame: WireFrame, _ line: RecordedLine) throws(TapeError) -> Int {
        guard let index = connections.lastIndex(where: { $0.number == line.connection }) else {
            return try begin(line)
        }
        if index != connections.count - 1, !isConcurrent {
            isConcurrent = true
            assembler.report.assume("connections of the recorder overlap: none ends with the next")
        }
        if restarts(frame, connections[index]) { return try begin(line) }
        return index
    }

    /// A recording that does not tell its connections apart: numbers that start over are a new one.
    private func restarts(_ frame: WireFrame, _ connection: FrameConnection) -> Bool {
        switch frame.kind {
        case .subscribed:
            guard let sid = frame.general?["msg"]?["sid"]?.int64 else { return false }
            return connection.announced.contains(sid)
        case .snapshot:
            guard frame.seq == 1, let sid = frame.sid, let index = connection.subscription(sid) else {
                return false
            }
            return connection.subscriptions[index].last > 1
        default: return false
        }
    }

    /// A new connection: what came over the one before is no longer kept up to date.
    mutating func begin(_ line: RecordedLine) throws(TapeError) -> Int {
        _ = try assembler.advance(line)
        if !isConcurrent, let last = connections.indices.last {
            try releaseEarly(last)
            for market in connections[last].markets { assembler.interrupt(try assembler.market(market)) }
        }
        connections.append(FrameConnection(number: line.connection))
        assembler.report.connections += 1
        assembler.note(.connection, "connection \(assembler.report.connections)")
        return connections.count - 1
    }

    /// Something that the recorder says of itself.
    mutating func event(_ name: String, _ info: JSONValue?, _ line: RecordedLine) throws(TapeError) {
        _ = try assembler.advance(line)
        assembler.report.controls += 1
        switch name {
        case "connected", "ws_connected":
            if connections.last?.number != line.connection { _ = try begin(line) }
        case "watch_market":
            guard let ticker = info?["market_ticker"]?.string, !ticker.isEmpty else { return }
            let close = info?["close_time"]?.string.flatMap { Timestamp(rfc3339: $0) }
            try assembler.change(ticker) { market in
                if let close { market.closeTime = close }
            }
        default: assembler.note(.other, "recorder: \(name)")
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are UTF-8; plain ASCII is found to be so eight bytes at a time.
    var isUTF8: Bool {
        var index = 0
        while index + 8 <= count {
            if loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        let rest = UnsafeRawBufferPointer(rebasing: self[index...])
        return rest.allSatisfy { $0 < 0x80 } || String(validating: rest, as: UTF8.self) != nil
    }
}
