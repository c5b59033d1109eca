// A libFuzzer target over the reader of key files; `Tests/Fuzz/run keys` builds and starts it.
// The first byte chooses whether the rest is a PEM file as it stands, or DER to be wrapped as one. Our own reader
// takes every input; OpenSSL behind it, at two milliseconds a key, is asked for the share that `KEYS_THROUGH_OPENSSL`
// names: one input of so many that still look like a key (256; 1 for all).
import Glibc

private let labels = [
    "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE",
]
private let share = getenv("KEYS_THROUGH_OPENSSL").flatMap { Int(String(cString: $0)) } ?? 256
nonisolated(unsafe) private var keysSeen = 0

private func wrapped(_ der: [UInt8], _ label: String) -> [UInt8] {
    Array("-----BEGIN \(label)-----\n\(Base64.encode(der))\n-----END \(label)-----\n".utf8)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let choice = Int(start[0])
    let pem = choice & 1 == 0 ? rest : wrapped(rest, labels[(choice >> 2) % labels.count])
    guard let blocks = try? PEMBlock.all(pem) else { return 0 }
    var looksLikeKey = false
    for block in blocks {
        let again = try? PEMBlock.all(wrapped(block.contents, "X"))
        precondition(again?.first?.contents == block.contents, "written otherwise than read")
        precondition(block.place.upperBound <= pem.count, "a block behind the end")
        if block.isLocked || KeyShape(block.contents) != nil { looksLikeKey = true }
        if block.label == "PUBLIC KEY" { looksLikeKey = true }
    }
    guard looksLikeKey else { return 0 }
    keysSeen += 1
    guard keysSeen % share == 0 else { return 0 }
    // A changed iteration count of PKCS#8 encryption may ask for hours of work: only without a pass phrase.
    let isSlow = blocks.contains { KeyShape($0.contents) == .encrypted }
    let phrase = choice & 2 == 0 || isSlow ? nil : "pass"
    if let key = try? PrivateKey(pem: pem, passphrase: phrase), choice & 0x3F == 0x3F {
        // What was taken as a key can be used as one, or refuses without harm.
        _ = try? key.sign([1, 2, 3])
    }
    _ = try? PublicKey(pem: pem)
    return 0
}
