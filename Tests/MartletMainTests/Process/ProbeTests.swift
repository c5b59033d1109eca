import Foundation
import MartletNetwork
import Testing

/// `martlet-probe`, through which outside suites are run: exit codes and what stands on standard output.
@Suite struct ProbeTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func probe(_ arguments: [String]) throws -> MartletProcess.Result {
        let path = URL(fileURLWithPath: MartletProcess.path).deletingLastPathComponent()
            .appendingPathComponent("martlet-probe").path
        let (process, output, error) = try MartletProcess.start(arguments, in: folder.url, program: path)
        return try MartletProcess.finish(process, output, error)
    }

    @Test func requestsAreSignedWithoutTheirQuery() throws {
        let key = try PrivateKey.generate(.rsa)
        try folder.write(key.pem(), to: "key.pem")
        let path = "/trade-api/v2/portfolio/orders"
        let result = try probe(["rsa", "sign", "key.pem", "1703123456789", "GET", path + "?limit=5"])
        #expect(result.code == 0 && result.error == "")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 2 && lines[1] == "")
        let signature = try #require(Data(base64Encoded: String(lines[0])))
        #expect(key.publicKey.verify(Array(signature), of: Array("1703123456789GET\(path)".utf8)))
    }

    @Test func aBadKeyFileIsNoSignature() throws {
        let rsa = try PrivateKey.generate(.rsa)
        let files = [
            "elliptic": try PrivateKey.generate(.ecdsaP256).pem(),
            "short": try PrivateKey.generate(.rsa, rsaBits: 1024).pem(),
            "public": rsa.publicKey.pem(), "locked": try rsa.pem(passphrase: "phrase"), "empty": "",
            "cut": String(try rsa.pem().prefix(700)), "words": "no key\n",
        ]
        for (name, text) in files { try folder.write(text, to: name) }
        for name in files.keys.sorted() + ["missing"] {
            let result = try probe(["rsa", "sign", name, "1703123456789", "GET", "/trade-api/v2/markets"])
            #expect((1..<128).contains(result.code) && result.output == "", "\(name)")
        }
    }

    @Test func aSuiteIsToldInOneLineWhatWentWrong() throws {
        for arguments in [["GET", "http://127.0.0.1:1/"], ["GET", "ftp://x/"], ["--seq", "GET"], []] {
            let result = try probe(["http"] + arguments)
            #expect(result.code == 1 && result.output.hasPrefix("error "))
            #expect(result.output.split(separator: "\n").count == 1)
        }
        try folder.write("[1,]", to: "bad.json")
        try folder.write("[1.0e400, \"\\ud834\\udd1e\"]", to: "good.json")
        #expect(try probe(["json", "bad.json"]).code == 1)
        #expect(try probe(["json", "--dump", "bad.json"]).output == "")
        let dumped = try probe(["json", "--dump", "good.json"])
        #expect(dumped.code == 0 && dumped.output.contains("1.0e400"))
        #expect(try probe([]).code == 2)
    }
}
