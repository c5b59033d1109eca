import Martlet
import MartletEngine
import MartletWire

/// What `martlet tape export` wrote: straight back onto a tape, groups and all.
struct ExportedImport {
    private let assembler: TapeAssembler
    private let source: ByteSource

    init(_ assembler: TapeAssembler, _ source: ByteSource) {
        self.assembler = assembler
        self.source = source
    }

    func json() throws(ImportError) {
        try forEach { (bytes, line) throws(TextRecord.Malformed) in
            guard let value = try? JSONParser.parse(bytes) else { throw .init("not JSON") }
            return try TextRecord(json: value)
        }
    }

    func csv() throws(ImportError) {
        _ = try source.nextLine()
        try forEach { (bytes, line) throws(TextRecord.Malformed) in try TextRecord(csv: bytes) }
    }

    private func forEach(
        _ parse: (UnsafeRawBufferPointer, RecordedLine) throws(TextRecord.Malformed) -> TextRecord
    ) throws(ImportError) {
        while let bytes = try source.nextLine() {
            guard bytes.contains(where: { !$0.isJSONSpace }) else { continue }
            assembler.report.lines += 1
            let line = RecordedLine(file: source.name, number: source.lineNumber)
            guard bytes.isUTF8 else {
                assembler.skip(line, "not UTF-8")
                continue
            }
            let record: TapeRecord
            do throws(TextRecord.Malformed) {
                record = try parse(bytes, line).value { (ticker) throws(TextRecord.Malformed) in
                    guard let market = assembler.writer.market(ticker) else {
                        throw .init("market '\(ticker)' was not defined")
                    }
                    return market
                }
            } catch {
                assembler.skip(line, error.text)
                continue
            }
            do throws(TapeError) {
                try assembler.take(record, line)
            } catch {
                throw ImportError(.tape(error), file: source.name)
            }
        }
    }
}

extension TapeAssembler {
    /// A record that is complete in itself: to the tape as it stands.
    func take(_ record: TapeRecord, _ line: RecordedLine) throws(TapeError) {
        try queue.writeAll(to: writer)
        guard record.time >= now else {
            report.timesBackwards += 1
            return skip(line, "time runs backwards", "time \(record.time) after \(now)")
        }
        now = record.time
        switch record {
        case .event(let event, _):
            guard event.price.isTradable || event.kind.hasNoPrice,
                TapeFormat.quantityRange.contains(event.quantity.hundredths)
            else { return skip(line, "price or quantity out of range") }
            count(event)
        case .input(let input, _): count(input)
        case .note: report.controls += 1
        }
        try writer.append(record)
    }

    private func count(_ event: MarketEvent) {
        report.markets[Int(event.market.index)].events += 1
        switch event.kind {
        case .delta: report.deltas += 1
        case .trade:
            if event.flags.contains(.inferred) { report.inferredTrades += 1 } else { report.trades += 1 }
        case .snapshotStart: report.snapshots += 1
        case .snapshotLevel, .groupEnd: break
        }
        if event.flags.contains(.groupEnd) || event.kind == .groupEnd { report.groups += 1 }
    }

    private func count(_ input: EngineInput) {
        switch input {
        case .defined(let market):
            report.definitions += 1
            if writer.market(market.ticker) == nil { report.markets.append(.init(ticker: market.ticker)) }
        case .ticker: report.tickers += 1
        case .reference: report.references += 1
        case .status: report.statuses += 1
        case .result, .settled: report.results += 1
        case .unusable: report.gaps += 1
        case .market, .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock, .command,
            .stopped:
            return
        }
    }
}
