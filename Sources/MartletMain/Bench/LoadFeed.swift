import MartletNetwork

/// What all load feeds of one thread see together.
final class LoadTally {
    var frames = 0
    var bytes = 0
    /// Frames whose `seq` did not follow the one before.
    var gaps = 0
    var opened = 0
    var closed = 0
    /// From the exchange's time stamp to our reading, in milliseconds, of one frame in a hundred.
    var lags: [Int64] = []
}

/// One account's WebSocket under load: checks the order of what comes, and counts.
final class LoadFeed: WebSocketHandler {
    private let tally: LoadTally
    private let subscription: String
    private var sequence: Int64 = 0
    private var untilSample: Int
    private(set) var socket: WebSocketConnection?

    init(
        _ loop: EventLoop, _ url: HTTPURL, _ headers: HTTPHeaders, _ tls: TLSContext?, subscription: String,
        _ tally: LoadTally, sampleAfter: Int
    ) {
        self.tally = tally
        self.subscription = subscription
        untilSample = sampleAfter
        var configuration = WebSocketConfiguration()
        configuration.readSize = 16 * 1024
        // The server makes hundreds of handshakes on one thread first.
        configuration.handshakeTimeout = Nanoseconds.seconds(60)
        socket = WebSocketConnection(
            loop, to: url, headers: headers, tls: tls, configuration: configuration, handler: self)
    }

    func webSocketOpened(_ socket: WebSocketConnection) {
        tally.opened += 1
        socket.send(text: subscription)
    }

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        guard let number = LoadFeed.number(after: "\"seq\":", in: bytes, from: 0) else { return }
        tally.frames += 1
        tally.bytes += bytes.count
        if number != sequence + 1 { tally.gaps += 1 }
        sequence = number
        untilSample -= 1
        guard untilSample <= 0 else { return }
        untilSample = 100
        guard let stamp = LoadFeed.number(after: "\"ts_ms\":", in: bytes, from: bytes.count / 2) else {
            return
        }
        tally.lags.append(Clocks.wall() / 1_000_000 - stamp)
    }

    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        tally.closed += 1
        self.socket = nil
    }

    func drop() {
        socket?.drop()
        socket = nil
    }

    /// The digits behind the first place of a key.
    static func number(after key: StaticString, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int64? {
        let length = key.utf8CodeUnitCount
        var index = start
        while index + length < bytes.count {
            if bytes[index] == key.utf8Start[0], matches(key, bytes, index) {
                var value: Int64 = 0
                var place = index + length
                while place < bytes.count, bytes[place] >= 48, bytes[place] <= 57, value < 1 << 56 {
                    value = value * 10 + Int64(bytes[place] - 48)
                    place += 1
                }
                return place > index + length ? value : nil
            }
            index += 1
        }
        return nil
    }
    private static func matches(_ key: StaticString, _ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        for place in 0..<key.utf8CodeUnitCount where bytes[start + place] != key.utf8Start[place] {
            return false
        }
        return true
    }
}
