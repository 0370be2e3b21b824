import InverseCurvature
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

/// Every solver through the engine, as requests ask for it.
@Suite("Solvers, asked by requests")
struct SolverAnswerTests {
    private let bench: EngineBench

    init() throws { bench = try EngineBench() }

    private func answer(_ members: JSONObject, rows: [Int] = [0], _ engine: Engine? = nil) throws -> InfluenceAnswer {
        try (engine ?? bench.engine()).influence(
            EngineBench.request(rows, members.setting("include", ["all_scores", "s_test"])), interruption: .never)
    }

    private func sTest(_ solver: JSON, _ members: JSONObject = [:]) throws -> [Float] {
        try #require(answer(members.setting("solver", solver)).results[0].sTest)
    }

    private func diagnostics(_ answer: InfluenceAnswer, _ index: Int = 0) throws -> JSON {
        let json = answer.json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0)
        return try #require(json["results"]?[index]?["diagnostics"])
    }

    private static let exact: JSON = ["name": "exact"]

    @Test(
        "solvers that solve give the exact vector",
        arguments: [
            (["name": "cg", "tol": 1e-6], 1e-4), (["name": "cg", "tol": 1e-6, "preconditioner": "diagonal"], 1e-4),
            (["name": "cg", "tol": 1e-6, "preconditioner": "ekfac"], 1e-4), (["name": "cg"], 0.01),
            (["name": "arnoldi", "projection_dim": 15], 1e-3), (["name": "lissa"], 0.05), (["name": "auto"], 1e-4),
            (["name": "lissa", "rounds": 6], 1e-3),
        ] as [(JSON, Double)])
    func solvers(solver: JSON, tolerance: Double) throws {
        for curvature: JSON in ["hessian", "gauss_newton", "empirical_fisher"] {
            let exact = try sTest(Self.exact, ["curvature": curvature])
            let distance = try Closeness.relativeDistance(sTest(solver, ["curvature": curvature]), exact)
            #expect(distance < tolerance, "\(solver) \(curvature)")
        }
    }

    @Test("ever more damping makes all solvers the identity, up to λ", arguments: InfluenceRequest.solvers)
    func limits(name: String) throws {
        // C is the identity beside λ.
        let gradient = try sTest(["name": "identity"])
        let solution = try sTest(["name": .string(name)], ["damping": 1e6])
        let factor: Float = name == "identity" ? 1 : 1e6
        // LiSSA stops at 2 %.
        let tolerance = name == "lissa" ? 0.03 : 1e-3
        #expect(Closeness.relativeDistance(solution.map { $0 * factor }, gradient) < tolerance)
    }

    @Test("approximations say by their residual how far they are off, and do not claim to have converged")
    func approximations() throws {
        let exact = try sTest(Self.exact)
        for name: JSON in ["ekfac", "datainf", "identity"] {
            let answer = try answer(["solver": ["name": name]])
            let diagnostics = try diagnostics(answer)
            let distance = try Closeness.relativeDistance(#require(answer.results[0].sTest), exact)
            #expect(diagnostics["converged"] == false && diagnostics["rank_stable"] == false, "\(name)")
            #expect(try #require(diagnostics["residual"]?.doubleValue) > 0.01 && distance > 0.001, "\(name)")
        }
        #expect(try diagnostics(answer(["solver": Self.exact]))["rank_stable"] == true)
    }

    @Test("for the empirical Fisher matrix the smaller of two matrices is factored, and both give one answer")
    func woodbury() throws {
        let bench = try CacheBench()
        func answer(_ solver: JSON, damping: JSON = 0.1) throws -> InfluenceAnswer {
            try bench.engine().influence(
                CacheBench.request(
                    [0, 1], ["solver": solver, "curvature": "empirical_fisher", "damping": damping, "include": ["s_test"]]),
                interruption: .never)
        }
        let exact = try answer(Self.exact)
        #expect(try diagnostics(exact)["factored"] == .integer(CacheBench.count))
        let cg = try answer(["name": "cg", "tol": 1e-6])
        for (one, other) in zip(exact.results, cg.results) {
            #expect(try Closeness.relativeDistance(#require(one.sTest), #require(other.sTest)) < 1e-4)
        }
        #expect(try diagnostics(self.answer(["solver": Self.exact, "curvature": "empirical_fisher"]))["factored"] == 15)
    }

    @Test(
        "what is prepared is kept in the store, and read from there to the same bits", arguments: ["exact", "ekfac", "arnoldi"])
    func kept(name: String) throws {
        let solver: JSON = ["name": .string(name)]
        let first = try sTest(solver)
        let model = try bench.engine().model("small", checkpoint: nil)
        let kinds = try bench.store.derived(of: model.checkpoint).map(\.kind)
        let kind = name == "exact" ? "cholesky-hessian" : "\(name)-hessian"
        #expect(kinds.contains(kind))
        // An engine that may not prepare anything would have to make it anew.
        let reading = bench.engine()
        #expect(try sTest(solver) == first)
        _ = try answer(["solver": solver], reading)
        #expect(try bench.store.derived(of: model.checkpoint).map(\.kind) == kinds)
        // With settings by hand, or damping that it depends on, it is not kept.
        _ = try answer(["solver": name == "arnoldi" ? ["name": "arnoldi", "projection_dim": 3] : solver, "damping": 0.5])
        #expect(try bench.store.derived(of: model.checkpoint).map(\.kind) == kinds)
    }

    @Test("kept bytes that were changed are made anew")
    func damaged() throws {
        for name in ["ekfac", "arnoldi", "exact"] {
            let solver: JSON = ["name": .string(name)]
            let first = try sTest(solver)
            let model = try bench.engine().model("small", checkpoint: nil)
            let kept = try #require(
                try bench.store.derived(of: model.checkpoint).first { !$0.kind.hasPrefix("spectrum") && $0.byteCount > 0 })
            let nonsense = [UInt8](repeating: 7, count: kept.byteCount - 1)
            try nonsense.withUnsafeBytes {
                _ = try bench.store.putDerived(of: model.checkpoint, kind: kept.kind, key: kept.key, summary: "{}", bytes: $0)
            }
            #expect(try sTest(solver) == first)
            try bench.store.removeDerived(of: model.checkpoint, kind: kept.kind)
        }
    }

    @Test("cg takes EKFAC's factors where the store has them, if it may, and says so")
    func preconditioner() throws {
        let automatic: JSON = ["name": "cg", "preconditioner": "auto"]
        #expect(try diagnostics(answer(["solver": automatic]))["preconditioner"] == "none")
        _ = try answer(["solver": ["name": "ekfac"]])
        #expect(try diagnostics(answer(["solver": automatic]))["preconditioner"] == "ekfac")
    }

    @Test("what the store comes to hold changes no answer of a solver that is named", arguments: InfluenceRequest.solvers)
    func history(name: String) throws {
        let request = try EngineBench.request([2], ["solver": ["name": .string(name)], "include": ["s_test"]])
        func shown() -> String { EngineBench.shown(bench.engine().influence([.init(request: request, interruption: .never)])[0]) }
        let first = shown()
        for other in InfluenceRequest.solvers { _ = try answer(["solver": ["name": .string(other)]]) }
        #expect(shown() == first && first.hasPrefix("["))
    }

    @Test(
        "answers say of each solver what the interface's document says they do",
        arguments: InfluenceRequest.Solver.kinds.map { $0.name })
    func documented(name: String) throws {
        let document = OpenAPIDocument(configuration: ServiceConfiguration()).json
        let goals: [JSON] = name == "lissa" || name == "auto" ? [.null, ["relative_error": 0.05]] : [.null]
        for goal in goals {
            let diagnostics = try diagnostics(answer(["solver": ["name": .string(name)], "until": goal]))
            let solver = try #require(diagnostics["solver"]?.stringValue)
            let kind = try #require(InfluenceRequest.Solver.kinds.first { $0.name == solver })
            let schema = try #require(document["components"]?["schemas"]?[kind.schemaName + "Diagnostics"])
            let known = Set(try #require(schema["properties"]?.objectValue).map(\.key))
            let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
            let said = Set(try #require(diagnostics.objectValue).map(\.key))
            #expect(said.isSubset(of: known) && said.isSuperset(of: required), "\(said.symmetricDifference(known))")
        }
    }

    @Test("auto says what it has chosen, and why")
    func automatic() throws {
        let diagnostics = try diagnostics(answer(["solver": ["name": "auto"]]))
        #expect(diagnostics["solver"] == "exact")
        #expect(try #require(diagnostics["solver_reason"]?.stringValue).contains("quickly factored"))
    }

    @Test("right-hand sides and requests keep their bits together, by every solver", arguments: InfluenceRequest.solvers)
    func companions(name: String) throws {
        let solver: JSON = ["name": .string(name)]
        let rows = [3, 40, 7]
        func members(_ damping: Double = 0) -> JSONObject {
            ["solver": solver, "damping": .double(damping), "include": ["s_test"]]
        }
        // Once before, so that all find the same in the store.
        _ = try bench.engine().influence(EngineBench.request([0], members()), interruption: .never)
        let alone = try rows.map { row in
            EngineBench.shown(
                bench.engine(threads: 1).influence([
                    .init(request: try EngineBench.request([row], members()), interruption: .never)
                ])[0])
        }
        let together = try bench.engine(threads: 2).influence(
            (rows + [9]).map { .init(request: try EngineBench.request([$0], members()), interruption: .never) }
                + [.init(request: EngineBench.request(rows, members(0.5)), interruption: .never)])
        for (one, other) in zip(alone, together) { #expect(one == EngineBench.shown(other)) }
    }
}
