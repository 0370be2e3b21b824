// swift-tools-version: 6.2

import PackageDescription

/// The language settings every target of ours is built with, said once.
let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (Context.environment["INFLUENCED_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// A room of the house: its sources, what it knows of, and what ships with it.
func room(_ name: String, knows dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// The tests of one room.
func tests(_ name: String, of dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
/// SQLite itself, as GRDB sees it: blocks are read by SQLite's incremental blob input.
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "influenced",
    products: [
        .executable(name: "influenced", targets: ["influenced"]),
        .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
        .library(name: "Networks", targets: ["Networks"]),
        .library(name: "InverseCurvature", targets: ["InverseCurvature"]),
        .library(name: "Attribution", targets: ["Attribution"]),
        .library(name: "Formats", targets: ["Formats"]),
        .library(name: "JSON", targets: ["JSON"]),
        .library(name: "Store", targets: ["Store"]),
        .library(name: "Service", targets: ["Service"]),
        // For the package Fuzz.
        .library(name: "FuzzProperties", targets: ["FuzzProperties"]),
        .library(name: "ServiceFuzzProperties", targets: ["ServiceFuzzProperties"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CBLAS", providers: [.apt(["libblas-dev", "libopenblas0-pthread"])]),
        .systemLibrary(name: "CLAPACK", providers: [.apt(["liblapack-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

        .target(name: "CKernels"),
        room("LinearAlgebra", knows: ["CBLAS", "CLAPACK", "CKernels"]),
        room("Networks", knows: ["LinearAlgebra", "JSON"]),
        room("InverseCurvature", knows: ["LinearAlgebra"]),
        room("Attribution", knows: ["LinearAlgebra", "Networks", "InverseCurvature", heap]),
        room("JSON"),
        room("Formats", knows: ["CZlib", "JSON"]),
        room("Store", knows: ["Formats", grdb, sqlite, crypto]),
        room("Sockets", knows: ["CLinux"]),
        room("HTTP", knows: ["Sockets", httpTypes]),
        room(
            "Service",
            knows: [
                "LinearAlgebra", "Networks", "InverseCurvature", "Attribution", "JSON", "Formats", "Store", "HTTP",
                "Sockets", crypto, deque, httpTypes, logging, configuration, serviceLifecycle, systemPackage,
            ]),
        room(
            "Demo", knows: ["Formats", "LinearAlgebra", "Networks", "Store", "Service"], resources: [.copy("Resources/digits")]),
        .executableTarget(
            name: "influenced",
            dependencies: [
                "Service", "Store", "Formats", "JSON", "LinearAlgebra", "Networks", "Demo", "Sockets", "CLinux", argumentParser,
                logging,
                serviceLifecycle,
            ],
            swiftSettings: settings),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "FuzzProperties", dependencies: ["HTTP", "JSON", "Formats", httpTypes], path: "Tests/FuzzProperties",
            swiftSettings: settings),
        .target(
            name: "ServiceFuzzProperties", dependencies: ["FuzzProperties", "Service", "JSON", "InverseCurvature"],
            path: "Tests/ServiceFuzzProperties", swiftSettings: settings),
        tests("FuzzTests", of: ["FuzzProperties", "ServiceFuzzProperties"]),
        tests("LinearAlgebraTests", of: ["LinearAlgebra"]),
        tests("NetworksTests", of: ["Networks", "LinearAlgebra", "Formats", "JSON"]),
        tests("InverseCurvatureTests", of: ["InverseCurvature", "LinearAlgebra"]),
        tests("AttributionTests", of: ["Attribution", "Networks", "InverseCurvature", "LinearAlgebra", "Formats", "JSON"]),
        tests("JSONTests", of: ["JSON"]),
        tests("FormatsTests", of: ["Formats"]),
        tests("StoreTests", of: ["Store", "Formats", grdb]),
        tests("SocketsTests", of: ["Sockets"]),
        tests("HTTPTests", of: ["HTTP", "Sockets", httpTypes]),
        tests(
            "ServiceTests",
            of: [
                "Service", "Store", "JSON", "InverseCurvature", "LinearAlgebra", "Networks", "Attribution", "Formats", "HTTP",
                httpTypes, logging, grdb,
            ]),
        tests("EndToEndTests", of: ["influenced", "JSON"]),
    ],
    swiftLanguageModes: [.v6]
)
