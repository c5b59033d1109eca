// A libFuzzer target over the reader of key files; `Tests/Fuzz/run keys` builds and starts it.
// The first byte chooses whether the rest is a PEM file as it stands, or DER to be wrapped as one.

private let labels = [
    "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE",
]

private func wrapped(_ der: UnsafeRawBufferPointer, _ label: String) -> [UInt8] {
    Array("-----BEGIN \(label)-----\n\(Base64.encode(Array(der)))\n-----END \(label)-----\n".utf8)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let rest = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let choice = Int(start[0])
    let pem = choice & 1 == 0 ? Array(rest) : wrapped(rest, labels[(choice >> 2) % labels.count])
    // A changed iteration count of PKCS#8 encryption may ask for hours of work: only without a pass phrase.
    let isSlow = String(decoding: pem, as: UTF8.self).contains("ENCRYPTED PRIVATE KEY")
    let phrase = choice & 2 == 0 || isSlow ? nil : "pass"
    if let key = try? PrivateKey(pem: pem, passphrase: phrase), choice & 0x3F == 0x3F {
        // What was taken as a key can be used as one, or refuses without harm.
        _ = try? key.sign([1, 2, 3])
    }
    _ = try? PublicKey(pem: pem)
    return 0
}
