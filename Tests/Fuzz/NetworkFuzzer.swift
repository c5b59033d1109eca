// A libFuzzer target over the pure parsers of the network room; `Tests/Fuzz/run` builds and starts it.
// The first byte of an input chooses the parser and where the rest is cut; whole and cut must agree.

/// Feeds `bytes` in two pieces to a parser's step, which takes what is pending and returns what it consumed,
/// or nil for "no more". False where the parser refused.
private func feed(
    _ bytes: UnsafeRawBufferPointer, cut: Int, _ step: (UnsafeMutableRawBufferPointer) -> (Int, more: Bool)?
) -> Bool {
    var pending: [UInt8] = []
    for piece in [bytes[..<cut], bytes[cut...]] {
        pending.append(contentsOf: piece)
        var more = true
        while more {
            let result = pending.withUnsafeMutableBytes { step($0) }
            guard let (consumed, goesOn) = result else { return false }
            pending.removeFirst(consumed)
            more = goesOn
        }
    }
    return true
}

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
    let cut = Int(start[0] >> 2) % bytes.count
    let agree =
        switch start[0] & 3 {
        case 0: response(bytes, cut: 0) == response(bytes, cut: cut)
        case 1: request(bytes, cut: 0) == request(bytes, cut: cut)
        case 2: frames(bytes, cut: 0, role: .client) == frames(bytes, cut: cut, role: .client)
        default: frames(bytes, cut: 0, role: .server) == frames(bytes, cut: cut, role: .server)
        }
    precondition(agree, "the cut changed the outcome")
    return 0
}
