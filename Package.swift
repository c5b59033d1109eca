// swift-tools-version: 6.2
import PackageDescription

/// The strategies compiled into `martlet`: a folder under `Strategies/` each, importing `Martlet` alone.
let strategies: [String] = [
    "ExclusiveArbitrage",
    "LongshotBias",
    "SpreadMaker",
    // `martlet new NAME` adds its line above this one.
]

let package = Package(
    name: "Martlet",
    products: [
        .library(name: "Martlet", targets: ["Martlet"]),
        .library(name: "MartletMain", targets: ["MartletMain"]),
        .executable(name: "martlet", targets: ["MartletCLI"]),
    ],
    targets: [
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CSystem"),
        .target(name: "Martlet"),
        .target(name: "MartletEngine", dependencies: ["Martlet"]),
        .target(name: "MartletWire", dependencies: ["Martlet", "MartletEngine"]),
        .target(name: "MartletTape", dependencies: ["MartletWire", "MartletEngine", "CSystem"]),
        .target(name: "MartletSimulation", dependencies: ["MartletEngine", "MartletTape"]),
        .target(name: "MartletNetwork", dependencies: ["COpenSSL", "CSystem"]),
        .target(
            name: "MartletKalshi",
            dependencies: ["MartletNetwork", "MartletWire", "MartletEngine", "Martlet"]),
        .target(
            name: "MartletSandbox",
            dependencies: ["MartletKalshi", "MartletSimulation", "MartletNetwork", "MartletWire"]),
        .target(name: "MartletReport", dependencies: ["MartletEngine", "MartletTape"]),
        .target(
            name: "MartletLive",
            dependencies: [
                "MartletKalshi", "MartletTape", "MartletSimulation", "MartletNetwork", "MartletWire",
                "MartletReport", "CSystem",
            ]),
        .target(
            name: "MartletMain",
            dependencies: [
                "MartletEngine", "MartletWire", "MartletTape", "MartletSimulation", "MartletReport",
                "MartletNetwork", "MartletKalshi", "MartletSandbox", "MartletLive",
            ]),
        .executableTarget(
            name: "MartletCLI",
            dependencies: ["Martlet", "MartletMain"] + strategies.map { .init(stringLiteral: $0) }),
        .executableTarget(
            name: "martlet-bad-strategies", dependencies: ["Martlet", "MartletMain"],
            path: "Tests/BadStrategies"),
        .executableTarget(
            name: "martlet-probe", dependencies: ["MartletNetwork", "MartletWire"], path: "Tests/Probe"),
        .target(name: "CTestWidth", path: "Tests/Support/CTestWidth"),
        .testTarget(name: "MartletTests", dependencies: ["Martlet", "MartletEngine", "CTestWidth"]),
        .testTarget(name: "MartletEngineTests", dependencies: ["MartletEngine"]),
        .testTarget(name: "MartletWireTests", dependencies: ["MartletWire"]),
        .testTarget(name: "MartletTapeTests", dependencies: ["MartletTape"]),
        .testTarget(name: "MartletSimulationTests", dependencies: ["MartletSimulation"]),
        .testTarget(name: "MartletNetworkTests", dependencies: ["MartletNetwork"]),
        .testTarget(name: "MartletKalshiTests", dependencies: ["MartletKalshi"]),
        .testTarget(name: "MartletSandboxTests", dependencies: ["MartletSandbox"]),
        .testTarget(name: "MartletLiveTests", dependencies: ["MartletLive", "MartletSandbox"]),
        .testTarget(name: "MartletReportTests", dependencies: ["MartletReport"]),
        .testTarget(
            name: "MartletMainTests",
            dependencies: [
                "MartletMain", "MartletSimulation", "MartletTape", "MartletNetwork", "MartletCLI",
                "MartletLive", "MartletSandbox", "MartletKalshi", "SpreadMaker",
            ]),
        .testTarget(
            name: "StrategyTests",
            dependencies: ["MartletEngine"] + strategies.map { .init(stringLiteral: $0) }),
    ] + strategies.map { .target(name: $0, dependencies: ["Martlet"], path: "Strategies/\($0)") },
    swiftLanguageModes: [.v6]
)
