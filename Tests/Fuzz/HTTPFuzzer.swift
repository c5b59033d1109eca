// A libFuzzer target over the HTTP parsers of the network room; `Tests/Fuzz/run http` builds and starts it.
// The first byte of an input chooses the parser and where the rest is cut; whole and cut must agree.

private func response(_ bytes: UnsafeRawBufferPointer, cut: Int) -> Bool {
    var parser = HTTPResponseParser(method: "GET")
    return feed(bytes, cut: cut) { pending in
        guard let (consumed, event) = try? parser.next(UnsafeRawBufferPointer(pending)) else { return nil }
        return (consumed, event != nil)
    }
}

private func request(_ bytes: UnsafeRawBufferPointer, cut: Int) -> Bool {
    var parser = HTTPRequestParser(limits: HTTPLimits())
    return feed(bytes, cut: cut) { pending in
        guard let (consumed, event) = try? parser.next(UnsafeRawBufferPointer(pending)) else { return nil }
        return (consumed, event != nil)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let cut = Int(start[0] >> 1) % bytes.count
    let agree =
        start[0] & 1 == 0
        ? response(bytes, cut: 0) == response(bytes, cut: cut)
        : request(bytes, cut: 0) == request(bytes, cut: cut)
    precondition(agree, "the cut changed the outcome")
    return 0
}
