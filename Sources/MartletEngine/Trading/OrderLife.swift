import Martlet

/// How an order's life ended.
package enum OrderEnding: Hashable, Sendable {
    case filled
    case cancelled(CancelReason)
    indirect case rejected(VenueRejection)
    /// Never sent.
    case withdrawn
    indirect case refused(Refusal)

    package var status: OrderStatus {
        switch self {
        case .filled: .filled
        case .cancelled(let reason): .cancelled(reason)
        case .rejected(let rejection): .rejected(rejection)
        case .withdrawn: .withdrawn
        case .refused(let refusal): .refused(refusal)
        }
    }
}

/// What was learnt of an order, by us or from the venue. Numbers stay outside: the caller says what they mean.
package enum OrderFact: Hashable, Sendable {
    /// What the venue says is left of the order.
    package enum Rest: Hashable, Sendable {
        case rests
        /// Over. `awaitsFills`: the venue counted fills that have not been reported yet.
        case over(OrderEnding, awaitsFills: Bool)
    }

    /// The router sent it.
    case sent
    /// The router dropped it before it was sent.
    case withdrawn
    case accepted(Rest)
    indirect case rejected(VenueRejection)
    /// The router sent an amend, decrease or cancel.
    case changeSent(VenueReport.Request)
    /// The venue amended or decreased it.
    case changed(Rest)
    /// The venue cancelled it on our request.
    case cancelled(OrderEnding, awaitsFills: Bool)
    /// `isGone`: the venue does not know it any more. `isWhole`: all of it is known to have filled.
    case changeRejected(VenueReport.Request, isGone: Bool, isWhole: Bool)
    case ended(CancelReason)
    /// `isWhole`: all of it has filled. `isCovered`: no fill that the venue counted is missing now.
    case filled(isWhole: Bool, isCovered: Bool)
    /// The answer to a request was lost.
    case lost(VenueReport.Request)
    case provenAbsent
    /// The venue's own word of its state.
    case state(Rest)
    /// 429: the request had no effect.
    case rateLimited(VenueReport.Request)
}

/// What the caller has to do after a transition.
package enum LifeAction: Hashable, Sendable {
    /// Legal, and nothing to tell: late, repeated, or only numbers changed.
    case keep
    /// The status changed.
    case announce
    /// The request had no effect and may be sent again.
    case requeue(VenueReport.Request)
    /// The order is over.
    case finish
    /// The venue contradicts itself or us: counted, logged, and nothing else.
    case contradiction
}

/// An order's life as the venue tells it, in whatever order its reports arrive.
///
///     queued ─sent─► placing ─accepted─► resting ◄──► changing (amend, decrease, cancel in flight)
///                       │                   │             │
///                       ├─lost─► unknown ◄──┼─────lost────┤        404 to a change
///                       │           │       │             ├──────────────────────► missing
///                       ▼           ▼       ▼             ▼                            │
///                    finishing (over, fills still to be reported) ─────────► done ◄────┘
///
/// A time-out never means failed: `unknown` and `missing` end by a report or a look-up alone.
package enum OrderLife: Hashable, Sendable {
    /// Approved, waiting for budget.
    case queued
    /// Sent, not answered.
    case placing
    case resting
    /// It rests, and one change of it is on its way.
    case changing(VenueReport.Request)
    /// The answer to that request was lost. A cancel may be on its way all the same.
    case unknown(VenueReport.Request, isCancelling: Bool)
    /// The venue knows it no more (404) and has not said why: filled or cancelled, a report will tell.
    case missing
    /// Over, but not all fills that the venue counted have been reported.
    case finishing(OrderEnding)
    case done(OrderEnding)

    /// What its strategy sees; nil where it should go on seeing what it saw.
    package var status: OrderStatus? {
        switch self {
        case .queued: .queued
        case .placing: .inFlight
        case .resting, .changing: .resting
        case .unknown, .missing: .unknown
        case .finishing: nil
        case .done(let ending): ending.status
        }
    }
    package var isDone: Bool {
        if case .done = self { true } else { false }
    }
    /// Holds back everything but cancels in its market.
    package var isUncertain: Bool {
        switch self {
        case .unknown, .missing: true
        default: false
        }
    }
    /// Whether an amend's outcome is open: both sizes and prices count in risk.
    package var mayBeAmended: Bool {
        switch self {
        case .changing(.amend), .unknown(.amend, _): true
        default: false
        }
    }
    /// Whether a change may be sent now.
    package func accepts(_ request: VenueReport.Request) -> Bool {
        switch self {
        case .resting: request != .place
        case .unknown(let lost, isCancelling: false): request == .cancel && lost != .place
        case .queued, .placing, .changing, .unknown, .missing, .finishing, .done: false
        }
    }

    /// Takes a fact in. Every pair of state and fact has its answer; the table stands in the tests.
    package mutating func apply(_ fact: OrderFact) -> LifeAction {
        switch fact {
        case .sent: return move(from: .queued, to: .placing)
        case .withdrawn:
            guard self == .queued else { return .contradiction }
            return finish(.withdrawn)
        case .changeSent(let request): return sent(request)
        case .accepted(let rest): return accepted(rest)
        case .rejected(let rejection): return rejected(rejection)
        case .changed(let rest): return changed(rest)
        case .cancelled(let ending, let awaitsFills): return over(ending, awaitsFills)
        case .changeRejected(let request, let isGone, let isWhole):
            return changeRejected(request, isGone, isWhole)
        case .ended(let reason): return ended(reason)
        case .filled(let isWhole, let isCovered): return filled(isWhole, isCovered)
        case .lost(let request): return lost(request)
        case .provenAbsent: return provenAbsent()
        case .state(let rest): return state(rest)
        case .rateLimited(let request): return rateLimited(request)
        }
    }

    // MARK: One function a fact

    private mutating func move(from: OrderLife, to: OrderLife) -> LifeAction {
        guard self == from else { return .contradiction }
        self = to
        return .announce
    }
    private mutating func finish(_ ending: OrderEnding) -> LifeAction {
        self = .done(ending)
        return .finish
    }

    private mutating func sent(_ request: VenueReport.Request) -> LifeAction {
        guard accepts(request) else { return .contradiction }
        if case .unknown(let lost, _) = self {
            self = .unknown(lost, isCancelling: true)
        } else {
            self = .changing(request)
        }
        return .announce
    }

    private mutating func accepted(_ rest: OrderFact.Rest) -> LifeAction {
        switch self {
        case .placing, .unknown(.place, _): return settle(rest)
        case .queued: return .contradiction
        // The private channel was faster, or an answer came twice.
        case .resting, .changing, .unknown, .missing, .finishing, .done: return .keep
        }
    }

    private mutating func rejected(_ rejection: VenueRejection) -> LifeAction {
        switch self {
        case .placing, .unknown(.place, _): return finish(.rejected(rejection))
        case .done(.rejected): return .keep
        case .queued, .resting, .changing, .unknown, .missing, .finishing, .done: return .contradiction
        }
    }

    private mutating func changed(_ rest: OrderFact.Rest) -> LifeAction {
        switch self {
        case .changing(.amend), .changing(.decrease), .unknown(_, isCancelling: false): return settle(rest)
        case .unknown(_, isCancelling: true), .changing(.cancel), .changing(.place), .resting, .missing:
            if case .over = rest { return settle(rest) }
            return .keep
        case .finishing, .done: return .keep
        case .queued, .placing: return .contradiction
        }
    }

    /// The venue said what is left.
    private mutating func settle(_ rest: OrderFact.Rest) -> LifeAction {
        switch rest {
        case .rests:
            self = .resting
            return .announce
        case .over(let ending, let awaitsFills): return over(ending, awaitsFills)
        }
    }

    private mutating func over(_ ending: OrderEnding, _ awaitsFills: Bool) -> LifeAction {
        switch self {
        case .queued: return .contradiction
        case .done: return .keep
        case .placing, .resting, .changing, .unknown, .missing, .finishing:
            guard awaitsFills else { return finish(ending) }
            self = .finishing(ending)
            return .announce
        }
    }

    private mutating func changeRejected(
        _ request: VenueReport.Request, _ isGone: Bool, _ isWhole: Bool
    ) -> LifeAction {
        switch self {
        case .changing(request):
            if isWhole { return finish(.filled) }
            self = isGone ? .missing : .resting
            return .announce
        case .unknown(let lost, let isCancelling) where isCancelling ? request == .cancel : request == lost:
            if isWhole { return finish(.filled) }
            if isGone {
                self = .missing
            } else {
                self = isCancelling ? .unknown(lost, isCancelling: false) : .resting
            }
            return .announce
        case .changing, .unknown, .resting, .missing, .finishing, .done: return .keep
        case .queued, .placing: return .contradiction
        }
    }

    private mutating func ended(_ reason: CancelReason) -> LifeAction {
        switch self {
        case .queued: return .contradiction
        case .done, .finishing(.cancelled): return .keep
        case .placing, .resting, .changing, .unknown, .missing, .finishing:
            return finish(.cancelled(reason))
        }
    }

    private mutating func filled(_ isWhole: Bool, _ isCovered: Bool) -> LifeAction {
        switch self {
        case .placing, .resting, .changing, .unknown, .missing:
            return isWhole ? finish(.filled) : .keep
        case .finishing(let ending):
            if isWhole { return finish(.filled) }
            return isCovered ? finish(ending) : .keep
        case .done(.filled): return .keep
        case .done(.cancelled):
            // Late, and it turns out that nothing was left to cancel.
            if isWhole { self = .done(.filled) }
            return isWhole ? .announce : .keep
        case .done(.rejected), .done(.withdrawn), .done(.refused), .queued: return .contradiction
        }
    }

    private mutating func lost(_ request: VenueReport.Request) -> LifeAction {
        switch self {
        case .placing where request == .place:
            self = .unknown(.place, isCancelling: false)
            return .announce
        case .changing(request):
            self = .unknown(request, isCancelling: false)
            return .announce
        case .unknown(let first, isCancelling: true) where request == .cancel:
            self = .unknown(first, isCancelling: false)
            return .announce
        // It was answered on another way, or is over.
        case .resting, .changing, .unknown, .missing, .finishing, .done: return .keep
        case .queued, .placing: return .contradiction
        }
    }

    private mutating func provenAbsent() -> LifeAction {
        switch self {
        case .unknown(.place, _): return finish(.rejected(.provenAbsent))
        case .missing: return finish(.cancelled(.unknown("not found")))
        case .done: return .keep
        case .queued, .placing, .resting, .changing, .unknown, .finishing: return .contradiction
        }
    }

    private mutating func state(_ rest: OrderFact.Rest) -> LifeAction {
        switch (self, rest) {
        case (.queued, _): return .contradiction
        case (.placing, .rests), (.unknown(_, isCancelling: false), .rests), (.missing, .rests):
            self = .resting
            return .announce
        case (.unknown(_, isCancelling: true), .rests):
            self = .changing(.cancel)
            return .announce
        // It rests at the exchange after all: better to know than to be right.
        case (.done(.rejected), .rests):
            self = .resting
            return .contradiction
        case (.resting, .rests), (.changing, .rests), (.finishing, .rests), (.done, _): return .keep
        case (.finishing(let ending), .over(_, awaitsFills: false)): return finish(ending)
        case (.finishing, .over(_, awaitsFills: true)): return .keep
        case (_, .over(let ending, let awaitsFills)): return over(ending, awaitsFills)
        }
    }

    private mutating func rateLimited(_ request: VenueReport.Request) -> LifeAction {
        switch self {
        case .placing where request == .place, .unknown(.place, _) where request == .place:
            self = .queued
            return .requeue(.place)
        case .changing(request):
            self = .resting
            return .requeue(request)
        case .unknown(let lost, isCancelling: true) where request == .cancel:
            self = .unknown(lost, isCancelling: false)
            return .requeue(.cancel)
        case .unknown(let lost, isCancelling: false) where request == lost:
            self = .resting
            return .requeue(request)
        case .resting, .changing, .unknown, .missing, .finishing, .done: return .keep
        case .queued, .placing: return .contradiction
        }
    }
}

extension VenueRejection {
    /// An order whose answer was lost and that was then proven never to have had any effect.
    package static let provenAbsent = VenueRejection(
        status: 0, code: "proven_absent", message: "its answer was lost; it was looked for and is not there")
}
