import Foundation

/// Folders for what does not outlive a command.
enum TemporaryFolder {
    /// A new one that nobody else can read, `/tmp/NAME-x8Kq2L`. The caller removes it.
    static func make(_ name: String) throws(CommandError) -> String {
        var path = Array((NSTemporaryDirectory() + name + "-XXXXXX").utf8CString)
        let isMade = path.withUnsafeMutableBufferPointer {
            $0.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        guard isMade else {
            throw CommandError(
                "no folder can be made in \(NSTemporaryDirectory()): \(String(cString: strerror(errno)))")
        }
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
