import Foundation
import MartletSimulation
import MartletTape

/// The demonstration day as a tape: generated from a seed when it is first asked for and kept in the system's
/// temporary folder, for one build of the program and one user.
enum DemoTape {
    /// The tape's path, once it is there.
    static func path(seed: UInt64) throws(CommandError) -> String {
        let folder = try privateFolder()
        // Another build may generate another day.
        let path = "\(folder)/\(buildMark())-seed\(seed).tape"
        if (try? TapeReader(path: path)) == nil { try write(to: path, seed: seed) }
        return path
    }

    /// Generates the day into a tape. It appears under its name only when it is whole.
    @discardableResult
    static func write(to path: String, seed: UInt64) throws(CommandError) -> TapeWriter.Totals {
        do {
            let writer = try TapeWriter(path: path)
            try DemoWorld.generate(seed: seed) { input, time in
                if Interrupt.isRequested {
                    throw CommandError("interrupted", code: Interrupt.exitCode ?? .interrupted)
                }
                try writer.append(input, at: time)
            }
            try writer.finish()
            return writer.totals
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError("\(error)")
        }
    }

    /// A folder that nobody else can write to: a temporary folder is everybody's.
    private static func privateFolder() throws(CommandError) -> String {
        let base = NSTemporaryDirectory()
        let folder = (base.hasSuffix("/") ? base : base + "/") + "martlet-\(geteuid())"
        mkdir(folder, 0o700)
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o022 == 0
        else {
            throw CommandError(
                "cannot keep the demonstration day in '\(folder)': not a folder of this user alone; remove it or "
                    + "set TMPDIR to another folder")
        }
        return folder
    }

    /// Changes with every build: the program file's size and time.
    private static func buildMark() -> String {
        var status = stat()
        guard stat("/proc/self/exe", &status) == 0 else { return "unknown" }
        let moment = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        return String(status.st_size, radix: 36) + "-" + String(moment, radix: 36)
    }
}
