import CSystem

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A listening TCP socket on an event loop.
final class Listener: EventHandler {
    static let backlog: Int32 = 1024
    /// Connections taken in one pass; then those there have their turn.
    static let acceptsPerPass = 64
    /// How long to stand back when the process is out of descriptors.
    static let exhaustedPause = Nanoseconds.milliseconds(100)

    private let loop: EventLoop
    private var descriptor: Int32
    private var registration: Registration?
    private var accepted: ((Int32) -> Void)?
    let address: SocketAddress

    /// - Parameter accepted: is given each connection's non-blocking descriptor, to own.
    init(
        _ loop: EventLoop, on address: SocketAddress, accepted: @escaping (Int32) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.accepted = accepted
        let descriptor = try SocketOperations.open(family: address.family)
        self.descriptor = descriptor
        do throws(SystemError) {
            SocketOperations.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            guard address.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else { throw .last("bind") }
            guard listen(descriptor, Listener.backlog) == 0 else { throw .last("listen") }
            self.address = try SocketAddress.local(of: descriptor)
        } catch {
            SocketOperations.close(descriptor)
            throw error
        }
        registration = try loop.register(descriptor, for: .readable, self)
    }

    func ready(_ readiness: Readiness) {
        for _ in 0..<Listener.acceptsPerPass {
            let connection = csystem_accept(descriptor)
            if connection >= 0 {
                accepted?(connection)
                if descriptor < 0 { return }
                continue
            }
            let code = errno
            if code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM { standBack() }
            if code == ECONNABORTED || code == EINTR { continue }
            return
        }
    }

    private func standBack() {
        guard let registration else { return }
        loop.update(registration, for: [])
        loop.schedule(after: Listener.exhaustedPause) { [self] in
            if let registration = self.registration { loop.update(registration, for: .readable) }
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        if let registration { loop.unregister(registration) }
        registration = nil
        accepted = nil
        SocketOperations.close(descriptor)
        descriptor = -1
    }
}
