#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads files that hold secrets, and only those that nobody else can read.
public enum KeyFile {
    /// No key in PEM form comes near it.
    public static let bytesMax = 64 * 1024

    /// The file's bytes. Refused: readable, writable or executable by group or others, not a plain file,
    /// too large. The checks are made on the opened file, so it cannot be changed in between.
    public static func read(_ path: String) throws(KeyError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a file") }
        guard status.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            throw .permissions(path: path, remedy: "chmod 600 \(quoted(path))")
        }
        guard status.st_size <= bytesMax else { throw .tooLarge(path: path) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            guard count > 0 else { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }

    /// A path as a shell takes it.
    private static func quoted(_ path: String) -> String {
        let plain = path.utf8.allSatisfy { byte in
            (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39)
                || "/._-+~@%".utf8.contains(byte)
        }
        if plain && !path.hasPrefix("-") { return path }
        let inner = path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        return (path.hasPrefix("-") ? "-- " : "") + "'\(inner)'"
    }
}
