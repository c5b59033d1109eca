import Foundation
import MartletNetwork

/// A certificate authority made at start and forgotten at the end, its certificate in a folder that only its
/// owner can read.
final class ThrowAwayCertificates {
    let server: TLSContext
    /// The authority's certificate, PEM.
    let file: String
    private let folder: String

    init() throws {
        let authority = try CertificateMaker.authority(named: "Martlet sandbox (throw-away)")
        let key = try PrivateKey.generate(.ecdsaP256)
        let leaf = try authority.issue(
            CertificateRequest(names: ["localhost"], addresses: ["127.0.0.1", "::1"]), key)
        server = try TLSContext(serverCertificates: [leaf], key: key)
        var template = Array((NSTemporaryDirectory() + "martlet-sandbox-XXXXXX").utf8CString)
        // mkdtemp makes it readable by its owner alone.
        let made = template.withUnsafeMutableBufferPointer {
            $0.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        guard made else { throw SandboxError("no temporary folder can be made in \(NSTemporaryDirectory())") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        file = folder + "/ca.pem"
        do {
            try Data(authority.certificate.pem.utf8).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o600)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw SandboxError("\(file) cannot be written: \(error.localizedDescription)")
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
    deinit { remove() }
}
