import Foundation

enum Environment {
    static var seed: UInt64? { ProcessInfo.processInfo.environment["MARTLET_SEED"].flatMap { UInt64($0) } }
}
