import Foundation
import Testing

/// The built `martlet`, run as a user runs it.
enum MartletProcess {
    struct Result {
        var code: Int32
        var output: String
        var error: String
    }

    /// The program beside the test bundle.
    static let path: String = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = bundle.deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent("martlet").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder = folder.deletingLastPathComponent()
        }
        return "/proc/self/cwd/.build/debug/martlet"
    }()

    static func start(
        _ arguments: [String], in folder: URL? = nil, without variable: String? = nil, error: Pipe = Pipe(),
        program: String = MartletProcess.path
    ) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        if let variable {
            process.environment = ProcessInfo.processInfo.environment.filter { $0.key != variable }
        }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output, error)
    }

    static func run(
        _ arguments: [String], in folder: URL? = nil, without variable: String? = nil
    ) throws -> Result {
        let (process, output, error) = try start(arguments, in: folder, without: variable)
        return try finish(process, output, error)
    }

    /// A shell's command line, in which `"$0"` is the program.
    static func shell(_ command: String, in folder: URL) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.currentDirectoryURL = folder
        process.arguments = ["-c", command, path]
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        return try finish(process, output, error)
    }

    static func finish(_ process: Process, _ output: Pipe, _ error: Pipe) throws -> Result {
        // Standard error stays far below a pipe's size in every command.
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let problems = String(decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let code =
            process.terminationReason == .exit ? process.terminationStatus : 1000 + process.terminationStatus
        return Result(code: code, output: text, error: problems)
    }
}

/// A folder that is gone when the test ends.
final class ScratchFolder {
    let url: URL
    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
    func write(_ text: String, to name: String) throws {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
    }
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
