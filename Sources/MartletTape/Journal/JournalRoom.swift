import Foundation

/// The room that a killed session's journal still reserves on the disk.
public enum JournalRoom {
    /// Gives it back, and returns how many bytes. The journal reads as before: open, not ended in order.
    ///
    /// Nothing is done to a journal that a process still writes (its segments are locked), to one that ends in
    /// damage, and to one that may not be written.
    @discardableResult
    public static func giveBack(_ session: String) -> Int {
        var given = 0
        var next = 0
        var folder = session
        if let reader = try? JournalReader(folder: session) {
            var reader = reader
            while reader.next() != nil {}
            guard reader.ending == .open else { return 0 }
            folder = reader.folder
            next = reader.number + 1
            // The next record's length, zero, stays: it says that the session did not end.
            given += cut(folder + "/" + JournalFormat.name(reader.number), to: reader.offset + 8)
        } else if JournalReader.isJournal(session + "/journal") {
            folder = session + "/journal"
        }
        // Made ahead of use, and never used.
        while FileManager.default.fileExists(atPath: folder + "/" + JournalFormat.name(next)) {
            given += cut(folder + "/" + JournalFormat.name(next), to: JournalFormat.headerSize + 8)
            next += 1
        }
        return given
    }

    /// Cuts a file behind `count` bytes if nothing but zeros stands there; returns how many were cut off.
    private static func cut(_ path: String, to count: Int) -> Int {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let file = try? MappedFile(path: path),
            file.count > count, isZero(file.base + count, file.count - count)
        else { return 0 }
        return ftruncate(descriptor, off_t(count)) == 0 ? file.count - count : 0
    }

    private static func isZero(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
        // Each byte equals the one before, and the first is zero.
        start.load(as: UInt8.self) == 0 && memcmp(start, start + 1, count - 1) == 0
    }
}
