// swift-tools-version: 6.2
import PackageDescription

// Strategies compiled into `martlet`. `martlet new NAME` adds a line at each marker.
let strategies: [Target] = [
    // martlet:strategies
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
        .target(name: "MartletNetwork", dependencies: ["COpenSSL", "CSystem"]),
        .executableTarget(name: "martlet-probe", dependencies: ["MartletNetwork"], path: "Tests/Probe"),
        .testTarget(name: "MartletNetworkTests", dependencies: ["MartletNetwork"]),
    ],
    swiftLanguageModes: [.v6]
)
