import Foundation
import FuzzProperties
import ServiceFuzzProperties

/// The inputs that lie in the package `Fuzz/`.
struct FuzzFile: Sendable, CustomStringConvertible {
    /// The property that it is for.
    let property: FuzzProperty
    let url: URL

    /// "request/chunked".
    var description: String { "\(property.name)/\(url.lastPathComponent)" }

    /// Every property there is.
    static let properties = FuzzProperty.all + [.query]

    /// This file is PACKAGE/Tests/FuzzTests/FuzzFiles.swift.
    static let root = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        .appendingPathComponent("Fuzz")

    /// What is in a folder, without hidden files; nothing if there is no such folder.
    static func names(in folder: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
        return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The inputs in `folder`, which has a folder for each property.
    static func all(in folder: String) -> [FuzzFile] {
        properties.flatMap { property in
            names(in: "\(folder)/\(property.name)").map { name in
                FuzzFile(property: property, url: root.appendingPathComponent("\(folder)/\(property.name)/\(name)"))
            }
        }
    }
}
