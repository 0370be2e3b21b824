import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// Models that are known by the gradients of their training examples alone.
@Suite("Importing gradients that were computed elsewhere")
struct GradientImportTests {
    private let bench: Workbench
    private let gradients = ForeignGradients()
    private static let weightDecay = 0.05

    init() throws {
        bench = try Workbench()
        try bench.write("g.npy", gradients.npy())
    }

    private func scores(_ server: InfluencedServer, _ request: JSON) throws -> [[Float]] {
        try server.influence(request.with("include", ["all_scores"])).results.map { try $0.tensor("all_scores") }
    }

    /// Asks for a gradient's and two rows' influence, and compares with the explicit matrix.
    private func compare(
        _ server: InfluencedServer, _ gradients: ForeignGradients, model: String = "m", dataset: String = "m",
        checkpoint: String = "final", tolerance: Double = 1e-4, _ more: JSONObject = [:], lambda: Double = weightDecay
    ) throws {
        var numbers = SeededNumbers(9)
        let v = (0..<gradients.width).map { _ in Double(Float(numbers.normal())) }
        let tests: JSON = [
            ["gradient": .numbers(v)], ["dataset": .string(dataset), "index": 3], ["dataset": .string(dataset), "index": 0],
        ]
        let expected = [v, gradients.matrix.row(3), gradients.matrix.row(0)].map { gradients.scores(of: $0, lambda: lambda) }
        let request: JSON = ["model": .string(model), "checkpoint": .string(checkpoint), "tests": tests]
        for solver: JSON in [
            ["name": "exact"], ["name": "lissa", "recursion_depth": 4_000, "batch_size": .integer(gradients.count)],
        ] {
            let found = try scores(server, request.with("solver", solver).with(more))
            for (found, expected) in zip(found, expected) {
                #expect(Closeness.relativeDistance(found, expected) < tolerance, "\(solver.text)")
            }
        }
        // With the settings that nobody chose.
        for (found, expected) in zip(try scores(server, request.with(more)), expected) {
            #expect(Closeness.pearson(found, expected) > 0.99)
        }
    }

    @Test("scores are those of the explicit empirical Fisher matrix, for a posted gradient and for training examples' own")
    func explicit() throws {
        try bench.importGradients("m", "g.npy", "--weight-decay", "\(Self.weightDecay)")
        let server = try bench.serve()
        try compare(server, gradients)
        try compare(server, gradients, ["damping": 0.4, "curvature": "empirical_fisher"], lambda: 0.45)
        let trace = (0..<gradients.width).reduce(0) { $0 + gradients.fisher[$1, $1] + Self.weightDecay }
        let lambda = Self.weightDecay + 0.3 * trace / Double(gradients.width)
        try compare(server, gradients, ["damping": 0.3, "damping_mode": "relative"], lambda: lambda)
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("files of bare numbers and .npy files of every type give the scores of their numbers")
    func types() throws {
        let shape = "\(gradients.count),\(gradients.width)"
        for type in ["float32", "float16", "bfloat16", "float64"] {
            try bench.write("\(type).bin", gradients.flat(type))
            let said = try bench.importGradients(
                "m", "\(type).bin", "--shape", shape, "--dtype", type, "--checkpoint", type, "--weight-decay", "0.05")
            #expect(said.contains("rounded from float64") == (type == "float64"), "\(said)")
        }
        for type in ["float16", "float64"] {
            // As numpy.lib.format.open_memmap leaves it: a .npy file whatever it is called.
            try bench.write("\(type).mmap", gradients.npy(type))
            try bench.importGradients("m", "\(type).mmap", "--checkpoint", "npy-\(type)")
        }
        let server = try bench.serve()
        for type in ["float32", "float16", "bfloat16", "float64", "npy-float16", "npy-float64"] {
            let stored = type.hasPrefix("npy-") ? String(type.dropFirst(4)) : type
            try compare(server, gradients.rounded(to: stored), checkpoint: type)
        }
        let model = try server.get("/models/m").json
        #expect(try model.list("checkpoints").count == 6)
        let caches = try model.list("caches").map { try [$0.member("name"), $0.member("dtype"), $0.member("bytes")] }
        #expect(caches.contains(["dense-bfloat16", "bfloat16", .integer(gradients.count * gradients.width * 2)]))
        #expect(caches.contains(["dense-float32", "float32", .integer(gradients.count * gradients.width * 4)]))
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("several checkpoints of one model answer for themselves, and the last import is the latest")
    func checkpoints() throws {
        let later = ForeignGradients(seed: 6)
        try bench.write("later.npy", later.npy())
        try bench.importGradients("m", "g.npy", "--weight-decay", "0.05", "--checkpoint", "a", "--step", "10", "--epoch", "1")
        try bench.importGradients(
            "m", "later.npy", "--checkpoint", "b", "--step", "20", "--learning-rate", "0.5", "--train-loss", "0.25")
        let server = try bench.serve()
        try compare(server, gradients, checkpoint: "a")
        try compare(server, later, checkpoint: "b")
        #expect(try server.influence(["model": "m", "tests": [["dataset": "m", "index": 0]]])["checkpoint"] == "b")
        let model = try server.get("/models/m").json
        let checkpoints = try model.list("checkpoints")
        #expect(checkpoints.map { $0["step"] } == [10, 20] && checkpoints[0]["epoch"] == 1)
        #expect(checkpoints[1]["learning_rate"] == 0.5 && checkpoints[1]["train_loss"] == 0.25)
        #expect(checkpoints[0]["sha256"] != checkpoints[1]["sha256"])
        #expect(try model.list("caches").map { $0["state"] } == ["complete", "complete"])
        #expect(model["parameter_count"] == .integer(gradients.width) && model["dataset"] == "m")
        #expect(try model.member("spec") == ["gradients": ["width": .integer(gradients.width)], "weight_decay": 0.05])
    }

    @Test("targets, outputs, losses and metadata come with the examples")
    func examples() throws {
        let n = gradients.count
        try bench.write("y.npy", ArrayFile.npy((0..<n).map { $0 % 3 }, shape: [n]))
        try bench.write("o.npy", ArrayFile.npy((0..<2 * n).map { Float($0) / 4 }, shape: [n, 2]))
        let losses = (0..<n).map { (Double($0) / 7).bitPattern.littleEndian }
        try bench.write("l.npy", ArrayFile.npy("<f8", [n], losses.withUnsafeBytes { Data($0) }))
        try bench.write("m.jsonl", (0..<n).map { #"{"id": "row \#($0)", "text": "t\#($0)"}"# }.joined(separator: "\n"))
        try bench.importGradients(
            "m", "g.npy", "--targets", bench.folder.path("y.npy"), "--outputs", bench.folder.path("o.npy"), "--losses",
            bench.folder.path("l.npy"), "--metadata", bench.folder.path("m.jsonl"))
        try bench.importGradients("bare", "g.npy")
        let server = try bench.serve()
        let expected: JSON = ["text": "t5", "output": [2.5, 2.75], "loss": .double(5.0 / 7)]
        let example = try server.get("/datasets/m/examples/5").json
        #expect(example == ["index": 5, "id": "row 5", "target": 2, "label": "2", "metadata": expected])
        #expect(try server.get("/datasets/bare/examples/5").json == ["index": 5, "metadata": [:]])
        for (name, type) in [("m", JSON.string("int32")), ("bare", .null)] {
            let dataset = try server.get("/datasets/\(name)").json
            #expect(dataset["n"] == .integer(n) && dataset["shape"] == .null && dataset["dtype"] == .null)
            #expect(dataset["target_dtype"] == type && dataset["weighted"] == false)
        }
        let test: JSON = ["dataset": "m", "index": 5]
        let answer = try server.influence([
            "model": "m", "damping": 0.1, "k": 40, "tests": [test], "include": ["metadata", "inputs"],
        ])
        #expect(try answer.result.member("test") == test.with(["gradient": "stored", "target": 2, "target_source": "dataset"]))
        let itself = try #require(try answer.result.list("proponents").first { $0["index"] == 5 })
        #expect(itself["metadata"] == expected && itself["target"] == 2 && itself["id"] == "row 5" && itself["input"] == nil)
        let nameless = try server.influence(["model": "bare", "damping": 0.1, "tests": [["dataset": "bare", "index": 5]]])
        #expect(try nameless.result.member("test") == ["dataset": "bare", "index": 5, "gradient": "stored"])
        #expect(try nameless.result.list("proponents")[0]["target"] == nil)
    }

    @Test("gradients of a dataset that is there answer with its inputs, targets and metadata, and agree with the network's own")
    func existingDataset() throws {
        let problem = SmallProblem()
        let theta = problem.trained(on: Array(0..<SmallProblem.count)).map { Double(Float($0)) }
        let bench = Workbench(folder: bench.folder, store: try problem.store(theta, in: bench.folder))
        let rows = problem.inputs.indices.flatMap { SmallProblem.gradient(theta, problem.inputs[$0], problem.targets[$0]) }
        let gradients = ForeignGradients(
            DenseMatrix(rows: SmallProblem.count, columns: SmallProblem.parameterCount, elements: rows))
        try bench.write("g.npy", gradients.npy())
        try bench.importGradients("foreign", "g.npy", "--dataset", "small", "--weight-decay", "\(SmallProblem.weightDecay)")
        let server = try bench.serve()
        try compare(
            server, gradients.rounded(to: "float32"), model: "foreign", dataset: "small", lambda: SmallProblem.weightDecay)

        let request: JSON = [
            "model": "foreign", "tests": [["dataset": "small", "index": 11]], "solver": ["name": "exact"], "k": 60,
            "curvature": "empirical_fisher", "include": ["inputs", "metadata", "all_scores"],
            "groups": [["name": "g", "indices": [1, 2, 3]]],
        ]
        let (foreign, own) = (try server.influence(request).result, try server.influence(request.with("model", "small")).result)
        #expect(try Closeness.relativeDistance(foreign.tensor("all_scores"), own.tensor("all_scores")) < 1e-4)
        for end in ["proponents", "opponents"] {
            for (a, b) in zip(try foreign.list(end), try own.list(end)) {
                #expect(a["index"] == b["index"] && a["input"] == b["input"] && a["target"] == b["target"] && a["input"] != nil)
            }
        }
        #expect(try abs(foreign.list("groups")[0].number("score") - own.list("groups")[0].number("score")) < 1e-3)
        let some = try server.influence(request.with("candidates", ["indices": [4, 9]])).result
        #expect(some["n_candidates"] == 2)
        #expect(try some.tensor("all_scores") == [4, 9].map { try foreign.tensor("all_scores")[$0] })
    }

    @Test(
        "reference gradients give the answers of the explicit matrix",
        .enabled(if: Fixtures.isAvailable, Fixtures.absence),
        arguments: ["iris-logistic", "iris-mlp", "iris-smooth-hinge", "iris-softmax"])
    func reference(name: String) throws {
        let training = try ForeignGradients(fixture: "fixtures/models/\(name)/train_gradients.npy")
        let tests = try ForeignGradients(fixture: "fixtures/models/\(name)/test_gradients.npy")
        let spec = try JSON(
            parsing: [UInt8](Data(contentsOf: URL(fileURLWithPath: Fixtures.path("fixtures/models/\(name)/spec.json")))))
        let decay = try spec.number("weight_decay")
        let files = Fixtures.path("fixtures/models/\(name)/train_gradients.npy")
        let said = try bench.succeed(
            "import", "gradients", "--name", name, "--gradients", files, "--weight-decay", "\(decay)")
        #expect(said.contains("\(training.count) rows of \(training.width) numbers, float32, rounded from float64"))
        let server = try bench.serve()
        let request: JSON = [
            "model": .string(name), "tests": .array((0..<tests.count).map { ["gradient": .numbers(tests.matrix.row($0))] }),
            "solver": ["name": "exact"], "damping": 0.01,
        ]
        let rounded = training.rounded(to: "float32")
        for (test, found) in try scores(server, request).enumerated() {
            let expected = rounded.scores(of: tests.matrix.row(test), lambda: decay + 0.01)
            #expect(Closeness.relativeDistance(found, expected) < 2e-4)
        }
    }

    @Test("what was derived of gradients is found again by the next process, which answers the same bytes")
    func derived() throws {
        try bench.importGradients("m", "g.npy", "--weight-decay", "0.05")
        let request: JSON = [
            "model": "m", "tests": [["dataset": "m", "index": 1]], "solver": ["name": "exact"],
            "include": ["s_test", "all_scores"],
        ]
        let first = try bench.serve().post("/influence", request).resultsText
        let second = try bench.serve(["--threads", "1"]).post("/influence", request).resultsText
        #expect(first == second && !first.isEmpty)
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("an import that is killed leaves nothing behind, and can be repeated")
    func killed() throws {
        // Zeros that take no room on the disk: 128 MB of them.
        let (rows, width) = (32_768, 1_024)
        try bench.write("big.bin", Data())
        #expect(truncate(bench.folder.path("big.bin"), rows * width * 4) == 0)
        let command = [
            "import", "gradients", "--store", bench.store, "--name", "big", "--gradients", bench.folder.path("big.bin"),
            "--shape",
            "\(rows),\(width)", "--dtype", "float32",
        ]
        try bench.importGradients("m", "g.npy")
        let process = try InfluencedProcess(command)
        let hasBegun = eventually(seconds: 60) {
            let log = try? FileManager.default.attributesOfItem(atPath: bench.store + "-wal")[.size] as? Int
            return log ?? 0 > 8 << 20 || process.poll() != nil
        }
        #expect(hasBegun)
        process.send(SIGKILL)
        #expect(try process.wait() == .signalled(SIGKILL))
        let server = try bench.serve()
        #expect(try server.get("/datasets/big").status == 404 && server.get("/models/big").status == 404)
        #expect(try server.get("/models").json.list("models").count == 1)
        #expect(try bench.succeed("check").contains("whole"))
        #expect(try InfluencedProcess(command).wait(seconds: 120) == .exited(0))
        #expect(try server.get("/models/big").json["parameter_count"] == .integer(width))
    }
}
