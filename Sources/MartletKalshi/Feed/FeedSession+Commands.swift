import Martlet
import MartletEngine
import MartletWire

// Commands out: what is wanted and not had, a batch at a time, with a bounded number under way.

extension FeedSession {
    /// Everything to be sent now, in order. To be called after anything was told to the session.
    public mutating func takeCommands(at time: Timestamp) -> [String] {
        guard isOpen else { return [] }
        pump(at: time)
        guard !outbox.isEmpty else { return [] }
        defer { outbox.removeAll(keepingCapacity: true) }
        return outbox
    }

    /// Lets time pass: lost answers, groups that time out, the question whether anybody is there.
    public mutating func advance(to time: Timestamp) {
        guard isOpen else { return }
        endTimedOutGroups(at: time)
        for command in takeOverdue(time) { overdue(command, at: time) }
        probe(at: time)
    }

    /// When `advance` and `takeCommands` want to be called at the latest.
    public var nextWake: Timestamp {
        guard isOpen else { return .distantFuture }
        var wake = nextGroupEnd
        for command in pending { wake = min(wake, command.deadline) }
        wake = min(wake, max(lastMessage, probeSent) + settings.probeInterval)
        if probeSent > lastMessage { wake = min(wake, probeSent + settings.replyTimeout) }
        // What waits for room goes out when an answer makes it.
        guard inFlight < settings.commandsInFlightMax else { return wake }
        for want in snapshotQueue { wake = min(wake, want.notBefore) }
        for channel in channels where channel.hasWork {
            let ready = channel.batches.reduce(channel.hasNewWork ? .distantPast : .distantFuture) {
                min($0, $1.notBefore)
            }
            wake = min(wake, max(ready, channel.retryAt))
        }
        return wake
    }

    // MARK: - Choosing

    private mutating func pump(at time: Timestamp) {
        for channel in FeedChannel.allCases where channels[channel].hasWork {
            while inFlight < settings.commandsInFlightMax, ask(channel, at: time) {}
        }
        while inFlight < settings.commandsInFlightMax, askSnapshots(at: time) {}
    }
    private var inFlight: Int {
        pending.reduce(0) { $0 + ($1.kind == .awaiting || $1.kind == .probe ? 0 : 1) }
    }

    /// Sends one command for a channel. False when there is none to send now.
    private mutating func ask(_ channel: FeedChannel, at time: Timestamp) -> Bool {
        let state = channels[channel]
        guard !state.isRefused, !state.isSubscribing, !state.isClosing, state.retryAt <= time else {
            return false
        }
        if !state.leaving.isEmpty, let sid = state.sid, askRemoval(channel, sid, at: time) { return true }
        if state.wantsAll {
            guard state.sid == nil, state.batches.allSatisfy({ $0.notBefore <= time }) else { return false }
            let attempts = state.batches.last?.attempts ?? 0
            channels[channel].batches.removeAll()
            channels[channel].isSubscribing = true
            send(.subscribe, channel, rows: [], attempts: attempts, at: time)
            return true
        }
        guard let next = nextBatch(channel, at: time) else { return false }
        for row in next.rows {
            rows[row].asked |= channel.mask
            if channel == .book, rows[row].book == .none { rows[row].book = .awaiting }
        }
        if let sid = state.sid {
            send(.add, channel, rows: next.rows, sid: sid, attempts: next.attempts, at: time)
        } else {
            channels[channel].isSubscribing = true
            send(.subscribe, channel, rows: next.rows, attempts: next.attempts, at: time)
        }
        return true
    }

    /// Markets to be added: those to be tried again first.
    private mutating func nextBatch(_ channel: FeedChannel, at time: Timestamp) -> Batch? {
        func isDue(_ row: Int) -> Bool {
            rows[row].wants & channel.mask != 0 && (rows[row].has | rows[row].asked) & channel.mask == 0
        }
        while let index = channels[channel].batches.firstIndex(where: { $0.notBefore <= time }) {
            var batch = channels[channel].batches.remove(at: index)
            batch.rows.removeAll { !isDue($0) }
            if !batch.rows.isEmpty { return batch }
        }
        var taken: [Int] = []
        var passed = 0
        for row in channels[channel].fresh {
            guard taken.count < settings.batchSize else { break }
            passed += 1
            if isDue(row), !taken.contains(row) { taken.append(row) }
        }
        channels[channel].fresh.removeFirst(passed)
        guard !taken.isEmpty else { return nil }
        if channels[channel].isFull {
            giveBack(taken, channel)
            return nextBatch(channel, at: time)
        }
        return Batch(rows: taken, attempts: 0, notBefore: time)
    }

    private mutating func askRemoval(_ channel: FeedChannel, _ sid: Int64, at time: Timestamp) -> Bool {
        if channels[channel].wanted == 0, !channels[channel].wantsAll {
            // Without its last market a filter would be none, which on some channels means every market.
            for row in rows.indices { rows[row].has &= ~channel.mask }
            channels[channel].leaving.removeAll()
            end(sid, channel, at: time)
            return true
        }
        let leaving = channels[channel].leaving
        let going = leaving.prefix(settings.batchSize)
        channels[channel].leaving.removeFirst(going.count)
        let gone = going.filter { rows[$0].wants & channel.mask == 0 && rows[$0].has & channel.mask != 0 }
        // One that is only being added is removed when the answer has come.
        let early = going.filter { rows[$0].wants & channel.mask == 0 && rows[$0].asked & channel.mask != 0 }
        channels[channel].leaving += early
        guard !gone.isEmpty else { return false }
        for row in gone { rows[row].has &= ~channel.mask }
        send(.remove, channel, rows: Array(gone), sid: sid, at: time)
        return true
    }

    private mutating func askSnapshots(at time: Timestamp) -> Bool {
        var sid: Int64?
        var taken: [Int] = []
        var left: [SnapshotWant] = []
        for want in snapshotQueue {
            let row = want.row
            guard rows[row].book == .awaiting, rows[row].wants & FeedChannel.book.mask != 0 else {
                rows[row].isQueued = false
                continue
            }
            guard subscriptions.contains(where: { $0.sid == rows[row].sid }) else {
                // Its subscription has ended: subscribing brings a snapshot.
                rows[row].isQueued = false
                rows[row].has &= ~FeedChannel.book.mask
                channels[.book].fresh.append(row)
                continue
            }
            guard want.notBefore <= time, taken.count < settings.batchSize,
                sid == nil || sid == rows[row].sid
            else {
                left.append(want)
                continue
            }
            sid = rows[row].sid
            rows[row].isQueued = false
            taken.append(row)
        }
        snapshotQueue = left
        guard let sid else { return false }
        statistics.snapshotRequests += 1
        send(.snapshot, .book, rows: taken, sid: sid, at: time)
        return true
    }

    /// Asks whether the exchange listens, when nothing has come for long.
    private mutating func probe(at time: Timestamp) {
        guard !hasStalled else { return }
        if probeSent.isKnown, probeSent > lastMessage {
            guard time - probeSent >= settings.replyTimeout else { return }
            hasStalled = true
            return tell(.stalled)
        }
        guard time - lastMessage >= settings.probeInterval else { return }
        probeSent = time
        send(.probe, .lifecycle, rows: subscriptions.map { Int($0.sid) }, at: time)
    }

    // MARK: - Sending

    mutating func send(
        _ kind: Pending.Kind, _ channel: FeedChannel, rows: [Int], sid: Int64 = -1, attempts: Int = 0,
        at time: Timestamp
    ) {
        lastID += 1
        let names = kind == .probe ? [] : rows.map { decoder.tickers.ticker($0) }
        switch kind {
        case .subscribe:
            outbox.append(
                FeedCommand.subscribe(
                    id: lastID, channel, tickers: names, indices: channels[channel].indices,
                    usesYesPrice: settings.usesYesPrice))
        case .add, .remove, .snapshot:
            let action: FeedCommand.Action =
                kind == .add ? .add : kind == .remove ? .remove : .snapshot
            outbox.append(
                FeedCommand.update(id: lastID, sid: sid, action, tickers: names, channel: channel))
        case .unsubscribe: outbox.append(FeedCommand.unsubscribe(id: lastID, sid: sid))
        case .probe: outbox.append(FeedCommand.listSubscriptions(id: lastID))
        case .awaiting: return
        }
        statistics.commands += 1
        pending.append(
            Pending(
                id: lastID, kind: kind, channel: channel, rows: rows, sid: sid, attempts: attempts,
                deadline: time + settings.replyTimeout))
    }

    /// Ends a subscription; what is still wanted of it is to be subscribed when the answer has come.
    mutating func end(_ sid: Int64, _ channel: FeedChannel, at time: Timestamp) {
        retire(sid)
        channels[channel].isClosing = true
        send(.unsubscribe, channel, rows: [], sid: sid, at: time)
    }

    /// Forgets a subscription: its books may not be used, its markets are wanted anew.
    mutating func retire(_ sid: Int64) {
        guard let index = subscriptions.firstIndex(where: { $0.sid == sid }) else { return }
        let channel = subscriptions.remove(at: index).channel
        if retired.count == FeedSession.retiredMax { retired.removeFirst() }
        retired.append(sid)
        tracker.forget(sid: sid)
        holes.removeAll { $0.sid == sid }
        pending.removeAll { $0.sid == sid && ($0.kind == .snapshot || $0.kind == .awaiting) }
        channels[channel].isAnnounced = false
        if channels[channel].sid == sid {
            channels[channel].sid = subscriptions.last { $0.channel == channel }?.sid
        }
        for row in rows.indices where rows[row].has & channel.mask != 0 {
            if channel == .book {
                // A book that came by another subscription of the channel stays.
                guard rows[row].sid == sid || rows[row].sid < 0 else { continue }
                if rows[row].book == .live { distrust(row, .gap) }
                rows[row].sid = -1
            }
            rows[row].has &= ~channel.mask
            if rows[row].wants & channel.mask != 0 { channels[channel].fresh.append(row) }
        }
    }

    /// Makes a subscription anew that has lost its way.
    mutating func renew(_ sid: Int64, at time: Timestamp) {
        guard let found = subscriptions.first(where: { $0.sid == sid }) else { return }
        statistics.resubscriptions += 1
        end(sid, found.channel, at: time)
    }

    /// Markets that this connection cannot carry.
    mutating func giveBack(_ given: [Int], _ channel: FeedChannel) {
        for row in given where rows[row].wants & channel.mask != 0 {
            rows[row].wants &= ~channel.mask
            channels[channel].wanted -= 1
            if channel == .book { rows[row].book = .none }
        }
        tell(.overLimit(channel, given.compactMap { marketID($0) }))
    }

    func delay(_ attempts: Int) -> TimeSpan {
        let doubled = settings.retryDelay * Int64(1 << min(max(attempts - 1, 0), 20))
        return min(doubled, settings.retryDelayMax)
    }
}

extension FeedSession.ChannelState {
    /// Something can be asked as soon as time allows.
    var hasNewWork: Bool {
        !fresh.isEmpty || (wantsAll && sid == nil && batches.isEmpty)
            || (!leaving.isEmpty && sid != nil)
    }
    /// A command is to be sent, now or later.
    var hasWork: Bool {
        !isRefused && !isSubscribing && !isClosing && (hasNewWork || !batches.isEmpty)
    }
}
