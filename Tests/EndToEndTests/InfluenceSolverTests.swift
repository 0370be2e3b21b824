import JSON
import TestSupport
import Testing

/// What may change an answer's numbers, and what may not.
@Suite("Solvers and settings over HTTP")
struct InfluenceSolverTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    private func scores(_ more: JSONObject, test: Int = 3) throws -> [Float] {
        try server.influence(Demo.question(test, more).with("include", ["all_scores"])).result.tensor("all_scores")
    }

    @Test("LiSSA with automatic settings agrees with the exact solver", arguments: [3, 17, 250])
    func lissaAgrees(index: Int) throws {
        let exact = try scores([:], test: index)
        let lissa = try scores(["solver": ["name": "lissa"]], test: index)
        #expect(exact.count == 1_397)
        #expect(Closeness.pearson(lissa, exact) > 0.995)
        #expect(Closeness.relativeDistance(lissa, exact) < 0.1)
    }

    @Test("more depth, repeats, rounds and larger batches bring LiSSA nearer to the exact solver")
    func lissaConverges() throws {
        let exact = try scores([:])
        let rough = try scores(["solver": ["name": "lissa", "recursion_depth": 100, "num_repeat": 1]])
        let fine = try scores(
            ["solver": ["name": "lissa", "recursion_depth": 800, "num_repeat": 4, "batch_size": 256, "rounds": 2]])
        #expect(Closeness.relativeDistance(fine, exact) < 0.02)
        #expect(Closeness.relativeDistance(fine, exact) < Closeness.relativeDistance(rough, exact) / 4)
    }

    @Test("the automatic settings that an answer names give the same scores when they are set by hand")
    func settingsReproduce() throws {
        let automatic = try server.post("/influence", Demo.question(3, ["solver": ["name": "lissa"]]))
        let diagnostics = try automatic.json.result.member("diagnostics")
        var solver: JSONObject = ["name": "lissa"]
        for key in ["recursion_depth", "num_repeat", "batch_size", "scale", "seed", "averaged", "preconditioner", "rounds"] {
            solver[key] = diagnostics[key]
        }
        let manual = try server.post("/influence", Demo.question(3, ["solver": .object(solver)]))
        for end in ["proponents", "opponents"] {
            #expect(try manual.json.result.member(end) == automatic.json.result.member(end))
        }
        let spelled: JSON = [
            "name": "lissa", "recursion_depth": "auto", "num_repeat": "auto", "batch_size": "auto", "scale": "auto",
            "rounds": "auto",
        ]
        #expect(try server.post("/influence", Demo.question(3, ["solver": spelled])).resultsText == automatic.resultsText)
    }

    @Test("the same request gives the same bytes, however often it is asked and however many threads run")
    func sameBytes() throws {
        // A store of its own for each, so that neither reads what the other has derived.
        let one = try Workbench.demo().serve(["--threads", "1"])
        let two = try Workbench.demo().serve(["--threads", "2"])
        #expect(try one.get("/info").json["threads"] == 1)
        #expect(try two.get("/info").json["threads"] == 2)
        let tests: JSON = .array([3, 44, 200].map(Demo.test))
        let include: JSON = ["all_scores", "s_test", "metadata", "inputs"]
        let groups: JSON = [["name": "g", "indices": [5, 1, 900]]]
        for solver: JSON in [
            ["name": "lissa", "seed": 11], ["name": "exact"], ["name": "cg"], ["name": "cg", "preconditioner": "ekfac"],
            ["name": "cg", "preconditioner": "diagonal"], ["name": "arnoldi"], ["name": "ekfac"], ["name": "identity"],
            ["name": "auto"],
        ] {
            for curvature: JSON in ["hessian", "empirical_fisher"] {
                let request = Demo.question(
                    3, ["tests": tests, "solver": solver, "include": include, "groups": groups, "curvature": curvature])
                let first = try one.post("/influence", request)
                #expect(first.status == 200)
                for server in [one, two, one, two] {
                    let again = try server.post("/influence", request)
                    #expect(again.resultsText == first.resultsText && !again.resultsText.isEmpty, "\(solver) \(curvature)")
                }
            }
        }
    }

    @Test("another seed gives another estimate, the same seed the same")
    func seeds() throws {
        func estimate(_ seed: Int) throws -> [Float] { try scores(["solver": ["name": "lissa", "seed": .integer(seed)]]) }
        let (first, second) = (try estimate(1), try estimate(2))
        #expect(first != second)
        #expect(try first == estimate(1))
        #expect(Closeness.pearson(first, second) > 0.99)
    }

    @Test("for a softmax regression the Gauss-Newton matrix is the Hessian")
    func gaussNewton() throws {
        #expect(try scores(["curvature": "gauss_newton"]) == scores(["curvature": "hessian"]))
        let result = try server.influence(Demo.question(3, ["curvature": "gauss_newton"])).result
        #expect(try result.member("diagnostics")["curvature"] == "gauss_newton")
    }

    @Test("the empirical Fisher matrix is another curvature, which LiSSA solves with as well")
    func empiricalFisher() throws {
        let exact = try scores(["curvature": "empirical_fisher"])
        #expect(try exact != scores([:]))
        let lissa = try scores(["curvature": "empirical_fisher", "solver": ["name": "lissa"]])
        #expect(Closeness.pearson(exact, lissa) > 0.99)
    }

    @Test("damping adds to lambda_effective, in its own unit or in units of the mean eigenvalue")
    func damping() throws {
        func lambda(_ more: JSONObject) throws -> Double {
            try server.influence(Demo.question(3, more)).result.member("diagnostics").number("lambda_effective")
        }
        #expect(try lambda([:]) == 0.01)
        #expect(try abs(lambda(["damping": 0.25]) - 0.26) < 1e-12)
        #expect(try abs(lambda(["damping": 0.25, "damping_mode": "absolute"]) - 0.26) < 1e-12)
        // C's mean eigenvalue is weight decay and the data's part, whatever that is.
        let (one, two) = (
            try lambda(["damping": 1, "damping_mode": "relative"]), try lambda(["damping": 2, "damping_mode": "relative"])
        )
        #expect(one > 0.02)
        #expect(abs((two - 0.01) / (one - 0.01) - 2) < 1e-9)
    }

    @Test("ever more damping turns influence into the plain product of gradients")
    func heavyDamping() throws {
        let gradients = try scores(["damping": 1e6])
        let influence = try scores(["damping": 1e3])
        // (C + λI)⁻¹v is v/λ for a large λ.
        #expect(Closeness.relativeDistance(influence.map { $0 * 1e3 }, gradients.map { $0 * 1e6 }) < 0.01)
        #expect(try Closeness.relativeDistance(scores([:]).map { $0 * 0.01 }, gradients.map { $0 * 1e6 }) > 0.1)
    }
}
