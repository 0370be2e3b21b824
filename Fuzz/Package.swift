// swift-tools-version: 6.2

import PackageDescription

/// A program that libFuzzer drives, with the properties of one library of the main package.
func fuzzer(_ name: String, of properties: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [.product(name: properties, package: "influenced")],
        // libFuzzer brings the main function.
        swiftSettings: [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "influenced-fuzz",
    dependencies: [.package(name: "influenced", path: "..")],
    targets: [
        // The service is far larger than what it is made of: where it is not needed, a fuzzer without it is faster.
        fuzzer("Fuzz", of: "FuzzProperties"),
        fuzzer("FuzzService", of: "ServiceFuzzProperties"),
    ],
    swiftLanguageModes: [.v6]
)
