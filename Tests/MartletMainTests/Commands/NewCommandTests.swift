import Foundation
import Testing

@testable import MartletMain

@Suite struct NewCommandTests {
    private static let manifest = """
        let strategies: [String] = [
            "Alpha",
            "Zulu",
            // `martlet new NAME` adds its line above this one.
        ]

        """
    private static let registry = """
        import Alpha
        import Martlet
        import Zulu
        // `martlet new NAME` adds its import above this line.

        func compiledStrategies() -> [any Strategy.Type] {
            [
                Alpha.self,
                Zulu.self,
                // `martlet new NAME` adds its strategy above this line.
            ]
        }

        """
    private func checkout() throws -> ScratchFolder {
        let folder = try ScratchFolder()
        try folder.write(Self.manifest, to: "Package.swift")
        try folder.write(Self.registry, to: "Sources/MartletCLI/Strategies.swift")
        return folder
    }

    @Test func addsTheFolderAndTheLinesInOrder() throws {
        let folder = try checkout()
        let inside = folder.url.appendingPathComponent("Sources")
        let result = try MartletProcess.run(["new", "mean-reverter"], in: inside)
        #expect(result.code == 0)
        #expect(result.error == "")
        #expect(
            try folder.read("Package.swift") == """
                let strategies: [String] = [
                    "Alpha",
                    "MeanReverter",
                    "Zulu",
                    // `martlet new NAME` adds its line above this one.
                ]

                """)
        let registry = try folder.read("Sources/MartletCLI/Strategies.swift")
        #expect(registry.hasPrefix("import Alpha\nimport Martlet\nimport MeanReverter\nimport Zulu\n//"))
        #expect(registry.contains("        Alpha.self,\n        MeanReverter.self,\n        Zulu.self,\n"))
        let source = try folder.read("Strategies/MeanReverter/MeanReverter.swift")
        #expect(source.contains("public struct MeanReverter: Strategy"))
        #expect(source.contains("public static let name = \"mean-reverter\""))
        #expect(try folder.read("Backtests/mean-reverter.json5").contains("use: \"mean-reverter\""))
    }

    /// What was written is a strategy that the compiler takes, in the language mode of the package.
    @Test func theNewStrategyCompiles() throws {
        let folder = try checkout()
        #expect(try MartletProcess.run(["new", "mean-reverter"], in: folder.url).code == 0)
        let modules = URL(fileURLWithPath: MartletProcess.path).deletingLastPathComponent()
            .appendingPathComponent("Modules").path
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "swiftc", "-typecheck", "-warnings-as-errors", "-swift-version", "6", "-I", modules,
            folder.path("Strategies/MeanReverter/MeanReverter.swift"),
        ]
        let said = Pipe()
        compiler.standardError = said
        try compiler.run()
        let text = String(decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "\(text)")
    }

    @Test func addsToEmptyLists() throws {
        let text =
            "let strategies: [String] = [\n    // `martlet new NAME` adds its line above this one.\n]\n"
        let changed = try PackageChange.adding(["\"A\","], to: text, path: "Package.swift")
        #expect(changed.contains("[\n    \"A\",\n    //"))
    }

    @Test func overwritesNothing() throws {
        let folder = try checkout()
        try folder.write("mine", to: "Strategies/MeanReverter/notes.txt")
        let result = try MartletProcess.run(["new", "MeanReverter"], in: folder.url)
        #expect(result.code == 2)
        #expect(
            result.error
                == "martlet: 'Strategies/MeanReverter' exists already; choose another name or remove it first\n"
        )
        #expect(try folder.read("Package.swift") == Self.manifest)
    }

    @Test func saysWhereItLookedForACheckout() throws {
        let folder = try ScratchFolder()
        let result = try MartletProcess.run(["new", "x-ray"], in: folder.url)
        #expect(result.code == 2)
        #expect(result.error.hasPrefix("martlet: no Martlet checkout at '\(folder.url.path)' or above it"))
    }

    @Test func aLostMarkIsNamedAndNothingChanges() throws {
        let folder = try checkout()
        try folder.write("import Alpha\n", to: "Sources/MartletCLI/Strategies.swift")
        let result = try MartletProcess.run(["new", "x-ray"], in: folder.url)
        #expect(result.code == 1)
        #expect(
            result.error.hasPrefix("martlet: 'Sources/MartletCLI/Strategies.swift' has lost its marked line"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("Strategies/XRay")))
    }

    @Test(arguments: [
        ("mean-reverter", "MeanReverter", "mean-reverter"), ("MeanReverter", "MeanReverter", "mean-reverter"),
        ("a1", "A1", "a1"), ("my-own-2", "MyOwn2", "my-own-2"), ("BTCMaker", "BTCMaker", "btc-maker"),
        ("x-maker", "XMaker", "x-maker"),
    ])
    func names(text: String, type: String, kebab: String) throws {
        let names = try StrategyNames(text)
        #expect(names.type == type)
        #expect(names.kebab == kebab)
    }

    @Test(arguments: [
        "", "1st", "a b", "../x", "-a", "a-", "a--b", "Martlet", "price", "martlet-x", "é", "a_b",
    ])
    func refusesWhatIsNoName(text: String) {
        #expect(throws: CommandError.self) { try StrategyNames(text) }
    }
}
