import Martlet
import Testing

@testable import MartletEngine

/// The life cycle as a table: every state against every fact.
@Suite struct OrderLifeTests {
    typealias Rest = OrderFact.Rest
    static let rejection = VenueRejection(status: 400, code: "insufficient_balance")
    static let whole = Rest.over(.filled, awaitsFills: false)
    static let owed = Rest.over(.filled, awaitsFills: true)

    static let states: [(String, OrderLife)] = [
        ("queued", .queued), ("placing", .placing), ("resting", .resting), ("amending", .changing(.amend)),
        ("cancelling", .changing(.cancel)), ("lost place", .unknown(.place, isCancelling: false)),
        ("lost amend", .unknown(.amend, isCancelling: false)),
        ("lost amend, cancelling", .unknown(.amend, isCancelling: true)), ("missing", .missing),
        ("finishing", .finishing(.cancelled(.requested))), ("filled", .done(.filled)),
        ("cancelled", .done(.cancelled(.requested))), ("rejected", .done(.rejected(rejection))),
        ("withdrawn", .done(.withdrawn)),
    ]

    /// A row a fact: the state and the action after it, for each state above. `=` keeps, `!` contradicts, `+`
    /// announces, `#` finishes, `<` requeues.
    static let table: [(OrderFact, String)] = [
        (.sent, "placing+ =! =! =! =! =! =! =! =! =! =! =! =! =!"),
        (.withdrawn, "withdrawn# =! =! =! =! =! =! =! =! =! =! =! =! =!"),
        (.accepted(.rests), "=! resting+ == == == resting+ == == == == == == == =="),
        (.accepted(whole), "=! filled# == == == filled# == == == == == == == =="),
        (.accepted(owed), "=! owed+ == == == owed+ == == == == == == == =="),
        (.rejected(rejection), "=! rejected# =! =! =! rejected# =! =! =! =! =! =! == =!"),
        (.changeSent(.amend), "=! =! amending+ =! =! =! =! =! =! =! =! =! =! =!"),
        (.changeSent(.cancel), "=! =! cancelling+ =! =! =! cancelling2+ =! =! =! =! =! =! =!"),
        (.changed(.rests), "=! =! == resting+ == resting+ resting+ == == == == == == =="),
        (.changed(whole), "=! =! filled# filled# filled# filled# filled# filled# filled# == == == == =="),
        (
            .cancelled(.cancelled(.requested), awaitsFills: false),
            "=! cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# "
                + "cancelled# == == == =="
        ),
        (
            .changeRejected(.cancel, isGone: true, isWhole: false),
            "=! =! == == missing+ == == missing+ == == == == == =="
        ),
        (
            .changeRejected(.cancel, isGone: false, isWhole: false),
            "=! =! == == resting+ == == lostAmend+ == == == == == =="
        ),
        (
            .changeRejected(.amend, isGone: false, isWhole: false),
            "=! =! == resting+ == == resting+ == == == == == == =="
        ),
        (
            .changeRejected(.amend, isGone: true, isWhole: true),
            "=! =! == filled# == == filled# == == == == == == =="
        ),
        (
            .ended(.requested),
            "=! cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# cancelled# == == == "
                + "== =="
        ),
        (.filled(isWhole: false, isCovered: false), "=! == == == == == == == == == == == =! =!"),
        (
            .filled(isWhole: false, isCovered: true),
            "=! == == == == == == == == cancelled# == == =! =!"
        ),
        (
            .filled(isWhole: true, isCovered: true),
            "=! filled# filled# filled# filled# filled# filled# filled# filled# filled# == filled+ =! =!"
        ),
        (.lost(.place), "=! lostPlace+ == == == == == == == == == == == =="),
        (.lost(.amend), "=! =! == lostAmend+ == == == == == == == == == =="),
        (.lost(.cancel), "=! =! == == lostCancel+ == == lostAmend+ == == == == == =="),
        (.provenAbsent, "=! =! =! =! =! absent# =! =! notFound# =! == == == =="),
        (.state(.rests), "=! resting+ == == == resting+ resting+ cancelling+ resting+ == == == resting! =="),
        (
            .state(whole),
            "=! filled# filled# filled# filled# filled# filled# filled# filled# cancelled# == == == =="
        ),
        (.state(owed), "=! owed+ owed+ owed+ owed+ owed+ owed+ owed+ owed+ == == == == =="),
        (.rateLimited(.place), "=! queued< == == == queued< == == == == == == == =="),
        (.rateLimited(.amend), "=! =! == resting< == == resting< == == == == == == =="),
        (.rateLimited(.cancel), "=! =! == == resting< == == lostAmend< == == == == == =="),
    ]

    static let names: [String: OrderLife] = [
        "queued": .queued, "placing": .placing, "resting": .resting, "amending": .changing(.amend),
        "cancelling": .changing(.cancel), "cancelling2": .unknown(.amend, isCancelling: true),
        "filled": .done(.filled), "owed": .finishing(.filled), "cancelled": .done(.cancelled(.requested)),
        "rejected": .done(.rejected(rejection)), "withdrawn": .done(.withdrawn), "missing": .missing,
        "lostPlace": .unknown(.place, isCancelling: false),
        "lostAmend": .unknown(.amend, isCancelling: false),
        "lostCancel": .unknown(.cancel, isCancelling: false), "absent": .done(.rejected(.provenAbsent)),
        "notFound": .done(.cancelled(.unknown("not found"))),
    ]

    @Test(arguments: table.indices)
    func everyFactInEveryState(_ row: Int) throws {
        let (fact, cells) = Self.table[row]
        let columns = cells.split(separator: " ").map(String.init)
        try #require(columns.count == Self.states.count, "\(fact) has \(columns.count) cells")
        for (column, (name, state)) in zip(columns, Self.states) {
            var life = state
            let action = life.apply(fact)
            let kept = column.dropLast()
            let expected = try kept == "=" ? state : #require(Self.names[String(kept)], "\(column)")
            #expect(life == expected, "\(name) told \(fact)")
            let mark: Character =
                switch action {
                case .keep: "="
                case .announce: "+"
                case .requeue: "<"
                case .finish: "#"
                case .contradiction: "!"
                }
            #expect(mark == column.last, "\(name) told \(fact) answers \(action)")
        }
    }

    @Test func nothingLeavesAFinalStateButProofOfLife() {
        for (_, state) in Self.states where state.isDone {
            for (fact, _) in Self.table {
                var life = state
                _ = life.apply(fact)
                if case .done(.rejected) = state, fact == .state(.rests) { continue }
                #expect(life.isDone)
            }
        }
    }
}
