import Foundation
import Testing

@testable import MartletMain

@Suite struct PassphrasePromptTests {
    /// Typed at a terminal, the phrase is read and not shown.
    @Test func whatIsTypedIsReadAndNotShown() async throws {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(master >= 0)
        defer { close(master) }
        // TIOCSPTLCK and TIOCGPTN, which Swift does not import.
        var (isLocked, number): (Int32, Int32) = (0, 0)
        try #require(ioctl(master, 0x4004_5431, &isLocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        defer { close(slave) }
        let shown = Pipe()
        let prompt = PassphrasePrompt(input: slave, output: shown.fileHandleForWriting.fileDescriptor)
        let asked = Task.detached { prompt.ask("key.pem") }
        // Only what is typed behind the question counts.
        let question = shown.fileHandleForReading.availableData
        #expect(String(decoding: question, as: UTF8.self) == "pass phrase of key.pem: ")
        let typed = Array("open sesame\n".utf8)
        _ = typed.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
        #expect(await asked.value == "open sesame")
        var settings = termios()
        #expect(tcgetattr(slave, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var echoed = [UInt8](repeating: 0, count: 64)
        let count = max(0, read(master, &echoed, echoed.count))
        #expect(!String(decoding: echoed.prefix(count), as: UTF8.self).contains("sesame"))
    }

    @Test func withoutATerminalNobodyIsAsked() {
        let nothing = Pipe()
        let prompt = PassphrasePrompt(
            input: nothing.fileHandleForReading.fileDescriptor,
            output: nothing.fileHandleForWriting.fileDescriptor)
        #expect(prompt.ask("key.pem") == nil)
    }
}
