import HTTPTypes
import JSON
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Service

@Suite("Slices that can't be compared")
struct SlicesRefusalTests {
    private let bench: SlicesBench

    init() throws { bench = try SlicesBench() }

    private static func tests(_ slices: JSON, of dataset: String = "tests") -> JSONObject {
        ["test_slices": ["dataset": .string(dataset), "slices": slices], "method": "gradient_dot"]
    }

    private static func training(_ slices: JSON) -> JSONObject { ["training_slices": slices, "method": "gradient_dot"] }

    /// Requests with what is wrong: status, place, and words.
    static let wrong: [(members: JSONObject, status: Int, pointer: String, words: String)] = [
        (
            tests(SlicesBench.slices([("a", [1, 2, 3]), ("b", [5, 3])])), 422, "/test_slices/slices/1",
            "has the test 3 of 'tests', which is in 'a', too"
        ),
        (
            tests(SlicesBench.slices([("a", Array(0..<100)), ("b", Array(100..<141))])), 422, "/test_slices/slices/1",
            "141, and 140 are allowed, by limits.max_slice_tests"
        ),
        (tests(SlicesBench.slices([("a", [1])]), of: "tets"), 404, "/test_slices/dataset", "tests"),
        (tests(SlicesBench.slices([("a", [0, 150])])), 404, "/test_slices/slices/0/indices/1", "0 to 149; got 150"),
        (training(SlicesBench.slices([("a", [90])])), 422, "/training_slices/0/indices/0", "0 to 89; got 90"),
        (tests([["name": "a", "where": ["source": "fax"]]]), 422, "/test_slices/slices/0/where/source", "hand"),
        (training([["name": "a", "where": ["colour": 1]]]), 422, "/training_slices/0/where/colour", "source"),
        (training([["name": "a", "target": 7]]), 422, "/training_slices/0/target", ""),
        (training([["name": "a", "target": 1, "where": ["source": "hand"], "id": "train-0"]]), 422, "/training_slices/0", ""),
        (["model": "none"], 404, "/model", "small"),
        (["checkpoint": "none"], 404, "/checkpoint", "early, last"),
        (["method": "tracin_cp", "checkpoints": ["none"]], 404, "/checkpoints/0", ""),
    ]

    @Test("what is asked about must be there, each test once, and not too many", arguments: wrong.indices)
    func isRefused(position: Int) throws {
        let (members, status, pointer, words) = Self.wrong[position]
        let problem = try #require(bench.problem(members))
        #expect(problem.status.code == status)
        #expect(problem.errors.map(\.pointer) == [pointer])
        #expect(problem.detail.contains(words), "\(problem.detail)")
    }

    @Test("as many tests as are allowed are answered")
    func limit() throws {
        let answer = try bench.answer(Self.tests(SlicesBench.slices([("a", Array(0..<100)), ("b", Array(100..<140))])))
        #expect(answer["test_slices"]?[1]?["size"] == 40)
    }

    /// Requests that can't be read: where, and what is wrong.
    static let unreadable: [(members: JSONObject, issue: String)] = [
        (["tests": []], "/tests: is not a known field"),
        (["compare": ["influence", "trak"]], "/compare"), (["until": ["rank_stable": true]], "/until"), (["k": 3], "/k"),
        (["training_slices": []], "/training_slices: must be an array of 1 to 4"),
        (["training_slices": .null], "/training_slices: is missing"),
        (["training_slices": SlicesBench.slices([("a", [1]), ("a", [2])])], "/training_slices: names a slice twice"),
        (["training_slices": SlicesBench.slices([("", [1])])], "/training_slices/0/name: must be a string of 1 to 128"),
        (["training_slices": SlicesBench.slices([("a", [])])], "/training_slices/0/indices"),
        (["training_slices": SlicesBench.slices((0..<5).map { ("\($0)", [1]) })], "/training_slices: must be an array of 1 to 4"),
        (["training_slices": [["name": "a"]]], "/training_slices/0: must have indices, or conditions"),
        (["training_slices": [["name": "a", "indices": [1], "target": 1]]], "/training_slices/0/target: goes without indices"),
        (["training_slices": [["name": "a", "where": ["x": ["min": []]]]]], "/training_slices/0/where/x"),
        (["training_slices": [["name": "a", "indices": [-1]]]], "/training_slices/0/indices/0"),
        (["test_slices": SlicesBench.slices([("a", [1])])], "/test_slices: must be an object"),
        (["test_slices": ["slices": SlicesBench.slices([("a", [1])])]], "/test_slices/dataset: is missing"),
        (["test_slices": ["dataset": "tests"]], "/test_slices/slices: is missing"),
        (["method": "tracin_cp", "solver": ["name": "cg"]], "/solver: has no meaning here"),
        (["correlations": 1], "/correlations"), (["deadline_ms": 0], "/deadline_ms"),
    ]

    @Test("each wrong member is named with what it should be", arguments: unreadable.indices)
    func decoding(position: Int) {
        let (members, issue) = Self.unreadable[position]
        do {
            _ = try SlicesBench.request(members)
            Issue.record("it was accepted")
        } catch {
            #expect(error.issues.count == 1 && error.issues[0].description.hasPrefix(issue), "\(error.issues)")
        }
    }

    @Test("what a single test would be refused for, slices are, and in their own terms")
    func methods() throws {
        let bare = try SlicesBench(hasLearningRates: false)
        let rates = try #require(bare.problem(["method": "tracin_cp"]))
        #expect(rates.status.code == 422 && rates.errors.map(\.pointer) == ["/checkpoints"])
        // Not even one test's gradients fit: there is no member `tests` to point to.
        let narrow = try #require(bench.problem(["method": "gradient_dot"], by: bench.engine(memoryBytes: 256)))
        #expect(narrow.status.code == 422 && !narrow.detail.contains("/tests"))
        let diverging = try #require(bench.problem(["solver": ["name": "lissa", "scale": 1e-3]]))
        #expect(diverging.status.code == 422 && diverging.detail.contains("diverged"))
    }

    @Test("slices that take more memory than there is are refused before the work")
    func memory() throws {
        let engine = bench.engine(memoryBytes: 24 << 10)
        let problem = try #require(bench.problem(["method": "gradient_dot"], by: engine))
        #expect(problem.errors.map(\.pointer) == ["/test_slices"] && problem.detail.contains("leave out their correlations"))
        #expect(bench.problem(["method": "gradient_dot", "correlations": false], by: engine) == nil)
    }

    @Test("it stops soon after nobody wants the answer any more", arguments: [1, 3, 10, 30, 100, 300])
    func interruption(asked: Int) throws {
        let count = Atomic(0)
        let interruption = Interruption { count.add(1, ordering: .relaxed).newValue > asked }
        #expect(throws: Interrupted.self) { try bench.answer(["solver": SlicesBench.exact], interruption: interruption) }
        #expect(count.load(ordering: .relaxed) < asked + 20)
    }
}
