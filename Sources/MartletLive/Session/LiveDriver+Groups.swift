import Martlet
import MartletKalshi

// Order groups: the exchange's own limit on what a session may trade within 15 seconds, one a shard.
extension LiveDriver {
    /// Makes a group on each shard, which every order of the session joins from then on.
    package static func makeGroups(
        _ client: KalshiClient, limit: Quantity, shards: [Int]
    ) async throws -> [SessionIdentity.Group] {
        var groups: [SessionIdentity.Group] = []
        for shard in shards {
            let id = try await client.send(Endpoints.createOrderGroup(limit: limit, shard: shard))
            groups.append(.init(shard: shard, id: id))
        }
        return groups
    }
    package static func removeGroups(_ client: KalshiClient, _ groups: [SessionIdentity.Group]) async {
        // One that cannot be removed holds nothing any more.
        for group in groups {
            try? await client.send(Endpoints.deleteOrderGroup(group.id, shard: group.shard))
        }
    }
    /// After a limit was reached: orders are taken again.
    package static func resetGroups(_ client: KalshiClient, _ groups: [SessionIdentity.Group]) async throws {
        for group in groups { try await client.send(Endpoints.resetOrderGroup(group.id, shard: group.shard)) }
    }
}

extension RestGateway {
    package func join(_ groups: [SessionIdentity.Group]) {
        var byShard: [Int: String] = [:]
        for group in groups { byShard[group.shard] = group.id }
        orders.groups = byShard
    }
}
