import Foundation

/// The demonstration day as a tape.
enum DemoTape {
    static func path(seed: UInt64) throws(CommandError) -> String { throw CommandError("pending") }
}
