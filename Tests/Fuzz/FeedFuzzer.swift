// A libFuzzer target over the feed's session, decoder included; `Tests/Fuzz/run-feed` builds and starts it.
// An input is a run of messages, a line each; a line "~" ends the connection, "." lets seconds pass.
import Martlet
import MartletEngine
import MartletKalshi
import MartletWire

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var session = FeedSession()
    var batch = FeedBatch()
    var now = Timestamp(seconds: 1_795_442_400)
    for index in 0..<2 {
        session.register("M\(index)", as: Market.ID(index))
        for channel in [FeedChannel.book, .trades, .ticker] { session.subscribe(channel, Market.ID(index)) }
    }
    for channel in [FeedChannel.fills, .userOrders, .lifecycle] { session.subscribe(channel) }
    session.opened(at: now)
    var isUsable = [false, false]
    for line in UnsafeBufferPointer(start: start, count: count).split(separator: 10) {
        switch line.first {
        case UInt8(ascii: "~"):
            session.closed(at: now)
            session.opened(at: now)
        case UInt8(ascii: "."):
            now = now + .seconds(3)
            session.advance(to: now)
        default:
            session.receive(UnsafeBufferPointer(rebasing: line), at: now)
            session.drained(at: now) { $0.index == 0 }
        }
        precondition(session.takeCommands(at: now).count <= 16, "more commands than may be under way")
        session.exchange(&batch)
        batch.forEach(
            event: { event in
                let market = Int(event.market.index)
                precondition(event.kind != .delta || isUsable[market], "a delta on an unusable book")
                if event.kind == .snapshotStart { isUsable[market] = false }
                if event.flags.contains(.snapshotEnd) { isUsable[market] = true }
            },
            output: { output in
                if case .unusable(let market, _) = output { isUsable[Int(market.index)] = false }
            })
    }
    return 0
}
