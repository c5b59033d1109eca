import Testing

@testable import MartletMain

@Suite struct ContainerInitTests {
    /// As `waitpid` tells it, and as a shell does.
    @Test(arguments: [(0, 0), (2 << 8, 2), (143 << 8, 143), (9, 137), (11 | 0x80, 139)])
    func theContainerEndsWithItsProgramsCode(status: Int32, code: Int32) {
        #expect(ContainerInit.exitCode(status) == code)
    }
}
