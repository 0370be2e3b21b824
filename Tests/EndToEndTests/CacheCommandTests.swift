import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// `influenced cache`, and what the server makes of what it has built.
@Suite("Gradient caches by command and by HTTP")
struct CacheCommandTests {
    private static let projected = "projected-rank1-64-seed3-int8"

    @Test(
        "settings that do not go together are refused with the name of the option, and nothing is built",
        arguments: [
            (["--kind", "whole"], "--kind must be one of factored, dense, projected"),
            (["--dtype", "int8"], "--dtype int8"), (["--kind", "dense", "--dtype", "float64"], "--dtype must be one of"),
            (["--kind", "dense", "--projection-dim", "64"], "--projection-dim goes with --kind projected"),
            (["--kind", "factored", "--proj-type", "sjlt"], "--proj-type goes with --kind projected"),
            (["--kind", "dense", "--proj-seed", "1"], "--proj-seed goes with --kind projected"),
            (["--kind", "projected"], "--projection-dim is missing"),
            (["--kind", "projected", "--projection-dim", "0"], "--projection-dim 0"),
            (["--kind", "projected", "--projection-dim", "65", "--proj-type", "rank1"], "take 64 or 81"),
            (["--kind", "projected", "--projection-dim", "64", "--proj-type", "gauss"], "--proj-type must be one of"),
            (["--kind", "projected", "--projection-dim", "64", "--proj-seed", "x"], "--proj-seed"),
            (["--checkpoint", "final", "--all-checkpoints"], "exclude each other"),
            (["--checkpoint", "none"], "no checkpoint 'none'"),
        ])
    func refusals(options: [String], mentions: String) throws {
        let bench = try Workbench.prepared()
        try bench.refuse(["cache", "--model", "good"] + options, [mentions])
        #expect(try bench.serve().get("/models/good").json.list("caches").isEmpty)
    }

    @Test("a command says what it has built and how near that comes; requests name it, and get that with their answers")
    func command() throws {
        let bench = try Workbench.demo()
        let said = try bench.succeed("cache", "--model", "digits", "--kind", "dense", "--dtype", "int8")
        #expect(said.contains("checkpoint 'final' of model 'digits' as dense-int8: 944372 bytes"))
        #expect(said.contains("relative score error 0.00") && said.contains("rank correlation 0.99"))
        try bench.succeed(
            "cache", "--model", "digits", "--all-checkpoints", "--kind", "projected", "--projection-dim", "64", "--proj-type",
            "rank1",
            "--proj-seed", "3", "--dtype", "int8")
        let server = try bench.serve()
        let caches = try server.get("/models/digits").json.list("caches")
        let projected = caches.filter { $0["name"]?.stringValue == Self.projected }
        #expect(projected.count == 6 && caches.count == 6 + 6 + 6 + 1)
        for cache in projected {
            #expect(cache["kind"] == "projected" && cache["proj_type"] == "rank1" && cache["state"] == "complete")
            #expect(cache["proj_dim"] == 64 && cache["proj_seed"] == 3 && cache["dtype"] == "int8")
            #expect(try cache.number("relative_score_error") > 0 && abs(cache.number("rank_correlation")) <= 1)
        }
        let request: JSON = ["model": "digits", "tests": [Demo.test(3)], "k": 10]
        let exact = try server.influence(request).result
        #expect(try exact.member("diagnostics")["gradients"] == "exact")
        #expect(try exact.member("diagnostics")["relative_score_error"] == nil)
        let dense = try server.influence(request.with("gradients", "dense-int8")).result
        let diagnostics = try dense.member("diagnostics")
        #expect(diagnostics["gradients"] == "dense-int8")
        #expect(try diagnostics.number("relative_score_error") < 0.01 && diagnostics.number("rank_correlation") > 0.99)
        // The strongest are the same, by nearly the same scores.
        let (a, b) = try (exact.list("proponents")[0], dense.list("proponents")[0])
        #expect(a["index"] == b["index"])
        #expect(try abs(a.number("score") - b.number("score")) < 0.02 * a.number("score"))
        let early = try server.influence(request.with("gradients", .string(Self.projected)).with("checkpoint", "epoch-5")).result
        #expect(try early.member("diagnostics")["gradients"]?.stringValue == Self.projected)

        // A test in the projected space: as many numbers as its rows have.
        let gradient = JSON.array((0..<64).map { .double(Double($0 % 5) - 2) })
        let given = request.with("tests", [["gradient": gradient]]).with("gradients", .string(Self.projected))
        let space = try server.influence(given).result.member("diagnostics")
        #expect(space["space"] == "projected" && space["curvature"] == "empirical_fisher")
        for (wrong, pointer) in [
            (given.with("curvature", "hessian"), "/curvature"), (given.with("gradients", "dense-int8"), "/tests/0/gradient"),
            (given.with("gradients", .null), "/tests/0/gradient"),
        ] {
            let problem = try server.post("/influence", wrong).expectProblem(422, "invalid-request", instance: "/influence")
            #expect(try problem.list("errors")[0]["pointer"]?.stringValue == pointer, "\(problem.text)")
        }
    }

    @Test("a build that is told to stop says so, leaves the store whole and the cache building, and is gone on with")
    func stopping() throws {
        let bench = try Workbench.demo()
        let settings = [
            "cache", "--model", "digits", "--kind", "projected", "--projection-dim", "8192", "--proj-type", "rademacher",
            "--dtype",
            "int8",
        ]
        let process = try InfluencedProcess(settings + ["--store", bench.store])
        // A block is there.
        let log = bench.store + "-wal"
        let hasBegun = eventually {
            (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int).map { $0 > 2 << 20 } ?? false
        }
        #expect(hasBegun)
        process.send(SIGINT)
        #expect(try process.wait() == .exited(1))
        #expect(process.standardError.contains("goes on where this one stopped"))
        try bench.succeed("check")
        func state() throws -> JSON? {
            try bench.serve().get("/models/digits").json.list("caches")
                .first { $0["name"] == "projected-rademacher-8192-seed0-int8" }?["state"]
        }
        #expect(try state() == "building")
        let result = try bench.run(settings)
        #expect(result.ending == .exited(0), "\(result.standardError)")
        #expect(try state() == "complete")
    }

    @Test("gradients that were computed elsewhere are exact, by their cache's name too, and are not cached once more")
    func foreign() throws {
        let bench = try Workbench()
        try bench.write("g.npy", ArrayFile.npy((0..<40).map { Float(($0 * 7) % 11) - 5 }, shape: [10, 4]))
        try bench.succeed("import", "gradients", "--name", "far", "--gradients", "@g.npy")
        try bench.refuse(["cache", "--model", "far", "--kind", "dense"], ["far", "has no network"])
        let server = try bench.serve()
        let cache = try #require(try server.get("/models/far").json.list("caches").first)
        #expect(cache["name"] == "dense-float32" && cache["kind"] == "dense" && cache["state"] == "complete")
        let request: JSON = [
            "model": "far", "tests": [["gradient": [1, 0, -1, 2]]], "damping": 1, "solver": ["name": "exact"],
        ]
        let exact = try server.influence(request).result
        let named = try server.influence(request.with("gradients", "dense-float32")).result
        #expect(exact["proponents"] == named["proponents"])
        #expect(try named.member("diagnostics")["gradients"] == "dense-float32")
        #expect(try server.post("/influence", request.with("gradients", "dense-float16")).status == 422)
    }

    @Test("a cache that a checkpoint does not have is refused with 422, at the field, with what there is")
    func unknown() throws {
        let server = try Demo.server()
        let request: JSON = ["model": "digits", "tests": [Demo.test(0)], "gradients": "dense-int8"]
        let response = try server.post("/influence", request)
        #expect(response.status == 422)
        let issue = try #require(try response.json.list("errors").first)
        #expect(issue["pointer"] == "/gradients")
        #expect(issue["detail"]?.stringValue?.contains("exact, factored, projected-") == true)
        for wrong in [1, [], ["name": "dense-int8"], true] as [JSON] {
            #expect(try server.post("/influence", request.with("gradients", wrong)).status == 422)
        }
    }
}
