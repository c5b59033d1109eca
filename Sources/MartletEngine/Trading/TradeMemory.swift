import Martlet

/// Trade ids already booked, the newest; an id names a trade of one order.
///
/// An open hash table over a ring, with linear probing: a set would spend more on hashing an id safely than the
/// engine on the fill. The ids are the exchange's and those of our own orders, so that nobody else can aim at a
/// collision; and one that happens costs time, for the ids themselves are compared.
struct TradeMemory {
    private struct Trade {
        var id: String
        var order: OrderID
        var hash: UInt64
    }
    /// The newest trades, from `next` on the oldest once it is full.
    private var ring: [Trade] = []
    private var next = 0
    private let limit: Int
    /// Places in the ring and one, so that 0 stands for none; a power of two, at most half full.
    private var places: [UInt32]

    init(limit: Int) {
        self.limit = min(max(1, limit), 1 << 30)
        places = Array(repeating: 0, count: 64)
    }

    /// False when the trade was booked before.
    mutating func insert(_ trade: String, of order: OrderID) -> Bool {
        let hash = TradeMemory.hash(trade, order)
        var index = home(hash)
        while places[index] != 0 {
            let place = Int(places[index]) - 1
            if ring[place].hash == hash, ring[place].order == order, ring[place].id == trade { return false }
            index = (index + 1) & (places.count - 1)
        }
        let entry = Trade(id: trade, order: order, hash: hash)
        if ring.count < limit {
            ring.append(entry)
            if ring.count > places.count / 2 {
                grow()
            } else {
                places[index] = UInt32(ring.count)
            }
            return true
        }
        forget(next)
        ring[next] = entry
        add(next)
        next = next + 1 == limit ? 0 : next + 1
        return true
    }

    /// FNV-1a over the id's bytes, then the order's number.
    private static func hash(_ trade: String, _ order: OrderID) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in trade.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (hash ^ order.number) &* 0x9E37_79B9_7F4A_7C15
    }
    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (places.count - 1) }

    private mutating func add(_ place: Int) {
        var index = home(ring[place].hash)
        while places[index] != 0 { index = (index + 1) & (places.count - 1) }
        places[index] = UInt32(place + 1)
    }

    /// Takes a place out of the table and closes the gap by moving up what had to give way.
    private mutating func forget(_ place: Int) {
        let mask = places.count - 1
        var hole = home(ring[place].hash)
        while places[hole] != UInt32(place + 1) { hole = (hole + 1) & mask }
        var index = (hole + 1) & mask
        while places[index] != 0 {
            let distance = (index &- home(ring[Int(places[index]) - 1].hash)) & mask
            if distance >= (index &- hole) & mask {
                places[hole] = places[index]
                hole = index
            }
            index = (index + 1) & mask
        }
        places[hole] = 0
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: places.count * 2)
        for place in ring.indices { add(place) }
    }
}
