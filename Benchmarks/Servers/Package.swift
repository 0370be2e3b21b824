// swift-tools-version: 6.2

import PackageDescription

// Peers to be measured against, and nothing else: no code of the service depends on anything here, and SwiftNIO is nowhere else.
// Both answer `GET /health/live` with the very bytes that `influenced serve` answers with; `run` compares the three.
let package = Package(
    name: "influenced-server-peers",
    dependencies: [
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    ],
    targets: [
        .executableTarget(
            name: "flyingfox-peer",
            dependencies: [.product(name: "FlyingFox", package: "FlyingFox")],
            path: "Sources/FlyingFoxPeer"),
        .executableTarget(
            name: "hummingbird-peer",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            path: "Sources/HummingbirdPeer"),
    ],
    swiftLanguageModes: [.v6]
)
