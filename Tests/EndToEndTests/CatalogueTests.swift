import Foundation
import JSON
import TestSupport
import Testing

/// Everything besides influence that the service tells.
@Suite("Catalogue, predictions, information and health")
struct CatalogueTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    private func get(_ path: String) throws -> JSON {
        let answer = try server.get(path)
        try #require(answer.status == 200, "\(path)")
        #expect(answer.fields["content-type"] == "application/json")
        return try answer.json
    }

    @Test("predictions are outputs, their softmax, the label, and the loss where there is a target")
    func predict() throws {
        let input = try get("/datasets/digits-test/examples/3").member("input")
        let tests: JSON = [Demo.test(3), ["input": input], ["input": input, "target": 9]]
        let answer = try server.predict(["model": "digits", "tests": tests, "id": "p1"])
        #expect(answer["id"] == "p1")
        #expect(answer["model"] == "digits")
        #expect(answer["checkpoint"] == "final")
        let results = answer.results
        #expect(results.count == 3)
        let outputs = try #require(results[0]["outputs"]?.numbersValue)
        let probabilities = try #require(results[0]["probabilities"]?.numbersValue)
        let powers = outputs.map { exp($0) }
        #expect(Closeness.relativeDistance(probabilities, powers.map { $0 / powers.reduce(0, +) }) < 1e-5)
        #expect(try outputs[results[0].integer("label")] == outputs.max())
        #expect(try abs(results[0].number("loss") + log(probabilities[results[0].integer("target")])) < 1e-5)
        #expect(results[0]["dataset"] == "digits-test" && results[0]["index"] == 3)
        for result in results { #expect(result["outputs"] == results[0]["outputs"]) }
        #expect(results[1]["target"] == nil && results[1]["loss"] == nil)
        #expect(results[2]["target"] == 9)
        #expect(try results[2].number("loss") > results[0].number("loss"))
    }

    @Test("the demo's model has learnt its task: eight of ten tests are right")
    func accuracy() throws {
        var right = 0
        for start in stride(from: 0, to: 192, by: 32) {
            let tests: JSON = .array((start..<start + 32).map(Demo.test))
            for result in try server.predict(["model": "digits", "tests": tests]).results
            where result["label"] == result["target"] {
                right += 1
            }
        }
        #expect(right >= 154)
    }

    @Test("an early checkpoint predicts something else than the last")
    func predictAtCheckpoint() throws {
        let request: JSON = ["model": "digits", "tests": [Demo.test(3)]]
        let early = try server.predict(request.with("checkpoint", "epoch-5"))
        #expect(early["checkpoint"] == "epoch-5")
        #expect(try early.result["outputs"] != server.predict(request).result["outputs"])
    }

    @Test("models come with spec, parameters, checkpoints and caches")
    func models() throws {
        let model = try get("/models/digits")
        #expect(try get("/models").list("models") == [model])
        #expect(model["name"] == "digits")
        #expect(model["dataset"] == "digits-train")
        #expect(model["parameter_count"] == 650)
        #expect(try model.member("spec")["weight_decay"] == 0.01)
        #expect(try model.member("spec").list("layers").count == 2)
        let checkpoints = try model.list("checkpoints")
        let steps = try checkpoints.map { try $0.integer("step") }
        #expect(steps == steps.sorted() && steps.count > 2)
        for checkpoint in checkpoints {
            #expect(checkpoint["name"]?.stringValue?.isEmpty == false)
            #expect(try checkpoint.number("learning_rate") > 0)
            #expect(try checkpoint.number("train_loss") > 0)
            #expect(checkpoint["epoch"] == checkpoint["step"])
            #expect(checkpoint["sha256"]?.stringValue?.count == 64)
        }
        let caches = try model.list("caches")
        #expect(Set(caches.map { $0["checkpoint"]?.stringValue }) == Set(checkpoints.map { $0["name"]?.stringValue }))
        for cache in caches {
            // Factored, a residual for each class; or projected.
            let width = cache["kind"] == "factored" ? 10 : 128
            #expect(cache["dtype"] == "float32" && cache["state"] == "complete")
            #expect(cache["bytes"] == .integer(1_397 * width * 4))
        }
        #expect(caches.count { $0["kind"] == "factored" } == checkpoints.count)
    }

    @Test("datasets come with their size, shape and digest")
    func datasets() throws {
        let (train, test) = (try get("/datasets/digits-train"), try get("/datasets/digits-test"))
        let all = try get("/datasets").list("datasets")
        #expect(all.count == 2 && all.contains(train) && all.contains(test))
        #expect(train["n"] == 1_397 && test["n"] == 400)
        for dataset in all {
            #expect(dataset["shape"] == [8, 8])
            #expect(dataset["dtype"] == "uint8")
            #expect(dataset["divisor"] == 16)
            #expect(dataset["sha256"]?.stringValue?.count == 64)
        }
        #expect(train["sha256"] != test["sha256"])
    }

    @Test("an example comes with its id, target, label, metadata and input", arguments: [0, 1_396])
    func examples(index: Int) throws {
        let example = try get("/datasets/digits-train/examples/\(index)")
        #expect(example["index"]?.integerValue == index)
        #expect(example["id"]?.stringValue == "uci-digits-\(index)")
        #expect(try (0..<10).contains(example.integer("target")))
        #expect(try example["label"]?.stringValue == "\(example.integer("target"))")
        #expect(example["metadata"]?.objectValue != nil)
        let rows = try example.list("input").map { try #require($0.numbersValue) }
        #expect(rows.count == 8 && rows.allSatisfy { $0.count == 8 })
        #expect(rows.joined().allSatisfy { (0...1).contains($0) && $0 * 16 == ($0 * 16).rounded() })
    }

    @Test("information names version, store, BLAS, threads, limits and queue")
    func info() throws {
        let info = try get("/info")
        #expect(info["name"] == "influenced")
        #expect(info["version"]?.stringValue?.split(separator: ".").count == 3)
        let store = try info.member("store")
        #expect(try store["path"]?.stringValue == Demo.store())
        #expect(store["writable"] == true)
        #expect(try store.integer("bytes") > 100_000)
        #expect(try info.member("blas")["library"]?.stringValue?.isEmpty == false)
        #expect(try info.integer("threads") >= 1)
        let limits = try info.member("limits")
        for key in ["max_tests", "max_k", "max_groups", "max_slices", "max_slice_tests", "max_body_bytes", "deadline_ms"] {
            #expect(try limits.integer(key) > 0)
        }
        let queue = try info.member("queue")
        for key in ["running", "waiting"] { #expect(try queue.integer(key) >= 0) }
        for key in ["workers", "capacity"] { #expect(try queue.integer(key) > 0) }
        #expect(try info.list("solvers").contains("lissa"))
        #expect(try info.list("methods").contains("influence"))
    }

    @Test("the service is alive and ready")
    func health() throws {
        #expect(try get("/health/live")["status"] == "live")
        #expect(try get("/health/ready")["status"] == "ready")
    }

    @Test("HEAD gets what GET would have, without it", arguments: ["/models", "/datasets/digits-train", "/health/live"])
    func head(path: String) throws {
        let client = try HTTPClient(port: server.port)
        client.send("HEAD", path)
        let head = String(decoding: try client.rest(), as: UTF8.self)
        #expect(head.hasSuffix("\r\n\r\n"))
        #expect(head.hasPrefix("HTTP/1.1 200 "))
        #expect(try head.contains("Content-Length: \(server.get(path).body.count)"))
    }
}
