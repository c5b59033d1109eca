import Foundation
import MartletTape

/// What decides whether a replay can be the same to the bit: the program, the processor family, the C library.
enum JournalIdentity {
    /// XXH64 of the program's own file, with its version.
    static let program: String = {
        let path = "/proc/self/exe"
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            return RootCommand.version
        }
        let hash = bytes.withUnsafeBytes { buffer -> UInt64 in
            buffer.baseAddress.map { XXH64.hash($0, count: buffer.count) } ?? 0
        }
        return "\(RootCommand.version) \(String(hash, radix: 16))"
    }()

    static let machine: String = {
        #if arch(x86_64)
            let processor = "x86_64"
        #elseif arch(arm64)
            let processor = "arm64"
        #else
            let processor = "other"
        #endif
        #if canImport(Glibc)
            var text = [CChar](repeating: 0, count: 64)
            confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
            let library = String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return "\(processor), \(library)"
        #else
            return processor
        #endif
    }()
}
