import MartletLive
import Testing

@Suite struct SessionFolderTests {
    @Test("A session's files stand in its own folder")
    func layout() {
        let folder = SessionFolder("Sessions/a")
        #expect(folder.journal == "Sessions/a/journal")
        #expect(folder.identity == "Sessions/a/session.json")
    }
}
