import Martlet

/// Writes JSON into a buffer of its own that is kept from one text to the next: for request bodies on the hot path,
/// without allocation once the buffer is large enough.
///
///     var json = JSONBytes()
///     json.beginObject()
///     json.key("ticker")
///     json.string("KXHIGHNY-26NOV23-B54.5")
///     json.key("price")
///     json.price(Price(cents: 47))
///     json.endObject()
///     json.withBytes { send($0) }
///     json.clear()
///
/// Commas are put where they belong; that brackets match and that keys come before values is for the caller to see
/// to. Unsafe pointer: an array would be checked for uniqueness and bounds at each byte; sound because the writer
/// alone owns the memory, and room is made before each write.
public struct JSONBytes: ~Copyable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Bytes written since the last ``clear()``.
    public private(set) var count = 0
    private var needsComma = false

    public init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        bytes = .allocate(capacity: self.capacity)
    }

    deinit { bytes.deallocate() }

    /// Forgets the text and keeps the memory.
    public mutating func clear() {
        count = 0
        needsComma = false
    }

    /// Lends the text. The pointer is good within `body` only.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// A copy, for tests and logs.
    public var text: String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    // MARK: Structure

    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// A member's name, which must need no escapes.
    public mutating func key(_ name: StaticString) {
        makeRoom(name.utf8CodeUnitCount + 4)
        comma()
        put(UInt8(ascii: "\""))
        put(name.utf8Start, name.utf8CodeUnitCount)
        put(UInt8(ascii: "\""))
        put(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        makeRoom(2)
        comma()
        put(bracket)
        needsComma = false
    }
    private mutating func close(_ bracket: UInt8) {
        makeRoom(1)
        put(bracket)
        needsComma = true
    }

    // MARK: Values

    /// In quotes, with what must be escaped escaped. O(length).
    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string($0) }
    }
    /// The same of text that is UTF-8.
    public mutating func string(_ utf8: UnsafeBufferPointer<UInt8>) {
        // At worst each byte becomes six.
        makeRoom(utf8.count * 6 + 3)
        comma()
        put(UInt8(ascii: "\""))
        for byte in utf8 { putEscaped(byte) }
        put(UInt8(ascii: "\""))
        needsComma = true
    }
    public mutating func integer(_ value: Int64) {
        makeRoom(22)
        comma()
        putDecimal(value, decimals: 0, minimum: 0)
        needsComma = true
    }
    public mutating func bool(_ value: Bool) { word(value ? "true" : "false") }
    public mutating func null() { word("null") }

    /// An integer of 10^-`decimals` as a decimal string in quotes, with at least `minimum` decimals; `decimals` is at
    /// most 18.
    public mutating func fixed(_ value: Int64, decimals: Int, minimum: Int) {
        precondition(decimals >= 0 && decimals <= 18 && minimum <= decimals)
        makeRoom(26)
        comma()
        put(UInt8(ascii: "\""))
        putDecimal(value, decimals: decimals, minimum: minimum)
        put(UInt8(ascii: "\""))
        needsComma = true
    }
    /// Dollars in quotes as the exchange writes them: four decimals, six where needed.
    public mutating func price(_ price: Price) { fixed(Int64(price.micros), decimals: 6, minimum: 4) }
    /// Contracts in quotes with two decimals.
    public mutating func quantity(_ quantity: Quantity) {
        fixed(quantity.hundredths, decimals: 2, minimum: 2)
    }

    private mutating func word(_ word: StaticString) {
        makeRoom(word.utf8CodeUnitCount + 1)
        comma()
        put(word.utf8Start, word.utf8CodeUnitCount)
        needsComma = true
    }

    // MARK: Bytes

    private mutating func makeRoom(_ more: Int) {
        // One for a comma that may come first.
        guard count + more + 1 > capacity else { return }
        let wider = max(capacity * 2, count + more + 1)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: wider)
        moved.update(from: bytes, count: count)
        bytes.deallocate()
        bytes = moved
        capacity = wider
    }

    @inline(__always)
    private mutating func comma() { if needsComma { put(UInt8(ascii: ",")) } }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        bytes[count] = byte
        count &+= 1
    }
    @inline(__always)
    private mutating func put(_ start: UnsafePointer<UInt8>, _ length: Int) {
        (bytes + count).update(from: start, count: length)
        count &+= length
    }

    @inline(__always)
    private mutating func putEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            put(UInt8(ascii: "\\"))
            put(byte)
        case 0..<32:
            let digits: StaticString = "0123456789abcdef"
            let prefix: StaticString = "\\u00"
            put(prefix.utf8Start, 4)
            put(digits.utf8Start[Int(byte >> 4)])
            put(digits.utf8Start[Int(byte & 15)])
        default: put(byte)
        }
    }

    /// Digits are made from the last to the first, then laid down the right way round.
    private mutating func putDecimal(_ value: Int64, decimals: Int, minimum: Int) {
        if value < 0 { put(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        let text = bytes + count
        withUnsafeMutableBytes(of: &digits) { digits in
            var made = 0
            while rest > 0 || made <= decimals {
                digits[made] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
                rest /= 10
                made += 1
            }
            var last = 0
            while last < decimals - minimum, digits[last] == 0x30 { last += 1 }
            var length = 0
            for place in stride(from: made - 1, through: last, by: -1) {
                if place == decimals - 1, decimals > 0 {
                    text[length] = UInt8(ascii: ".")
                    length += 1
                }
                text[length] = digits[place]
                length += 1
            }
            count += length
        }
    }
}
