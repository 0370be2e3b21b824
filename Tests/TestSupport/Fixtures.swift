public import Foundation
public import Testing

/// Reference numbers and data that lie in a folder named `shared` beside this package, where they are there at all.
///
/// They are made by other programs (PyTorch, NumPy) and too large to ship. Tests of them carry
/// `.enabled(if: Fixtures.isAvailable, Fixtures.absence)`, so that a run without them says which tests it left out.
public enum Fixtures {
    /// What a skipped test says.
    public static let absence: Comment = "needs the reference numbers in ../shared"

    /// The folder itself: this file is PACKAGE/Tests/TestSupport/Fixtures.swift.
    public static let root: URL = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        .deletingLastPathComponent().appendingPathComponent("shared")

    /// Whether the folder holds what the tests read.
    public static let isAvailable = ["fixtures/models", "fixtures/mnist-softmax", "data/mnist"].allSatisfy {
        FileManager.default.fileExists(atPath: path($0))
    }

    /// The path of a file below the folder, such as `fixtures/models/iris-softmax/hvp.npy`.
    public static func path(_ name: String) -> String { root.appendingPathComponent(name).path }
}
