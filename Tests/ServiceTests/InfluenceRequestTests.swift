import InverseCurvature
import JSON
import Testing

@testable import Service

/// How a question is read. What is wrong with wrong ones is told by the service's own answers, which have tests of their own.
@Suite("Reading a request")
struct InfluenceRequestTests {
    private static let limits = RequestLimits(
        maximumTests: 4, maximumK: 100, maximumGroups: 2, maximumDeadlineMilliseconds: 1_000)
    private static let shortest = #"{"model": "m", "tests": [{"dataset": "d", "index": 3}]}"#

    private func read(_ text: String) throws -> InfluenceRequest {
        try InfluenceRequest(JSON(parsing: text), limits: Self.limits)
    }

    private func read(_ members: JSONObject) throws -> InfluenceRequest {
        var all = try JSON(parsing: Self.shortest).objectValue ?? [:]
        for (key, value) in members { all[key] = value }
        return try InfluenceRequest(.object(all), limits: Self.limits)
    }

    private func issues(_ members: JSONObject) -> [String] {
        do {
            _ = try read(members)
            return []
        } catch let error as JSONIssues {
            return error.issues.map(\.pointer)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("what is left out has its default")
    func defaults() throws {
        let request = try read(Self.shortest)
        #expect(request.model == "m" && request.checkpoint == nil && request.id == nil)
        #expect(request.tests.count == 1 && request.tests[0].target == nil && request.tests[0].pointer == "/tests/0")
        guard case .example(dataset: "d", index: 3) = request.tests[0].source else {
            Issue.record("\(request.tests[0].source)")
            return
        }
        #expect(request.aggregate == .none)
        #expect(request.system.curvature == CurvatureRequest())
        #expect(request.k == 10 && request.candidates == nil && request.groups.isEmpty)
        #expect(request.include == .metadata && request.deadlineMilliseconds == nil)
        guard let choice = request.system.solver.lissa else {
            Issue.record("\(request.system.solver)")
            return
        }
        #expect(choice == .init())
    }

    @Test("null counts as left out")
    func nulls() throws {
        let request = try read(["checkpoint": .null, "k": .null, "solver": .null, "candidates": .null, "deadline_ms": .null])
        #expect(request.checkpoint == nil && request.k == 10 && request.candidates == nil && request.deadlineMilliseconds == nil)
    }

    @Test("everything that can be set is read")
    func everything() throws {
        let request = try read([
            "id": "i", "checkpoint": "c", "aggregate": "mean", "method": "influence", "curvature": "gauss_newton", "damping": 0.5,
            "damping_mode": "relative", "k": 100, "candidates": ["indices": [4, 2]],
            "groups": [["name": "g", "indices": [1, 1]]],
            "include": ["s_test", "inputs"], "deadline_ms": 1_000,
            "solver": ["name": "lissa", "recursion_depth": 5, "num_repeat": 2, "batch_size": 3, "scale": 1.5, "seed": 9],
        ])
        #expect(request.id == "i" && request.checkpoint == "c" && request.aggregate == .mean)
        #expect(
            request.system.curvature.kind == .gaussNewton && request.system.curvature.damping == 0.5
                && request.system.curvature.dampingMode == .relative)
        #expect(request.k == 100 && request.deadlineMilliseconds == 1_000)
        #expect(request.groups.map(\.name) == ["g"] && request.groups[0].members == .indices([1, 1]))
        #expect(request.include == [.sTest, .inputs])
        guard case .these(.indices([4, 2])) = request.candidates, let choice = request.system.solver.lissa else {
            Issue.record("\(request)")
            return
        }
        #expect(choice == .init(recursionDepth: 5, numRepeat: 2, batchSize: 3, scale: 1.5, seed: 9))
    }

    @Test("a solver's number may be auto, an integer may be written with a fraction of zero")
    func spellings() throws {
        let solver: JSON = ["name": "lissa", "scale": "auto", "num_repeat": "auto", "recursion_depth": 40.0, "seed": 2.0]
        guard let choice = try read(["solver": solver]).system.solver.lissa else {
            Issue.record("no lissa")
            return
        }
        #expect(choice == .init(recursionDepth: 40, seed: 2))
        #expect(try read(["k": 5.0]).k == 5)
    }

    @Test("a solver without a name is the default one, with what is set of it")
    func unnamedSolver() throws {
        guard let choice = try read(["solver": ["seed": 3]]).system.solver.lissa else {
            Issue.record("no lissa")
            return
        }
        #expect(choice == .init(seed: 3))
    }

    @Test("an input keeps its numbers and the shape they were given in")
    func inputs() throws {
        let request = try read(["tests": [["input": [[1, 2.5], [3, -4]], "target": 7], ["gradient": [0.25, 1e-30]]]])
        guard case .input(values: [1, 2.5, 3, -4], shape: [2, 2]) = request.tests[0].source,
            case .gradient([0.25, 1e-30]) = request.tests[1].source
        else {
            Issue.record("\(request.tests)")
            return
        }
        #expect(request.tests[0].target == 7 && request.tests[1].pointer == "/tests/1")
    }

    @Test("base64 holds little-endian float32: 1, −2 and the least positive number")
    func base64() throws {
        let input: JSON = ["dtype": "float32", "shape": [3], "base64": "AACAPwAAAMABAAAA"]
        guard case .input(let values, shape: [3]) = try read(["tests": [["input": input]]]).tests[0].source else {
            Issue.record("no input")
            return
        }
        #expect(values == [1, -2, .leastNonzeroMagnitude])
    }

    @Test("the configured limits hold")
    func limits() {
        let test: JSON = ["dataset": "d", "index": 0]
        #expect(issues(["tests": .array([JSON](repeating: test, count: 4))]).isEmpty)
        #expect(issues(["tests": .array([JSON](repeating: test, count: 5))]) == ["/tests"])
        #expect(issues(["k": 101]) == ["/k"])
        #expect(issues(["deadline_ms": 1_001]) == ["/deadline_ms"])
        let groups = (0..<3).map { JSON.object(["name": "\($0)", "indices": [0]]) }
        #expect(issues(["groups": .array(groups)]) == ["/groups"])
    }

    @Test("all problems are found at once, each at its place")
    func issuesAtOnce() {
        #expect(
            issues(["k": 0, "damping": "x", "tests": [["dataset": "d"], ["index": 1]], "solver": ["name": "lissa", "scale": 0]])
                == ["/tests/0/index", "/tests/1", "/damping", "/solver/scale", "/k"])
    }

    @Test("a prediction takes inputs and rows, no gradients")
    func predict() throws {
        let good = try JSON(
            parsing: #"{"model": "m", "checkpoint": "c", "id": "i", "tests": [{"input": [1]}, {"dataset": "d", "index": 1}]}"#)
        let request = try PredictRequest(good, limits: Self.limits)
        #expect(request.model == "m" && request.checkpoint == "c" && request.id == "i" && request.tests.count == 2)
        let bad = try JSON(parsing: #"{"model": "m", "tests": [{"input": [1]}, {"gradient": [1]}]}"#)
        #expect { _ = try PredictRequest(bad, limits: Self.limits) } throws: {
            ($0 as? JSONIssues)?.issues.map(\.pointer) == ["/tests/1"]
        }
        let contrast = try JSON(parsing: #"{"model": "m", "tests": [{"dataset": "d", "index": 1, "versus": 2}]}"#)
        #expect { _ = try PredictRequest(contrast, limits: Self.limits) } throws: {
            ($0 as? JSONIssues)?.issues.map(\.pointer) == ["/tests/0/versus"]
        }
    }
}
