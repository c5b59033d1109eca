import Martlet
import MartletNetwork
import MartletWire

/// One WebSocket connection: its subscriptions, and frames on their way out.
final class FeedSession: WebSocketHandler {
    /// Market subscriptions of one session, over all channels (API.md §14).
    static let marketsMax = 500_000
    static let commandsPerSecond = 10_000

    /// Strong on purpose: a socket's last words may come when the server is gone. `finish` breaks the circle.
    let hub: FeedHub
    let member: Member
    let key: KeyEntry
    var socket: WebSocketConnection?
    private(set) var subscriptions: [Subscription] = []
    private var nextSID = 1
    // Unchecked exclusivity of the hot ones is sound: all is on one thread, and no access spans a call back in.
    @exclusivity(unchecked) private var isOver = false
    /// Whole frames that have not been handed to the socket yet: a frame's way ends here, at two objects, and the
    /// socket's own are touched once a flush.
    @exclusivity(unchecked) private var pending: [UInt8] = []
    /// Room that a session keeps for the next frames.
    private static let pendingKept = 32 * 1024
    /// More than this is the socket's, which has a limit.
    private static let pendingMax = 256 * 1024
    /// A frame that waits to be overtaken (fault).
    private var overtaken: [UInt8]?
    @exclusivity(unchecked) var isDirty = false
    private var commandSecond: Int64 = 0
    private var commands = 0

    init(_ hub: FeedHub, _ member: Member, _ key: KeyEntry) {
        self.hub = hub
        self.member = member
        self.key = key
    }

    // MARK: Subscriptions

    func subscription(_ sid: Int64) -> Subscription? { subscriptions.first { Int64($0.sid) == sid } }
    func subscription(to channel: Channel) -> Subscription? { subscriptions.first { $0.channel == channel } }
    var marketCount: Int { subscriptions.reduce(0) { $0 + $1.marketCount } }

    func subscribe(
        _ channel: Channel, _ markets: [Market.ID]?, usesYesPrices: Bool, skipsAck: Bool
    ) -> Subscription {
        let new = Subscription(
            sid: nextSID, channel: channel, session: self, markets: markets, usesYesPrices: usesYesPrices,
            skipsAck: skipsAck)
        nextSID += 1
        subscriptions.append(new)
        hub.enter(new)
        return new
    }
    func end(_ subscription: Subscription) {
        subscriptions.removeAll { $0 === subscription }
        hub.leave(subscription)
    }

    /// False when the session sends commands faster than the exchange takes them.
    func admitsCommand(_ now: Int64) -> Bool {
        let second = now / 1_000_000_000
        if second != commandSecond {
            commandSecond = second
            commands = 0
        }
        commands += 1
        return commands <= FeedSession.commandsPerSecond
    }

    // MARK: Frames out

    /// Sends a frame of a subscription, with the faults that are on. Leaves with the hub's next flush.
    func send(_ text: [UInt8], isData: Bool = true) {
        guard !isOver, let socket else { return }
        var bytes = text
        if hub.hasFaults {
            guard hub.dice.faults.halfOpen == false else { return }
            if hub.dice.strikes(\.extraField), let value = try? JSONParser.parse(bytes) {
                bytes = Array(JSONWriter.text(value.withExtraFields).utf8)
            }
            if isData {
                if hub.dice.strikes(\.dropSocket) { return cut() }
                if hub.dice.strikes(\.sequenceGap) { return }
                if hub.dice.strikes(\.unknownType) {
                    write(
                        Array(#"{"type":"sandbox_unknown","msg":{"note":"not in any documentation"}}"#.utf8),
                        socket)
                }
                if overtaken == nil, hub.dice.strikes(\.reorderFrame) {
                    overtaken = bytes
                    return
                }
                if hub.dice.strikes(\.duplicateFrame) { write(bytes, socket) }
            }
        }
        write(bytes, socket)
        if let late = overtaken {
            overtaken = nil
            write(late, socket)
        }
    }

    /// Sends a frame with its header in front, whose text may be shared with other sessions.
    func send(_ frame: UnsafeRawBufferPointer, header: Int, isData: Bool) {
        guard !isOver, socket != nil else { return }
        if hub.hasFaults { return send(Array(frame[header...]), isData: isData) }
        pending.append(contentsOf: frame)
        if pending.count > FeedSession.pendingMax { drain(flush: false) }
        noteSent()
    }
    /// Hands the frames that wait to the socket, before anything else that goes the same way.
    private func drain(flush: Bool) {
        guard let socket else { return }
        guard !pending.isEmpty else {
            if flush { socket.flush() }
            return
        }
        pending.withUnsafeBytes { _ = socket.send(prepared: $0, flush: flush) }
        pending.removeAll(keepingCapacity: pending.capacity <= FeedSession.pendingKept)
    }
    private func noteSent() {
        hub.counts.frames += 1
        if !isDirty {
            isDirty = true
            hub.dirty.append(self)
        }
    }

    private func write(_ bytes: [UInt8], _ socket: WebSocketConnection) {
        drain(flush: false)
        let delay = hub.hasFaults ? hub.dice.faults.feedDelayMilliseconds : 0
        if delay > 0 {
            hub.loop.schedule(after: Int64(delay * 1e6)) { [self] in
                guard !isOver else { return }
                bytes.withUnsafeBytes { _ = socket.send(.text, $0) }
            }
            return
        }
        bytes.withUnsafeBytes { _ = socket.send(.text, $0, flush: false) }
        noteSent()
    }

    /// Hands what waits to the kernel; a client that does not read is dropped, and told (API.md §14.5, 25).
    func flush() {
        isDirty = false
        guard !isOver, let socket else { return }
        drain(flush: true)
        guard socket.pendingOutput > hub.settings.clientBuffer else { return }
        hub.counts.overflows += 1
        for subscription in subscriptions {
            subscription.sequence += 1
            let text = FeedFrames.error(
                25, "Subscription buffer overflow", sid: subscription.sid, sequence: subscription.sequence,
                at: hub.sending)
            text.withUnsafeBytes { _ = socket.send(.text, $0, flush: false) }
        }
        leaveAll()
        isOver = true
        socket.close(1008, reason: "the client reads too slowly")
    }

    /// Cuts the connection without a word.
    func cutNow() { cut() }

    private func cut() {
        socket?.drop()
        finish()
    }

    private func leaveAll() {
        for subscription in subscriptions { hub.leave(subscription) }
        subscriptions = []
    }

    private func finish() {
        isOver = true
        leaveAll()
        socket = nil
        hub.forget(self)
    }

    func close() {
        if !isOver { drain(flush: false) }
        isOver = true
        socket?.close(WebSocketCloseCode.goingAway, reason: "the sandbox ends")
    }

    func heartbeat() {
        guard !isOver, !hub.dice.faults.halfOpen else { return }
        socket?.ping(Array("heartbeat".utf8))
    }

    // MARK: Frames in

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        guard !isOver, !hub.dice.faults.halfOpen else { return }
        hub.command(bytes, from: self)
    }
    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        finish()
    }
}
