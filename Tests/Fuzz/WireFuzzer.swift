// A libFuzzer target over the message decoder and the JSON parser; `Tests/Fuzz/run wire` builds and starts it.
// Whatever the quick ways take, the general parser must take alike; what the parser takes, the writer must give back.

private func require(_ condition: Bool, _ what: String) { precondition(condition, what) }

/// What a decoder made of a frame, as far as both ways tell it.
private func isAlike(_ a: WireFrame, _ b: WireFrame) -> Bool {
    a.kind == b.kind && a.id == b.id && a.sid == b.sid && a.seq == b.seq && a.side == b.side
        && a.price == b.price && a.quantity == b.quantity && a.exchangeTime == b.exchangeTime
        && a.sendingTime == b.sendingTime && a.isOwn == b.isOwn && a.isBlock == b.isBlock
        && a.tradeID == b.tradeID && (a.market < 0) == (b.market < 0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = UnsafeBufferPointer(start: start + 1, count: count - 1)
    let usesYesPrice = start[0] & 1 == 0
    var quick = MessageDecoder(usesYesPrice: usesYesPrice)
    let frame = try? quick.decode(bytes)
    _ = try? frame?.detail()
    guard let value = try? JSONParser.parse(bytes) else {
        require(frame == nil, "decoded what is no JSON")
        return 0
    }
    require((try? JSONParser.parse(JSONWriter.text(value))) == value, "written otherwise than read")
    var general = MessageDecoder(usesYesPrice: usesYesPrice)
    let other = try? general.decode(value)
    require((frame == nil) == (other == nil), "one way takes what the other refuses")
    if let frame, let other {
        require(isAlike(frame, other), "the two ways differ")
        if frame.kind == .snapshot { require(quick.levels == general.levels, "the levels differ") }
        if frame.market >= 0 {
            require(
                quick.tickers.ticker(frame.market) == general.tickers.ticker(other.market),
                "the tickers differ")
        }
    }
    return 0
}
