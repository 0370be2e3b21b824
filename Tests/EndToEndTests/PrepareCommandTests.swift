import Foundation
import JSON
import TestSupport
import Testing

/// `influenced prepare`, and what the server makes of what it has prepared.
@Suite("Preparing solvers by command")
struct PrepareCommandTests {
    @Test(
        "bad options are refused with what there is",
        arguments: [
            (["--solver", "magic"], "must be one of"),
            (["--solver", #"{"name": "arnoldi", "projection_dim": 0}"#], "/solver/projection_dim"),
            (["--solver", "{"], "JSON"), (["--curvature", "flat"], "--curvature must be one of"),
            (["--damping", "-1"], "--damping"),
            (["--damping-mode", "x"], "--damping-mode must be one of"), (["--checkpoint", "none"], "no checkpoint 'none'"),
            (["--checkpoint", "final", "--all-checkpoints"], "exclude each other"),
        ])
    func refusals(options: [String], mentions: String) throws {
        try Workbench.demo().refuse(["prepare", "--model", "digits"] + options, [mentions])
    }

    @Test("what is prepared stands in the store, whatever its settings, and requests use it")
    func command() throws {
        let bench = try Workbench.demo()
        let said = try bench.succeed(
            "prepare", "--model", "digits", "--solver", "ekfac", "--solver", #"{"name": "arnoldi", "projection_dim": 20}"#,
            "--solver",
            "exact", "--damping", "0.125")
        for kind in ["ekfac-hessian", "arnoldi-hessian", "cholesky-hessian", "spectrum-hessian"] { #expect(said.contains(kind)) }
        // Once more nothing is added.
        #expect(try bench.succeed("prepare", "--model", "digits", "--solver", "ekfac") == said)
        let server = try bench.serve()
        let cg = try server.influence([
            "model": "digits", "tests": [Demo.test(3)], "solver": ["name": "cg", "preconditioner": "auto"],
        ]).result
        #expect(try cg.member("diagnostics")["preconditioner"] == "ekfac")
    }

    @Test("without a solver it is what the standard one needs, of every checkpoint if asked")
    func standard() throws {
        let bench = try Workbench.demo()
        let said = try bench.succeed("prepare", "--model", "digits", "--all-checkpoints")
        #expect(said.components(separatedBy: "spectrum-hessian").count == 7)
    }
}
