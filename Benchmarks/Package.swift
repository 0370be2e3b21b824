// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "influenced-benchmarks",
    dependencies: [
        .package(name: "influenced", path: ".."),
        // Without traits: its interposers for malloc and the runtime are packages of their own, and count what we don't ask.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CBandwidth", cSettings: [.unsafeFlags(["-O3"])]),
        .executableTarget(
            name: "Ratios",
            dependencies: [
                "CBandwidth",
                .product(name: "LinearAlgebra", package: "influenced"),
                .product(name: "Networks", package: "influenced"),
                .product(name: "InverseCurvature", package: "influenced"),
                .product(name: "Attribution", package: "influenced"),
                .product(name: "Formats", package: "influenced"),
                .product(name: "JSON", package: "influenced"),
                .product(name: "Store", package: "influenced"),
                .product(name: "Service", package: "influenced"),
            ]),
        .executableTarget(
            name: "Kernels",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "LinearAlgebra", package: "influenced"),
                .product(name: "Networks", package: "influenced"),
                .product(name: "Attribution", package: "influenced"),
            ],
            path: "Benchmarks/Kernels",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
