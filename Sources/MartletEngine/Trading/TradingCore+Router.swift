import Martlet

// How approved requests wait and leave.
extension TradingCore {
    /// The class that a pending request waits in.
    private func waitingClass(_ approved: Approved) -> OrderRouter.Class {
        if approved.work == .cancel { return .cancel }
        return approved.isReducing ? .reducing : .normal
    }

    /// Queues an order's pending request if the order's life lets it leave.
    func enqueue(_ slot: Int) {
        guard let approved = store.records[slot].pending, store.records[slot].token == 0,
            !store.records[slot].isParked
        else {
            return
        }
        guard
            approved.work == .place
                ? store.records[slot].life == .queued : store.records[slot].life.accepts(approved.request)
        else { return }
        let lane = shardIndex(Int(store.records[slot].order.market.index))
        let age = store.records[slot].age
        store.records[slot].token = router.enqueue(slot, lane: lane, class: waitingClass(approved), age: age)
        if age == 0 { store.records[slot].age = store.records[slot].token }
    }

    /// Takes an order's request out of its queue.
    func dequeue(_ slot: Int) {
        let market = Int(store.records[slot].order.market.index)
        if store.records[slot].token != 0 {
            store.records[slot].token = 0
            router.abandon(lane: shardIndex(market))
        }
        if store.records[slot].isParked {
            store.records[slot].isParked = false
            desks[market].parked -= 1
        }
    }

    /// Puts a request in the place of one that was not sent. It keeps the older one's place in the queue unless
    /// it belongs to another class.
    func replacePending(_ slot: Int, _ approved: Approved) {
        if let before = store.records[slot].pending {
            router.statistics.superseded += 1
            if waitingClass(before) != waitingClass(approved) {
                dequeue(slot)
                store.records[slot].age = 0
            }
        } else {
            store.records[slot].age = 0
        }
        store.records[slot].pending = approved
        store.records[slot].order.isChanging = approved.work != .place
        enqueue(slot)
    }

    // MARK: Leaving

    /// Sends what the budget allows, at the end of each input. With batching on, what came in together waits
    /// for ``advance(to:)``, so that it leaves together.
    func serve(_ now: Timestamp) {
        guard router.isDirty, !isPumping else { return }
        if settings.router.batchesPlaces || settings.router.batchesCancels {
            router.wake = min(router.wake ?? now, now)
        } else {
            pump(now)
        }
    }
    /// Sends all that may leave now. Each round sends something or is the last.
    func pump(_ now: Timestamp) {
        isPumping = true
        repeat { pumpOnce(now) } while router.isDirty
        isPumping = false
    }
    private func pumpOnce(_ now: Timestamp) {
        router.isDirty = false
        var wake: Timestamp?
        for lane in router.lanes.indices where router.lanes[lane].waiting > 0 {
            if router.wantsCompaction(lane: lane) { compact(lane) }
            router.lanes[lane].bucket.refill(to: now)
            if router.lanes[lane].bucket.isShrunk {
                router.lanes[lane].bucket.recover(settings.router, now: now)
            }
            if let next = pump(lane, now) { wake = min(wake ?? next, next) }
            flushBatches()
        }
        router.wake = wake
    }

    private func compact(_ lane: Int) {
        for index in OrderRouter.Class.allCases {
            router.lanes[lane][index].compact { store.records[Int($0.slot)].token == $0.token }
        }
    }

    /// Serves one lane; returns when its next request can leave.
    private func pump(_ lane: Int, _ now: Timestamp) -> Timestamp? {
        let reserve = router.reserve(lane: lane)
        while let (order, queue) = front(lane) {
            guard let approved = store.records[order].pending else {
                preconditionFailure("queued without a request")
            }
            let market = Int(store.records[order].order.market.index)
            if desks[market].uncertain > 0, approved.work != .cancel {
                router.lanes[lane][queue].removeFirst()
                dequeue(order)
                store.records[order].isParked = true
                desks[market].parked += 1
                continue
            }
            let cost = router.cost(approved.request)
            let kept = queue == .cancel ? 0 : reserve
            guard router.lanes[lane].bucket.affords(cost, leaving: kept, now: now) else {
                return router.lanes[lane].bucket.time(for: cost, leaving: kept)
            }
            router.lanes[lane][queue].removeFirst()
            dequeue(order)
            router.lanes[lane].bucket.spend(cost)
            send(order, approved, now)
        }
        return nil
    }

    /// The request that leaves next, superseded ones skipped.
    private func front(_ lane: Int) -> (slot: Int, queue: OrderRouter.Class)? {
        front(lane, .cancel) ?? front(lane, .reducing) ?? front(lane, .normal)
    }
    @inline(__always)
    private func front(_ lane: Int, _ queue: OrderRouter.Class) -> (slot: Int, queue: OrderRouter.Class)? {
        while let entry = router.lanes[lane][queue].first {
            if store.records[Int(entry.slot)].token == entry.token { return (Int(entry.slot), queue) }
            router.lanes[lane][queue].removeFirst()
        }
        return nil
    }

    private func send(_ slot: Int, _ approved: Approved, _ now: Timestamp) {
        store.records[slot].pending = nil
        router.statistics.count(approved.request)
        hasOutput = true
        // Looked at where it stands: copied, an order is as long as all else here.
        let record = store.records + slot
        let (id, market) = (record.pointee.order.id, record.pointee.order.market)
        switch approved.work {
        case .place:
            batchOrSend(PlaceOrder(id: id, request: record.pointee.order.request), market)
            apply(.sent, to: slot, now)
        case .amend(let price, let total):
            flushBatches()
            record.pointee.sentPrice = price
            record.pointee.sentQuantity = total
            commands.append(
                .amend(
                    AmendOrder(
                        id: id, market: market, side: record.pointee.order.side, price: price,
                        quantity: total)))
            apply(.changeSent(.amend), to: slot, now)
        case .decrease(let remaining):
            flushBatches()
            record.pointee.sentQuantity = remaining
            commands.append(.decrease(id, market: market, to: remaining))
            apply(.changeSent(.decrease), to: slot, now)
        case .cancel:
            batchOrSend(OrderReference(id, market: market))
            apply(.changeSent(.cancel), to: slot, now)
        }
    }

    /// Batches are billed to the unscoped bucket: only shard 0 may use them.
    private func batchOrSend(_ place: PlaceOrder, _ market: Market.ID) {
        guard settings.router.batchesPlaces, cash[shardIndex(Int(market.index))].number == 0 else {
            flushCancels()
            commands.append(.place(place))
            return
        }
        flushCancels()
        batch.append(place)
        if batch.count >= settings.router.batchLimit { flushPlaces() }
    }
    private func batchOrSend(_ reference: OrderReference) {
        guard settings.router.batchesCancels, cash[shardIndex(Int(reference.market.index))].number == 0 else {
            flushPlaces()
            commands.append(.cancel(reference.order, market: reference.market))
            return
        }
        flushPlaces()
        cancelBatch.append(reference)
        if cancelBatch.count >= settings.router.batchLimit { flushCancels() }
    }
    private func flushBatches() {
        flushPlaces()
        flushCancels()
    }
    private func flushPlaces() {
        guard let first = batch.first else { return }
        if batch.count > 1 { router.statistics.batches += 1 }
        commands.append(batch.count == 1 ? .place(first) : .placeBatch(batch))
        batch.removeAll(keepingCapacity: true)
    }
    private func flushCancels() {
        guard let first = cancelBatch.first else { return }
        if cancelBatch.count > 1 { router.statistics.batches += 1 }
        commands.append(
            cancelBatch.count == 1 ? .cancel(first.order, market: first.market) : .cancelBatch(cancelBatch))
        cancelBatch.removeAll(keepingCapacity: true)
    }

    /// No order of the market has an unknown outcome any more: what waited for that may leave.
    func unpark(_ market: Int) {
        guard desks[market].parked > 0 else { return }
        forEachOpen(of: account, in: id(market)) { slot in
            guard store.records[slot].isParked else { return }
            store.records[slot].isParked = false
            desks[market].parked -= 1
            enqueue(slot)
        }
    }

    // MARK: Time

    /// What the exchange allows us, new or changed.
    package func setLimits(_ limits: RateLimits, now: Timestamp) {
        router.setLimits(limits, now: now)
        serve(now)
    }

    /// Time has passed: sends what the budget now allows, and repeats a halt's cancels.
    package func advance(to now: Timestamp) {
        synchronise()
        rollDay(now)
        if let sweep = haltSweep, sweep <= now { sweepHalted(now) }
        if !lostCancels.isEmpty { retryCancels(now) }
        if router.isDirty || router.wake.map({ $0 <= now }) == true { pump(now) }
    }
    /// When ``advance(to:)`` wants to be called; nil for never.
    package var nextWake: Timestamp? {
        var wake = router.wake
        if let sweep = haltSweep { wake = min(wake ?? sweep, sweep) }
        for lost in lostCancels { wake = min(wake ?? lost.due, lost.due) }
        return wake
    }
}
