import InverseCurvature
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

@Suite("Hessians with negative curvature")
struct DefinitenessTests {
    private static func request(_ solver: String, damping: Double, curvature: String = "hessian") throws -> InfluenceRequest {
        try InfluenceRequest(
            [
                "model": "net", "tests": [["dataset": "train", "index": 0]], "curvature": .string(curvature),
                "solver": ["name": .string(solver)], "damping": .double(damping), "include": ["s_test"],
            ], limits: SpectrumBench.limits)
    }

    @Test(
        "are refused by solvers that need more, with a damping that indeed is enough",
        arguments: ["lissa", "exact", "arnoldi", "sketch", "sampled"])
    func refused(solver: String) throws {
        for seed: UInt64 in [3, 4] {
            let bench = try SpectrumBench.network(seed: seed)
            let engine = bench.engine()
            var refusal: Problem?
            do { _ = try engine.influence(Self.request(solver, damping: 0), interruption: .never) } catch let problem as Problem {
                refusal = problem
            }
            let problem = try #require(refusal)
            #expect(problem.errors.first?.pointer == "/damping" && problem.detail.contains("negative curvature"))
            let named = try #require(problem.detail.firstMatch(of: /damping to at least ([0-9.e-]+)/)).output.1
            let damping = try #require(Double(named))
            // Enough, and not much more than that.
            let smallest = try #require(bench.eigenvalues(.hessian).first) - 0.001
            #expect(damping > -smallest - 0.001 && damping < -1.5 * smallest)
            let answer = try engine.influence(Self.request(solver, damping: damping), interruption: .never)
            #expect(answer.results[0].sTest?.allSatisfy(\.isFinite) == true)
        }
    }

    @Test("cg notices by itself, and names a bound")
    func conjugateGradients() throws {
        let bench = try SpectrumBench.network(seed: 3)
        #expect {
            try bench.engine().influence(Self.request("cg", damping: 0), interruption: .never)
        } throws: { error in
            if case .indefinite? = error as? SolverError { true } else { false }
        }
    }

    @Test(
        "are no obstacle to the Gauss-Newton matrix, nor to what takes C for something else", arguments: ["lissa", "exact", "cg"])
    func gaussNewton(solver: String) throws {
        let bench = try SpectrumBench.network(seed: 3)
        _ = try bench.engine().influence(Self.request(solver, damping: 0, curvature: "gauss_newton"), interruption: .never)
        for name in ["identity", "ekfac", "datainf"] {
            _ = try bench.engine().influence(Self.request(name, damping: 0), interruption: .never)
        }
    }

    @Test("are looked for once for a checkpoint: another engine reads from the store what was found")
    func kept() throws {
        let bench = try SpectrumBench.network(seed: 3)
        _ = try? bench.engine().influence(Self.request("lissa", damping: 0), interruption: .never)
        let model = try bench.engine().model("net", checkpoint: nil)
        #expect(try bench.store.derived(of: model.checkpoint).map(\.kind).contains("ends-hessian"))
        #expect(throws: Problem.self) {
            try Engine(store: bench.readOnly(), parallel: Parallel(threads: 1), memoryBytes: 64 << 20)
                .influence(Self.request("lissa", damping: 0), interruption: .never)
        }
    }
}
