import Synchronization

/// A method and path whose signatures are kept ready. Made by ``SignaturePool``.
///
/// Each slot holds at most one signature and is emptied and filled by an atomic exchange, so neither side ever
/// waits for the other.
public final class SignedPath: Sendable {
    public let method: String
    /// From `/trade-api/v2` on, without a query.
    public let path: String
    public let priority: SignaturePriority
    let slots: [SignatureSlot]
    /// Set by the order path when the order is gone; the signing thread then forgets the path.
    let isRetired = Atomic<Bool>(false)

    init(_ method: String, _ path: String, _ priority: SignaturePriority, depth: Int) {
        self.method = method
        self.path = path
        self.priority = priority
        slots = (0..<max(0, depth)).map { _ in SignatureSlot() }
    }
}

/// Room for one signature, handed from one thread to another without a lock.
//
// The address stands for one retained reference: whoever takes it out owns that reference. Zero is empty.
final class SignatureSlot: Sendable {
    private final class Box: Sendable {
        let signature: RequestSignature
        init(_ signature: RequestSignature) { self.signature = signature }
    }

    private let content = Atomic<UInt>(0)

    deinit { _ = take() }

    var isEmpty: Bool { content.load(ordering: .relaxed) == 0 }

    func put(_ signature: RequestSignature) {
        let fresh = UInt(bitPattern: Unmanaged.passRetained(Box(signature)).toOpaque())
        _ = SignatureSlot.box(content.exchange(fresh, ordering: .acquiringAndReleasing))
    }

    func take() -> RequestSignature? {
        SignatureSlot.box(content.exchange(0, ordering: .acquiring))?.signature
    }

    private static func box(_ address: UInt) -> Box? {
        guard let pointer = UnsafeRawPointer(bitPattern: address) else { return nil }
        return Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue()
    }
}
