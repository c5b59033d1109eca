import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// Keys made by their member, and what scopes and subaccounts let them do (API.md §2).
struct KeyTests {
    private func make(_ rig: SandboxRig, _ more: String) async throws -> SandboxRig.Account {
        let answer = try await rig.call(
            "POST", "api_keys/generate", #"{"name":"made","key_type":"ed25519"\#(more)}"#, as: rig.alice)
        #expect(answer.status == 201 && answer["key_type"]?.string == "ed25519")
        let pem = try #require(answer["private_key"]?.string)
        return SandboxRig.Account(
            keyID: try #require(answer["api_key_id"]?.string), key: try PrivateKey(pem: Array(pem.utf8)))
    }

    @Test func scopesDecideWhatAKeyMayDo() async throws {
        let rig = try await SandboxRig()
        let order = SandboxRig.order(rig.market, at: "0.01")
        let transfer = """
            {"source":"event_contract","destination":"event_contract","amount":100,\
            "source_exchange_shard":0,"destination_exchange_shard":2}
            """
        let cases: [(scopes: String, balance: Int, orders: Int, place: Int, move: Int, keys: Int)] = [
            (#"["read"]"#, 200, 200, 403, 403, 403),
            (#"["read","write"]"#, 200, 200, 201, 200, 201),
            (#"["read","write::trade"]"#, 200, 200, 201, 403, 403),
            (#"["write::transfer"]"#, 403, 403, 403, 200, 403),
            (#"["read::portfolio_balance"]"#, 200, 403, 403, 403, 403),
        ]
        for entry in cases {
            let key = try await make(rig, #","scopes":\#(entry.scopes)"#)
            #expect(try await rig.call("GET", "portfolio/balance", as: key).status == entry.balance)
            #expect(try await rig.call("GET", "portfolio/orders", as: key).status == entry.orders)
            let placed = try await rig.place(order, as: key)
            #expect(placed.status == entry.place, "\(entry.scopes)")
            if placed.status == 403 { #expect(placed.code == "forbidden") }
            let moved = try await rig.call(
                "POST", "portfolio/intra_exchange_instance_transfer", transfer, as: key)
            #expect(moved.status == entry.move, "\(entry.scopes)")
            let made = try await rig.call(
                "POST", "api_keys/generate", #"{"name":"x","key_type":"ed25519"}"#, as: key)
            #expect(made.status == entry.keys, "\(entry.scopes)")
        }
        let wrong = try await rig.call(
            "POST", "api_keys/generate", #"{"name":"x","scopes":["write"]}"#, as: rig.alice)
        #expect(wrong.status == 400)
        let unknown = try await rig.call(
            "POST", "api_keys/generate", #"{"name":"x","scopes":["all"]}"#, as: rig.alice)
        #expect(unknown.status == 400)
    }

    /// A key of one subaccount may leave it out, and sees and touches no other.
    @Test func aKeyOfOneSubaccountSeesNoOther() async throws {
        let rig = try await SandboxRig()
        #expect(try await rig.call("POST", "portfolio/subaccounts", "{}", as: rig.alice).status == 201)
        try await rig.inside {
            let member = $0.exchange.members[0]
            $0.exchange.venue.deposit(Money(dollars: 50), shard: 0, account: member.accounts[1])
        }
        let key = try await make(rig, #","subaccount":1"#)
        let feed = try await rig.feed(key)
        await feed.send(#"{"id":1,"cmd":"subscribe","params":{"channels":["user_orders"]}}"#)
        _ = try await feed.next("subscribed")
        let theirs = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let order = try #require(theirs["order_id"]?.string)
        let own = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: key)
        #expect(own.status == 201)
        #expect(try await feed.next("user_order")["msg"]?["subaccount_number"]?.int64 == 1)
        #expect(feed.take().isEmpty)

        let balance = try await rig.call("GET", "portfolio/balance", as: key)
        #expect(balance["balance_dollars"]?.string == "50.0000")
        let list = try await rig.call("GET", "portfolio/orders", as: key)
        #expect(list["orders"]?.array?.count == 1)
        #expect(try await rig.call("GET", "portfolio/orders/\(order)", as: key).status == 404)
        #expect(try await rig.call("DELETE", "portfolio/events/orders/\(order)", as: key).status == 404)
        for path in [
            "portfolio/balance?subaccount=0", "portfolio/orders?subaccount=0",
            "portfolio/subaccounts/balances",
            "api_keys",
        ] {
            #expect(try await rig.call("GET", path, as: key).status == 403, "\(path)")
        }
        let other = try await rig.place(
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", #","subaccount":0"#), as: key)
        #expect(other.status == 403)
        #expect(try await rig.call("DELETE", "portfolio/events/orders", as: key).status == 204)
        let still = try await rig.call("GET", "portfolio/orders/\(order)", as: rig.alice)
        #expect(still["order"]?["status"]?.string == "resting")
    }

    @Test func keysAreRegisteredListedAndDeleted() async throws {
        let rig = try await SandboxRig()
        let mine = try PrivateKey.generate(.ed25519)
        let pem = JSONWriter.quoted(mine.publicKey.pem())
        let made = try await rig.call(
            "POST", "api_keys", #"{"name":"mine","public_key":\#(pem)}"#, as: rig.alice)
        let id = try #require(made["api_key_id"]?.string)
        let account = SandboxRig.Account(keyID: id, key: mine)
        #expect(made.status == 201)
        #expect(try await rig.call("GET", "portfolio/balance", as: account).status == 200)
        let list = try await rig.call("GET", "api_keys", as: rig.alice)
        let names = list["api_keys"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(Set(names) == ["alice", "mine"])
        // Another's key cannot be deleted, and is as absent as one that nobody has.
        #expect(try await rig.call("DELETE", "api_keys/\(id)", as: rig.bob).status == 404)
        #expect(try await rig.call("DELETE", "api_keys/\(id)", as: rig.alice).status == 204)
        let after = try await rig.call("GET", "portfolio/balance", as: account)
        #expect(after.status == 401)
        let generated = try await rig.call("POST", "api_keys/generate", #"{"name":"rsa"}"#, as: rig.alice)
        let text = generated["private_key"]?.string ?? ""
        #expect(text.hasPrefix("-----BEGIN RSA PRIVATE KEY-----"))
        let rsa = SandboxRig.Account(
            keyID: try #require(generated["api_key_id"]?.string), key: try PrivateKey(pem: Array(text.utf8)))
        #expect(try await rig.call("GET", "portfolio/balance", as: rsa).status == 200)
    }
}
