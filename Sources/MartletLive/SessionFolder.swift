import Foundation

/// Where a session keeps what it must not forget: one folder a session.
///
///     Sessions/maker-20261123T090000Z/
///         session.json    who trades where, as which process, under which order groups
///         journal/        every input and command, in segments
///         log.jsonl       what it said
///         report.html, result.json
public struct SessionFolder: Hashable, Sendable {
    public var path: String
    public init(_ path: String) { self.path = path }

    public var identity: String { path + "/session.json" }
    public var journal: String { path + "/journal" }
    public var log: String { path + "/log.jsonl" }
    public var page: String { path + "/report.html" }
    public var result: String { path + "/result.json" }
}
