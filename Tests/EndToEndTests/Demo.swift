import Foundation
import JSON
import TestSupport

/// The demo's store and a server on it, made once for all tests that only read.
enum Demo {
    private static let folder = Result { try Folder() }
    private static let shared = Result { try InfluencedServer(store: store()) }

    private final class Folder: Sendable {
        let directory: TemporaryDirectory
        let output: String

        init() throws {
            directory = try TemporaryDirectory()
            let result = try influenced("demo", "--store", directory.path("demo.sqlite"))
            guard result.ending == .exited(0) else { throw InfluencedProcess.Failure(description: result.standardError) }
            output = result.standardOutput
            // A server writes what it derives: copies are made of what none has opened.
            try FileManager.default.copyItem(
                atPath: directory.path("demo.sqlite"), toPath: directory.path("untouched.sqlite"))
        }
    }

    /// What building it said.
    static func output() throws -> String { try folder.get().output }

    /// The store, not to be written to.
    static func store() throws -> String { try folder.get().directory.path("demo.sqlite") }

    static func server() throws -> InfluencedServer { try shared.get() }

    /// A copy of the store that a test may do with what it likes.
    static func copy(to path: String) throws {
        try FileManager.default.copyItem(atPath: try folder.get().directory.path("untouched.sqlite"), toPath: path)
    }

    /// A question about one row of the tests, exact unless said otherwise.
    static func question(_ index: Int = 3, _ more: JSONObject = [:]) -> JSON {
        var members: JSONObject = ["model": "digits", "tests": [test(index)], "solver": ["name": "exact"]]
        for (key, value) in more { members[key] = value }
        return .object(members)
    }

    static func test(_ index: Int) -> JSON { ["dataset": "digits-test", "index": .integer(index)] }

    /// A question whose answer takes longer than any test does.
    static let endlessQuestion: JSON = [
        "model": "digits", "tests": [test(3)], "deadline_ms": 300_000,
        "solver": ["name": "lissa", "recursion_depth": 10_000_000, "num_repeat": 256],
    ]
}
