import Testing

@testable import MartletSandbox

struct SandboxSettingsTests {
    @Test func theDefaultIsTLSOnAnyPort() {
        #expect(SandboxSettings().port == 0)
        #expect(!SandboxSettings().isPlain)
    }
}
