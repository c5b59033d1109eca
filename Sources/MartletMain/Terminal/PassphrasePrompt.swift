import Foundation

/// Asks a person for a pass phrase without showing what is typed.
struct PassphrasePrompt: Sendable {
    /// No phrase is longer.
    static let bytesMax = 1024

    let input: Int32
    let output: Int32

    /// Where there is a person: standard input and standard error are terminals.
    static func onTerminal() -> PassphrasePrompt? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil }
        return PassphrasePrompt(input: STDIN_FILENO, output: STDERR_FILENO)
    }

    /// The line that is typed, without its end; nil where none comes, on Ctrl-C and on Ctrl-D.
    func ask(_ file: String) -> String? {
        var settings = termios()
        guard tcgetattr(input, &settings) == 0 else { return nil }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(input, TCSAFLUSH, &silent) == 0 else { return nil }
        defer {
            tcsetattr(input, TCSAFLUSH, &settings)
            say("\n")
        }
        say("pass phrase of \(file): ")
        var line: [UInt8] = []
        while line.count < PassphrasePrompt.bytesMax {
            var ready = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            // In short waits, so that Ctrl-C is seen and what was typed is shown again after it.
            let found = poll(&ready, 1, 100)
            if Interrupt.isRequested { return nil }
            guard found > 0 else { continue }
            var byte: UInt8 = 0
            guard read(input, &byte, 1) == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
    }
}
