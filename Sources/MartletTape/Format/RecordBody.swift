import Martlet

/// What made a record's body unreadable.
struct BodyError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Bytes of one record's body in the making.
struct BodyWriter {
    private(set) var bytes: [UInt8] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
    mutating func string(_ text: String) {
        integer(UInt32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
    /// A mask of the numbers that are present, then those.
    mutating func optionals(_ values: [Int64?]) {
        var mask: UInt32 = 0
        for (index, value) in values.enumerated() where value != nil { mask |= 1 << UInt32(index) }
        integer(mask)
        for case let value? in values { integer(value) }
    }
}

/// Reads a record's body; every read is checked against its end.
struct BodyReader {
    private var rest: UnsafeRawBufferPointer

    /// The bytes must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    mutating func integer<T: FixedWidthInteger>(as type: T.Type) throws(BodyError) -> T {
        let size = MemoryLayout<T>.size
        guard rest.count >= size else { throw BodyError("the body ends early") }
        let value = T(littleEndian: rest.loadUnaligned(as: type))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(size))
        return value
    }
    /// A number of things that each take at least 4 bytes of what is left.
    mutating func count() throws(BodyError) -> Int {
        let count = Int(try integer(as: UInt32.self))
        guard count <= rest.count / 4 else { throw BodyError("a count of \(count)") }
        return count
    }
    mutating func string() throws(BodyError) -> String {
        let count = Int(try integer(as: UInt32.self))
        guard count <= rest.count else { throw BodyError("a text of \(count) bytes") }
        guard let text = String(validating: rest.prefix(count), as: UTF8.self) else {
            throw BodyError("a text that is not UTF-8")
        }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return text
    }
    mutating func bytes(_ count: Int) throws(BodyError) -> [UInt8] {
        guard count <= rest.count else { throw BodyError("\(count) bytes") }
        let bytes = Array(rest.prefix(count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return bytes
    }
    mutating func price() throws(BodyError) -> Price { Price(micros: try integer(as: Int32.self)) }
    mutating func time() throws(BodyError) -> Timestamp {
        Timestamp(nanoseconds: try integer(as: Int64.self))
    }
    mutating func optionals(_ count: Int) throws(BodyError) -> [Int64?] {
        let mask = try integer(as: UInt32.self)
        guard mask >> UInt32(count) == 0 else { throw BodyError("mask \(mask)") }
        var values: [Int64?] = []
        for index in 0..<count {
            values.append(mask >> UInt32(index) & 1 == 0 ? nil : try integer(as: Int64.self))
        }
        return values
    }
}
