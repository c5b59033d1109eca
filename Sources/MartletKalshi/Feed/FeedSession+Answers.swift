import Martlet
import MartletEngine
import MartletWire

// The exchange's answers, its errors, and answers that do not come.

extension FeedSession {
    mutating func control(_ frame: WireFrame, at time: Timestamp) {
        let detail: WireDetail
        do {
            detail = try frame.detail()
        } catch {
            statistics.malformed += 1
            return remark("unreadable answer: \(error)")
        }
        let command = frame.id.flatMap { id in id > 0 ? takePending(id) : nil }
        switch detail {
        case .subscribed(let name, let sid):
            guard let channel = FeedChannel(wire: name) else {
                return remark("subscribed to the unknown channel '\(name)'")
            }
            if command?.kind == .subscribe { revive(sid) }
            guard !retired.contains(sid) else { return }
            adopt(sid, channel)
            channels[channel].sid = sid
            if let command { confirm(command, sid: sid, tickers: nil, at: time) }
        case .ok(let message):
            guard let command else { return }
            if let list = message.subscriptions { return listed(list, command, at: time) }
            // A second subscribe on a channel merges into the first and is answered so.
            if command.kind == .subscribe, let sid = frame.sid { revive(sid) }
            if let sid = frame.sid, !retired.contains(sid) {
                adopt(sid, command.channel)
                if command.kind == .subscribe { channels[command.channel].sid = sid }
            }
            confirm(command, sid: frame.sid, tickers: message.tickers, at: time)
        case .unsubscribed: unsubscribed(frame.sid ?? command?.sid ?? -1, command, at: time)
        case .error(let message): failed(message, frame, command, at: time)
        case .fill, .userOrder, .marketPosition, .marketLifecycle, .eventLifecycle, .eventFee, .orderGroup,
            .reference, .unknown, .none:
            break
        }
    }

    /// The exchange names a subscription that had ended for us: a merge into one whose end was lost, or a number
    /// used again. Its count is not known.
    private mutating func revive(_ sid: Int64) {
        guard retired.contains(sid) else { return }
        retired.removeAll { $0 == sid }
        tracker.forget(sid: sid)
    }

    private mutating func takePending(_ id: Int64) -> Pending? {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return nil }
        // Its snapshots go on being awaited.
        if pending[index].kind == .snapshot || pending[index].kind == .awaiting { return pending[index] }
        return pending.remove(at: index)
    }

    // MARK: - Taken

    private mutating func confirm(
        _ command: Pending, sid: Int64?, tickers: [String]?, at time: Timestamp
    ) {
        let channel = command.channel
        switch command.kind {
        case .subscribe, .add:
            if command.kind == .subscribe { channels[channel].isSubscribing = false }
            channels[channel].failures = 0
            var left: [Int] = []
            let named = tickers.map { Set($0) }
            var awaited: [Int] = []
            for row in command.rows {
                rows[row].asked &= ~channel.mask
                if let named, !named.contains(decoder.tickers.ticker(row)) {
                    left.append(row)
                    continue
                }
                rows[row].has |= channel.mask
                if channel == .book, rows[row].book == .awaiting {
                    if let sid { rows[row].sid = sid }
                    awaited.append(row)
                }
            }
            if !left.isEmpty { again(left, command, "left out of the exchange's list", code: 0, at: time) }
            if !awaited.isEmpty {
                pending.append(
                    Pending(
                        id: command.id, kind: .awaiting, channel: channel, rows: awaited, sid: sid ?? -1,
                        deadline: time + settings.replyTimeout))
            }
            announce(channel)
        case .remove: announce(channel)
        case .unsubscribe: unsubscribed(command.sid, command, at: time)
        case .snapshot, .awaiting, .probe: break
        }
    }

    /// Tells once that all that is wanted of a channel is subscribed.
    private mutating func announce(_ channel: FeedChannel) {
        let state = channels[channel]
        guard !state.isAnnounced, state.sid != nil, state.fresh.isEmpty, state.batches.isEmpty,
            !pending.contains(where: { $0.channel == channel && ($0.kind == .add || $0.kind == .subscribe) })
        else { return }
        channels[channel].isAnnounced = true
        if !state.lastReceived.isKnown { channels[channel].lastReceived = lastMessage }
        tell(.subscribed(channel))
        if channel.needsReconciliation, channel.isPrivate || state.hadLife {
            tell(.reconcile(channel, since: state.hadLife ? state.lastReceived : .unknown))
        }
        channels[channel].hadLife = true
    }

    private mutating func unsubscribed(_ sid: Int64, _ command: Pending?, at time: Timestamp) {
        if let command, command.kind == .unsubscribe {
            channels[command.channel].isClosing = false
        } else if let index = pending.firstIndex(where: { $0.kind == .unsubscribe && $0.sid == sid }) {
            channels[pending.remove(at: index).channel].isClosing = false
        }
        guard let found = subscriptions.first(where: { $0.sid == sid }) else { return }
        remark("the exchange ended subscription \(sid) (\(found.channel.wire))")
        statistics.resubscriptions += 1
        retire(sid)
    }

    /// `list_subscriptions`: proof of life; and what we believe to have must be there.
    private mutating func listed(
        _ list: [OKMessage.Subscription], _ command: Pending, at time: Timestamp
    ) {
        // Subscriptions made since the question was asked may be missing from its answer.
        let missing = subscriptions.filter { subscription in
            command.rows.contains(Int(subscription.sid)) && !list.contains { $0.sid == subscription.sid }
        }
        for subscription in missing {
            remark("the exchange has lost subscription \(subscription.sid) (\(subscription.channel.wire))")
            statistics.resubscriptions += 1
            retire(subscription.sid)
        }
    }

    // MARK: - Refused

    private mutating func failed(
        _ error: ErrorMessage, _ frame: WireFrame, _ command: Pending?, at time: Timestamp
    ) {
        statistics.errors += 1
        remark("the exchange reports error \(error.code): \(error.message)")
        if error.endsSubscription, let sid = frame.sid ?? command.map(\.sid), sid >= 0 {
            if let found = subscriptions.first(where: { $0.sid == sid }) {
                statistics.resubscriptions += 1
                retire(sid)
                backOff(found.channel, at: time)
            }
        }
        guard let command else { return }
        let channel = command.channel
        if command.kind != .probe {
            for row in command.rows { rows[row].asked &= ~channel.mask }
        }
        switch command.kind {
        case .subscribe:
            channels[channel].isSubscribing = false
            refused(command, error, at: time)
        case .add: refused(command, error, at: time)
        case .snapshot:
            // Known there no more: subscribe anew. Otherwise each is asked for later.
            pending.removeAll { $0.id == command.id }
            if error.code == 7 { retire(command.sid) } else { askLater(command.rows, at: time) }
        case .unsubscribe: channels[channel].isClosing = false
        case .remove, .probe, .awaiting: break
        }
    }

    private mutating func refused(_ command: Pending, _ error: ErrorMessage, at time: Timestamp) {
        let channel = command.channel
        switch error.code {
        case 7, 12:
            if command.sid >= 0 { retire(command.sid) }
            again(command.rows, command, error.message, code: error.code, at: time)
        case 10, 18, 25, 27:
            backOff(channel, at: time)
            again(command.rows, command, error.message, code: error.code, at: time, counts: false)
        default:
            // One bad market spoils its whole batch: named, or found by halving.
            let named = Set(error.tickers)
            let bad = command.rows.filter { named.contains(decoder.tickers.ticker($0)) }
            let good = command.rows.filter { !named.contains(decoder.tickers.ticker($0)) }
            if !bad.isEmpty, error.code != 26 {
                giveUp(bad, channel, code: error.code, error.message)
                requeue([good], channel, attempts: command.attempts, at: time)
            } else if command.rows.count > 1 {
                let half = command.rows.count / 2
                requeue(
                    [Array(command.rows[..<half]), Array(command.rows[half...])], channel,
                    attempts: command.attempts, at: time)
            } else if error.code == 26 {
                channels[channel].isFull = true
                giveBack(command.rows, channel)
            } else {
                giveUp(command.rows, channel, code: error.code, error.message)
            }
        }
        announce(channel)
    }

    /// Tries a command's markets once more, later, unless that was done often enough.
    private mutating func again(
        _ left: [Int], _ command: Pending, _ reason: String, code: Int, at time: Timestamp,
        counts: Bool = true
    ) {
        let attempts = command.attempts + (counts ? 1 : 0)
        guard attempts < settings.attemptsMax else {
            return giveUp(left, command.channel, code: code, reason)
        }
        for row in left { rows[row].asked &= ~command.channel.mask }
        channels[command.channel].batches.append(
            Batch(rows: left, attempts: attempts, notBefore: time + delay(attempts)))
    }

    private mutating func requeue(
        _ parts: [[Int]], _ channel: FeedChannel, attempts: Int, at time: Timestamp
    ) {
        for part in parts where !part.isEmpty {
            channels[channel].batches.append(Batch(rows: part, attempts: attempts, notBefore: time))
        }
    }

    private mutating func giveUp(_ given: [Int], _ channel: FeedChannel, code: Int, _ reason: String) {
        for row in given {
            if rows[row].wants & channel.mask != 0 { channels[channel].wanted -= 1 }
            rows[row].wants &= ~channel.mask
            rows[row].asked &= ~channel.mask
            if channel == .book { rows[row].book = .none }
        }
        if given.isEmpty { channels[channel].isRefused = true }
        tell(
            .refused(
                channel, tickers: given.map { decoder.tickers.ticker($0) }, code: code, reason: reason))
    }

    private mutating func backOff(_ channel: FeedChannel, at time: Timestamp) {
        channels[channel].failures += 1
        channels[channel].retryAt = time + delay(channels[channel].failures)
    }

    private mutating func askLater(_ late: [Int], at time: Timestamp) {
        for row in late where rows[row].book == .awaiting {
            if rows[row].attempts < 30 { rows[row].attempts += 1 }
            wantSnapshot(row, notBefore: time + delay(Int(rows[row].attempts)))
        }
    }

    // MARK: - Overdue

    mutating func takeOverdue(_ time: Timestamp) -> [Pending] {
        guard pending.contains(where: { $0.deadline <= time }) else { return [] }
        let overdue = pending.filter { $0.deadline <= time }
        pending.removeAll { $0.deadline <= time }
        return overdue
    }

    mutating func overdue(_ command: Pending, at time: Timestamp) {
        let channel = command.channel
        if command.kind != .awaiting, command.kind != .probe {
            statistics.timeouts += 1
            remark("no answer to command \(command.id) (\(command.kind) of \(channel.wire))")
        }
        switch command.kind {
        case .subscribe, .add:
            if command.kind == .subscribe { channels[channel].isSubscribing = false }
            again(command.rows, command, "no answer", code: 0, at: time)
        case .snapshot, .awaiting:
            let isDead = !rows.contains { $0.sid == command.sid && $0.book == .live }
            let tries = command.rows.map { rows[$0].attempts }.max() ?? 0
            if isDead, tries >= 2, subscriptions.contains(where: { $0.sid == command.sid }) {
                for row in command.rows { rows[row].attempts = 0 }
                backOff(channel, at: time)
                renew(command.sid, at: time)
            } else {
                askLater(command.rows, at: time)
            }
        case .unsubscribe: channels[channel].isClosing = false
        case .remove, .probe: break
        }
    }
}
