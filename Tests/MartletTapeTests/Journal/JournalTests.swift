import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletTape

@Suite struct JournalTests {
    // MARK: Support

    private func folder() -> String {
        NSTemporaryDirectory() + "martlet-journal-\(UUID().uuidString)"
    }
    private static let header = JournalHeader(
        session: "test", mode: "live", environment: "sandbox", started: 1, program: "p", machine: "m",
        seats: [.init(name: "maker", strategy: "spread-maker", parameters: "{}", markets: ["KX*"])],
        trading: "{}")

    private func writer(
        _ folder: String, segment: Int = 1 << 16, segments: Int = .max, sync: JournalSettings.Sync = .never
    ) throws -> JournalWriter {
        var settings = JournalSettings()
        settings.segmentSize = segment
        settings.segmentsMax = segments
        settings.sync = sync
        return try JournalWriter(folder: folder, header: JournalTests.header, settings: settings)
    }
    private func records(_ folder: String) throws -> ([JournalRecord], JournalReader.Ending?) {
        var reader = try JournalReader(folder: folder)
        var records: [JournalRecord] = []
        while let record = reader.next() { records.append(record) }
        return (records, reader.ending)
    }

    // MARK: Tests

    @Test("Every kind of input, command and note reads back as it was written", arguments: [UInt64(1), 2, 3])
    func roundTrip(seed: UInt64) throws {
        print("seed \(seed)")
        var random = RandomRecords(seed: seed)
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try writer(folder)
        var expected: [JournalRecord] = []
        for number in 0..<2000 {
            let time = Timestamp(nanoseconds: Int64(number))
            switch number % 4 {
            case 0:
                let event = random.event()
                journal.append(event)
                expected.append(.event(event))
            case 1:
                let input = random.input()
                journal.append(input, at: time)
                expected.append(.input(input, time))
            case 2:
                let command = random.command()
                _ = journal.append(command, at: time)
                expected.append(.command(command, time))
            default:
                let note = random.note()
                journal.append(note, at: time)
                expected.append(.note(note, time))
            }
            // A segment is given its successor by a thread of its own.
            while !journal.hasRoom { Thread.sleep(forTimeInterval: 0.001) }
        }
        journal.close()
        #expect(journal.dropped == 0)
        let (found, ending) = try records(folder)
        #expect(found == expected)
        #expect(ending == .clean)
        #expect(FileManager.default.fileExists(atPath: folder + "/00000001.journal"), "several segments")
    }

    @Test("A journal in memory takes any number of records, and says the same of the outputs")
    func inMemory() throws {
        var random = RandomRecords(seed: 9)
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (rehearsed, real) = (try JournalWriter(inMemory: 1 << 16), try writer(folder, segment: 1 << 22))
        for number in 0..<5_000 {
            let (event, command) = (random.event(), random.command())
            for journal in [rehearsed, real] {
                journal.append(event)
                #expect(journal.append(command, at: Timestamp(nanoseconds: Int64(number))))
                journal.fold(.command(command))
                journal.endInput()
            }
            #expect(rehearsed.hasRoom)
        }
        #expect(rehearsed.dropped == 0)
        #expect(rehearsed.records == real.records - 1, "but for the header")
        #expect(rehearsed.outputHash == real.outputHash)
        for journal in [rehearsed, real] { journal.close() }
    }

    @Test("A journal cut or damaged at any byte of its tail gives a prefix, and nothing else")
    func tornTail() throws {
        var random = RandomRecords(seed: 7)
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try writer(folder)
        for number in 0..<40 {
            journal.append(random.input(), at: Timestamp(nanoseconds: Int64(number)))
            journal.append(random.event())
        }
        journal.close()
        let (whole, _) = try records(folder)
        let path = folder + "/00000000.journal"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for offset in stride(from: max(bytes.count - 260, 400), to: bytes.count, by: 1) {
            try bytes.prefix(offset).write(to: URL(fileURLWithPath: path))
            let (cut, _) = try records(folder)
            #expect(cut.elementsEqual(whole.prefix(cut.count)))
            var damaged = bytes
            damaged[offset] ^= 0x40
            try damaged.write(to: URL(fileURLWithPath: path))
            let (found, _) = try records(folder)
            // What follows the damage does not count either: its check is chained to what is gone.
            #expect(found.count <= whole.count && found.elementsEqual(whole.prefix(found.count)))
        }
    }

    @Test("Pages that a power cut lost, in whatever order, end the journal before them")
    func powerCut() throws {
        var random = RandomRecords(seed: 11)
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try writer(folder)
        for number in 0..<400 { journal.append(random.input(), at: Timestamp(nanoseconds: Int64(number))) }
        journal.close()
        let (whole, _) = try records(folder)
        let path = folder + "/00000000.journal"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for page in 1..<(bytes.count / 4096) {
            var lost = bytes
            for index in page * 4096..<(page + 1) * 4096 { lost[index] = 0 }
            try lost.write(to: URL(fileURLWithPath: path))
            let (found, ending) = try records(folder)
            #expect(found.count < whole.count && found.elementsEqual(whole.prefix(found.count)))
            #expect(ending != .clean)
        }
    }

    @Test("On a full disk the journal says so while there is still room for a halt")
    func fullDisk() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try writer(folder, segments: 1)
        var random = RandomRecords(seed: 3)
        var written = 0
        while journal.hasRoom {
            journal.append(random.event())
            written += 1
        }
        #expect(written > 100)
        // What a halt writes still fits.
        for _ in 0..<50 { journal.append(.command(.halt(reason: "no room")), at: .distantPast) }
        #expect(journal.dropped == 0)
        // And what does not fit is left out without harm.
        for _ in 0..<5000 { journal.append(random.event()) }
        #expect(journal.dropped > 0)
        journal.close()
        let (found, ending) = try records(folder)
        #expect(found.count >= written + 50)
        #expect(ending == .clean)
    }

    @Test("Recovery knows every order that left, its names, and what was filled")
    func recovery() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try writer(folder)
        let market = Market(ticker: "KXA-26NOV23-T50")
        let id = Market.ID(0)
        let time = Timestamp(seconds: 1_795_000_000)
        journal.append(.defined(market), at: time)
        journal.append(.started(nonce: 42), at: time)
        for number in 1...3 {
            let request = OrderRequest(.bid, 10, at: 0.40, in: id)
            _ = journal.append(.place(PlaceOrder(id: OrderID(UInt64(number)), request: request)), at: time)
        }
        journal.append(.venueID(OrderID(1), "abc"), at: time)
        let fill = Fill(
            tradeID: "t1", order: OrderID(1), market: id, side: .bid, price: 0.40, quantity: 4,
            isTaker: false,
            fee: .zero, exchangeTime: time)
        for _ in 0..<2 {
            journal.append(
                .report(VenueReport(.filled(fill), order: OrderID(1), market: id, exchangeTime: time)),
                at: time)
        }
        journal.append(
            .report(
                VenueReport(
                    .rejected(VenueRejection(status: 400, code: "invalid_order")), order: OrderID(2),
                    market: id,
                    exchangeTime: time)), at: time)
        journal.append(.state(strategy: "maker", bytes: [1, 2, 3], isRestored: false), at: time)
        journal.close()

        let found = try JournalRecovery(folder: folder)
        #expect(found.nonce == 42)
        #expect(found.orders.map(\.id) == [OrderID(1), OrderID(2), OrderID(3)])
        #expect(found.orders[0].venueID == "abc" && found.orders[0].ticker == market.ticker)
        #expect(found.orders.map(\.isOver) == [false, true, false])
        #expect(found.positions[0]?[market.ticker]?.quantity == 4, "a fill told twice counts once")
        #expect(found.states["maker"] == [1, 2, 3])
    }

    /// A killed session's last segment, and the one made ahead of it, reserve 64 MB each.
    @Test(
        "A killed session's reserved room is given back and its journal reads as before",
        arguments: [0, 1, 700])
    func roomOfAKilledSession(count: Int) throws {
        let (folder, killed) = (self.folder(), self.folder())
        defer { for path in [folder, killed] { try? FileManager.default.removeItem(atPath: path) } }
        let journal = try writer(folder)
        for number in 0..<count { journal.append(.clock, at: Timestamp(nanoseconds: Int64(number))) }
        let second = folder + "/" + JournalFormat.name(1)
        while !FileManager.default.fileExists(atPath: second) { usleep(1000) }
        #expect(JournalRoom.giveBack(folder) == 0, "it is still written")
        // What a kill leaves: the files as they are, and nobody who holds them.
        try FileManager.default.copyItem(atPath: folder, toPath: killed)
        let before = try records(killed)
        #expect(JournalRoom.giveBack(killed) > 1 << 16)
        let after = try records(killed)
        #expect(after.0 == before.0)
        #expect(before.1 == .open && after.1 == .open)
        #expect(try JournalReader(folder: killed).byteCount < 100 * (count + 20))
        #expect(JournalRoom.giveBack(killed) == 0)
        journal.close()
        #expect(JournalRoom.giveBack(folder) == 0, "it ended in order")
        #expect(try records(folder).1 == .clean)
    }

    @Test func roomBehindDamageIsLeftAlone() throws {
        let (folder, killed) = (self.folder(), self.folder())
        defer { for path in [folder, killed] { try? FileManager.default.removeItem(atPath: path) } }
        let journal = try writer(folder)
        for number in 0..<50 { journal.append(.clock, at: Timestamp(nanoseconds: Int64(number))) }
        try FileManager.default.copyItem(atPath: folder, toPath: killed)
        let path = killed + "/" + JournalFormat.name(0)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 9] = 1
        try bytes.write(to: URL(fileURLWithPath: path))
        JournalRoom.giveBack(killed)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes, "a page that a power cut left")
    }
}

/// Records of every kind with random contents.
private struct RandomRecords {
    private var generator: SeededGenerator
    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    private mutating func flag() -> Bool { below(2) == 1 }
    private mutating func text() -> String {
        String((0..<below(12)).map { _ in "aß\"€z".randomElement(using: &generator) ?? "x" })
    }
    private mutating func price() -> Price { Price(micros: 100 * (1 + below(9999))) }
    private mutating func quantity() -> Quantity { Quantity(hundredths: Int64(below(1_000_000))) }
    private mutating func money() -> Money { Money(raw: Int64(bitPattern: generator.next()) >> 8) }
    private mutating func time() -> Timestamp {
        flag() ? .unknown : Timestamp(nanoseconds: Int64(below(1 << 60)))
    }
    private mutating func market() -> Market.ID { Market.ID(below(1000)) }
    private mutating func order() -> OrderID { OrderID(generator.next()) }
    private mutating func side() -> Side { flag() ? .bid : .ask }

    mutating func event() -> MarketEvent {
        let kinds: [MarketEvent.Kind] = [.delta, .trade, .snapshotStart, .snapshotLevel, .groupEnd]
        return MarketEvent(
            kinds[below(5)], market: market(), side: side(), price: price(), quantity: quantity(),
            flags: .init(rawValue: UInt8(below(64))), exchangeTime: time(),
            receiveTime: Timestamp(nanoseconds: 5))
    }
    private mutating func reason() -> CancelReason {
        let all: [CancelReason] = [
            .requested, .immediateRemainder, .expiry, .marketClosed, .halt, .selfTrade, .postOnlyCross,
            .reduceOnly,
            .margin, .orderGroup, .settlementBounds, .unknown(text()),
        ]
        return all[below(all.count)]
    }
    private mutating func rejection() -> VenueRejection {
        VenueRejection(status: below(600), code: text(), message: text())
    }
    private mutating func request() -> OrderRequest {
        let times: [TimeInForce] = [.goodTillCancelled, .goodTill(time()), .immediateOrCancel, .fillOrKill]
        return OrderRequest(
            side(), quantity(), at: price(), in: market(), timeInForce: times[below(4)], isPostOnly: flag(),
            isReduceOnly: flag(), selfTradePrevention: flag() ? .maker : .takerAtCross, cancelsOnPause: flag()
        )
    }
    private mutating func place() -> PlaceOrder { PlaceOrder(id: order(), request: request()) }

    mutating func command() -> VenueCommand {
        switch below(7) {
        case 0: return .place(place())
        case 1:
            return .amend(
                AmendOrder(id: order(), market: market(), side: side(), price: price(), quantity: quantity()))
        case 2: return .decrease(order(), market: market(), to: quantity())
        case 3: return .cancel(order(), market: market())
        case 4: return .placeBatch((0..<below(4)).map { _ in place() })
        case 5: return .cancelBatch((0..<below(4)).map { _ in OrderReference(order(), market: market()) })
        default: return .cancelEverything
        }
    }
    private mutating func report() -> VenueReport {
        let requests: [VenueReport.Request] = [.place, .amend, .decrease, .cancel]
        let body: VenueReport.Body
        switch below(12) {
        case 0: body = .accepted(filled: quantity(), remaining: quantity(), end: flag() ? reason() : nil)
        case 1: body = .rejected(rejection())
        case 2: body = .amended(price: price(), quantity: quantity(), remaining: quantity())
        case 3: body = .decreased(remaining: quantity())
        case 4: body = .cancelled(by: quantity())
        case 5: body = .changeRejected(requests[below(4)], rejection())
        case 6: body = .ended(reason())
        case 7:
            body = .filled(
                Fill(
                    tradeID: text(), order: order(), market: market(), side: side(), price: price(),
                    quantity: quantity(), isTaker: flag(), fee: money(), exchangeTime: time()))
        case 8: body = .unknown(requests[below(4)])
        case 9: body = .provenAbsent
        case 10:
            let states: [OrderState.Status] = [.resting, .executed, .cancelled, .unknown(text())]
            body = .state(
                OrderState(
                    status: states[below(4)], price: price(), filled: quantity(), remaining: quantity(),
                    reason: flag() ? reason() : nil))
        default: body = .rateLimited(requests[below(4)])
        }
        return VenueReport(
            body, order: order(), market: market(), exchangeTime: time(), venueOrderID: flag() ? text() : nil)
    }
    mutating func input() -> EngineInput {
        switch below(16) {
        case 0: return .started(nonce: generator.next())
        case 1:
            return .defined(
                Market(ticker: "KX\(text())-1", event: "E", title: text(), subtitle: text(), grid: .cent))
        case 2:
            return .ticker(Ticker(market: market(), lastPrice: flag() ? price() : nil, exchangeTime: time()))
        case 3:
            return .reference(
                ReferenceValue(
                    index: text(), value: money().raw, settlementAverage: nil, exchangeTime: time()))
        case 4: return .status(market(), flag() ? .active : .unknown("\(text())!"))
        case 5: return .result(market(), .scalar(price()))
        case 6: return .settled(market(), flag() ? .yes : .no)
        case 7: return .unusable(market(), .negativeSize(side: side(), price: price(), size: quantity()))
        case 8, 9, 10: return .report(report())
        case 11: return .balance(shard: flag() ? below(9) : nil, money())
        case 12:
            var adopted = Order(id: order(), request: request(), status: .resting, requestTime: time())
            adopted.filled = quantity()
            return .adoptedOrder(adopted, strategy: flag() ? below(3) : nil)
        case 13:
            return .adoptedPosition(
                market(), Position(quantity: quantity(), cost: money()), strategy: flag() ? below(3) : nil)
        case 14: return .limits(.tiers[below(7)])
        default:
            let commands: [OperatorCommand] = [
                .halt(reason: text()), .reduceOnly(reason: text()), .resume,
                .tighten(account: RiskLimits(), strategies: flag() ? .unlimited : nil),
                .carry(money(), strategy: flag() ? below(3) : nil),
            ]
            return .command(commands[below(5)])
        }
    }
    mutating func note() -> JournalNote {
        switch below(5) {
        case 0: return .venueID(order(), text())
        case 1:
            return .state(
                strategy: text(), bytes: (0..<below(40)).map { _ in UInt8(below(256)) }, isRestored: flag())
        case 2: return .group(shard: below(9), id: text())
        case 3: return .owner(order(), strategy: below(9))
        default: return .text(text())
        }
    }
}
