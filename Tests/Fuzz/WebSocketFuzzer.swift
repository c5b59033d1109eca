// A libFuzzer target over the WebSocket parser of the network room; `Tests/Fuzz/run websocket` builds and starts it.
// The first byte of an input chooses the role and where the rest is cut; whole and cut must agree.

private func frames(_ bytes: UnsafeRawBufferPointer, cut: Int, role: WebSocketParser.Role) -> Bool {
    var parser = WebSocketParser(role: role, messageMax: 1 << 16)
    return feed(bytes, cut: cut) { pending in
        guard let (consumed, event) = try? parser.next(pending) else { return nil }
        if case .needsMore = event { return (consumed, false) }
        return (consumed, true)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let cut = Int(start[0] >> 1) % bytes.count
    let role: WebSocketParser.Role = start[0] & 1 == 0 ? .client : .server
    precondition(
        frames(bytes, cut: 0, role: role) == frames(bytes, cut: cut, role: role),
        "the cut changed the outcome")
    return 0
}
