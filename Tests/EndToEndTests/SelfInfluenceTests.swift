import Foundation
import JSON
import TestSupport
import Testing

@Suite("Self-influence, asked over HTTP")
struct SelfInfluenceTests {
    private func ask(_ members: JSONObject = [:], of server: InfluencedServer? = nil) throws -> JSON {
        let request = JSON.object(["model": "digits"]).with(members)
        let answer = try (server ?? Demo.server()).post("/self-influence", request)
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.json
    }

    @Test("an answer has every part that the interface names, and times where the time went")
    func answer() throws {
        let answer = try ask(["id": "s-1", "k": 7, "include": ["metadata", "inputs", "all_scores"]])
        #expect(answer["id"] == "s-1" && answer["model"] == "digits" && answer["checkpoint"] == "final")
        #expect(answer["method"] == "influence" && answer["n_train"] == 1_397)
        let scores = try answer.tensor("all_scores")
        let examples = try answer.list("examples")
        #expect(scores.count == 1_397 && examples.count == 7)
        let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
        for (example, index) in zip(examples, order) {
            #expect(try example.integer("index") == index && Float(example.number("score")) == scores[index])
            let page = try Demo.server().get("/datasets/digits-train/examples/\(index)").json
            for name in ["id", "target", "metadata", "input"] {
                #expect(try example.member(name) == page.member(name), "\(name)")
            }
            #expect(try abs(example.number("predicted_loss_change_if_removed") - example.number("score") / 1_397) < 1e-12)
            #expect(try example.member("prediction").list("probabilities").count == 10)
        }
        let quantiles = try answer.list("quantiles")
        #expect(try quantiles.map { try $0.number("probability") } == [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
        #expect(try Float(quantiles[8].number("score")) == scores.max() && Float(quantiles[0].number("score")) == scores.min())
        let mean = try answer.number("mean")
        #expect(try quantiles[4].number("score") < mean && abs(mean - scores.reduce(0) { $0 + Double($1) } / 1_397) < 1e-4 * mean)
        let timing = try answer.member("timing")
        for part in ["queue_ms", "score_ms", "total_ms"] { #expect(try timing.number(part) >= 0) }
        #expect(try answer.member("orientation").stringValue?.contains("wrong") == true)
        #expect(
            try ask(["id": "s-1", "k": 7, "include": ["metadata", "inputs", "all_scores"]]).with("timing", 0)
                == answer.with("timing", 0))
    }

    @Test("an example's influence on itself is what influence says of it as a test")
    func consistency() throws {
        let exact: JSON = ["name": "exact"]
        let example = try #require(ask(["k": 1, "solver": exact]).list("examples").first)
        let index = try example.integer("index")
        let request: JSON = [
            "model": "digits", "tests": [["dataset": "digits-train", "index": .integer(index)]], "solver": exact,
            "candidates": ["indices": [.integer(index)]],
        ]
        let own = try #require(Demo.server().influence(request).result.list("proponents").first)
        #expect(try abs(own.number("score") - example.number("score")) < 1e-4 * example.number("score"))
    }

    @Test(
        "what is wrong is refused with its place and a remedy",
        arguments: [
            .wrong(["model": "digits", "method": "relatif"], at: "/method", "tracin_cp"),
            .wrong(["model": "digits", "solver": ["name": "lissa"]], at: "/solver/name", "ekfac", "single tests"),
            .wrong(["model": "digits", "method": "gradient_dot", "damping": 1], at: "/damping", "influence"),
            .wrong(["model": "digits", "k": 1_001], at: "/k", "1000"), .wrong([:], at: "/model", "missing"),
            .unknown("model", ["model": "digit"], at: "/model", "'digits'"),
            .unknown(
                "checkpoint", ["model": "digits", "method": "tracin_cp", "checkpoints": ["x"]], at: "/checkpoints/0", "epoch-5"),
            .malformed("no JSON", "{"),
        ] as [Refusal])
    func refusal(refusal: Refusal) throws { try refusal.check("/self-influence", of: Demo.server()) }

    @Test("the route is counted by its own name, and takes no other method")
    func route() throws {
        let server = try InfluencedServer(store: Demo.store())
        _ = try ask(["method": "gradient_dot"], of: server)
        #expect(try server.get("/self-influence").status == 405)
        let metrics = try server.metrics()
        #expect(metrics.requests("/self-influence", "POST", 200) == 1)
        #expect(metrics.count(#"influence_queue_wait_seconds_count{route="/self-influence"}"#) == 1)
    }

    @Test("what takes longer than its deadline is given up with 504, and the worker is free again")
    func deadline() throws {
        let bench = try Workbench()
        var numbers = SeededNumbers(1)
        let (count, width) = (4_000, 300)
        try bench.write("x.npy", ArrayFile.npy(numbers.floats(count * width), shape: [count, width]))
        try bench.write("y.npy", ArrayFile.npy(numbers.integers(count, below: 10), shape: [count]))
        try bench.write(
            "spec.json",
            #"{"layers": [{"type": "linear", "in_features": 300, "out_features": 10}], "loss": {"type": "cross_entropy"}, "weight_decay": 0.1}"#
        )
        try bench.write(
            "model.safetensors",
            ArrayFile.safetensors([
                (name: "0.weight", values: numbers.floats(10 * width, scale: 0.1), shape: [10, width]),
                (name: "0.bias", values: numbers.floats(10), shape: [10]),
            ]))
        try bench.succeed("import", "dataset", "--name", "wide", "--inputs", "@x.npy", "--targets", "@y.npy")
        try bench.succeed(
            "import", "model", "--name", "wide", "--dataset", "wide", "--spec", "@spec.json", "--parameters", "@model.safetensors"
        )
        let server = try bench.serve()
        // A factor of 3,010 rows, of 4,000 examples: tens of GFLOP.
        let request: JSON = ["model": "wide", "solver": ["name": "exact"], "deadline_ms": 20]
        try server.post("/self-influence", request).expectProblem(504, "deadline-exceeded", instance: "/self-influence")
        #expect(try eventually(seconds: 30) { try server.load().running == 0 })
        #expect(try server.post("/self-influence", ["model": "wide", "method": "gradient_dot"]).status == 200)
    }
}
