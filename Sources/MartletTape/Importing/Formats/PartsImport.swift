import Martlet
import MartletEngine
import MartletWire

/// A session whose recorder keeps one file a message type: read side by side, by receive time and then by sequence
/// number, and put back into the exchange's messages.
final class PartsImport {
    private final class Part {
        let source: ByteSource
        var value: JSONValue?
        var line: RecordedLine
        var sequence: Int64 = -1
        init(_ source: ByteSource) {
            self.source = source
            line = RecordedLine(file: source.name, number: 0)
        }
    }
    private let assembler: TapeAssembler
    private var frames: FrameImport
    private var parts: [Part] = []
    /// From the session's own `subscribed` messages; a book's without one.
    private var sidOfChannel: [String: Int64] = [:]

    init(_ assembler: TapeAssembler) {
        self.assembler = assembler
        frames = FrameImport(assembler)
    }

    func read(_ paths: [String], _ meter: ImportMeter?) throws(ImportError) {
        for path in paths { try read(try ByteSource.open(path, meter)) }
        try run()
    }
    func read(_ source: ByteSource) throws(ImportError) {
        let part = Part(source)
        try next(part)
        parts.append(part)
    }

    /// Reads all parts to their ends.
    func run() throws(ImportError) {
        while let part = earliest(), let value = part.value {
            do throws(TapeError) {
                try take(value, part)
            } catch {
                throw ImportError(.tape(error), file: part.source.name)
            }
            try next(part)
        }
        try frames.finish()
    }

    private func earliest() -> Part? {
        var best: Part?
        for part in parts where part.value != nil {
            guard let other = best else {
                best = part
                continue
            }
            if (part.line.receiveTime, part.sequence) < (other.line.receiveTime, other.sequence) {
                best = part
            }
        }
        return best
    }

    private func next(_ part: Part) throws(ImportError) {
        part.value = nil
        while let bytes = try part.source.nextLine() {
            guard bytes.contains(where: { !$0.isJSONSpace }) else { continue }
            assembler.report.lines += 1
            part.line = RecordedLine(file: part.source.name, number: part.source.lineNumber)
            guard bytes.isUTF8, let value = try? JSONParser.parse(bytes) else {
                assembler.skip(part.line, "not JSON")
                continue
            }
            guard let time = value["local_recv_ns"]?.int64, time > 0 else {
                assembler.skip(part.line, "without 'local_recv_ns'")
                continue
            }
            part.line.receiveTime = Timestamp(nanoseconds: time)
            part.sequence = value["sequence_number"]?.int64 ?? -1
            part.value = value
            return
        }
    }

    private func take(_ value: JSONValue, _ part: Part) throws(TapeError) {
        guard let type = value["event_type"]?.string, let payload = value["payload_json"] else {
            return assembler.skip(part.line, "without 'event_type' or 'payload_json'")
        }
        switch type {
        case "ws_connected", "watch_market", "market_rotated":
            return try frames.event(type, payload, part.line.on(connection(type)))
        case "ws_subscribed":
            if let channel = payload["msg"]?["channel"]?.string, let sid = payload["msg"]?["sid"]?.int64 {
                sidOfChannel[channel] = sid
            }
            return try decode(payload, part.line)
        default:
            let channel = value["channel"]?.string ?? type
            var members: [JSONValue.Member] = [.init("type", .string(type))]
            if let sid = sidOfChannel[channel] { members.append(.init("sid", .number(String(sid)))) }
            if part.sequence >= 0 { members.append(.init("seq", .number(String(part.sequence)))) }
            members.append(.init("msg", payload))
            try decode(.object(members), part.line)
        }
    }

    private var connectionNumber = 0
    private func connection(_ type: String) -> Int {
        if type == "ws_connected" { connectionNumber += 1 }
        return connectionNumber
    }

    private func decode(_ value: JSONValue, _ line: RecordedLine) throws(TapeError) {
        let frame: WireFrame
        do throws(WireError) {
            frame = try assembler.decoder.decode(value)
        } catch {
            return assembler.skip(line, error)
        }
        try frames.take(frame, line.on(connectionNumber))
    }
}

extension RecordedLine {
    func on(_ connection: Int) -> RecordedLine {
        var line = self
        line.connection = connection
        return line
    }
}
