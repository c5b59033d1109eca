import Foundation
import Martlet
import MartletNetwork

@testable import MartletSandbox

/// A WebSocket client on a bare socket that reads nothing until it is told to.
final class StuckFeed: Sendable {
    private let descriptor: Int32

    struct Failed: Error {}

    init(_ rig: SandboxRig) async throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(rig.endpoint.port)).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failed() }
        var head =
            "GET /trade-api/ws/v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        for field in try SandboxRig.sign(rig.alice, "GET", "/trade-api/ws/v2").fields {
            head += "\(field.name): \(field.value)\r\n"
        }
        try write(Array((head + "\r\n").utf8))
    }
    deinit { close(descriptor) }

    private func write(_ bytes: [UInt8]) throws {
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Failed() }
    }

    /// A text frame of less than 64 KiB, masked with zeros.
    func send(_ text: String) async {
        let payload = Array(text.utf8)
        var frame: [UInt8] = [0x81]
        if payload.count < 126 {
            frame.append(0x80 | UInt8(payload.count))
        } else {
            frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        }
        try? write(frame + [0, 0, 0, 0] + payload)
    }

    /// Everything up to the server's parting word, or the connection's end.
    func readAll() async throws -> String {
        var timeout = timeval(tv_sec: 8, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
            if String(decoding: text.suffix(64), as: UTF8.self).contains("reads too slowly") { break }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
