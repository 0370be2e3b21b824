import Foundation
import JSON
import TestSupport
import Testing

/// What the command line brings into a store, seen again over HTTP.
@Suite("Importing")
struct ImportTests {
    /// Six examples of four bytes each, with labels.
    private static let bytes: [UInt8] = (0..<24).map { $0 * 10 }
    private static let labels = [0, 1, 2, 2, 1, 0]

    private func examples(_ name: String, _ server: InfluencedServer) throws -> [JSON] {
        let count = try server.get("/datasets/\(name)").json.integer("n")
        return try (0..<count).map { try server.get("/datasets/\(name)/examples/\($0)").json }
    }

    @Test("the same examples come out of every format")
    func formats() throws {
        let bench = try Workbench()
        let floats = Self.bytes.map { Float($0) }
        try bench.write("x.npy", ArrayFile.npy(floats, shape: [6, 4]))
        try bench.write("y.npy", ArrayFile.npy(Self.labels, shape: [6]))
        try bench.write(
            "both.npz",
            ArrayFile.npz([
                ("x", ArrayFile.npy(Self.bytes, shape: [6, 4])), ("y", ArrayFile.npy(Self.labels, shape: [6])),
            ]))
        try bench.write("x-idx3-ubyte.gz", ArrayFile.gzip(ArrayFile.idx(Self.bytes, shape: [6, 2, 2])))
        try bench.write("y-idx1-ubyte", ArrayFile.idx(Self.labels.map { UInt8($0) }, shape: [6]))
        let rows = (0..<6).map { row in Self.bytes[row * 4..<row * 4 + 4].map { "\($0)" } }
        try bench.write("x.csv", ArrayFile.csv(["a", "b", "c", "d"], rows))
        try bench.write("y.csv", ArrayFile.csv(["id", "label"], Self.labels.enumerated().map { ["\($0)", "\($1)"] }))
        try bench.write("x.npy.gz", ArrayFile.gzip(ArrayFile.npy(floats, shape: [6, 4])))

        let sources = [
            ("npy", ["--inputs", "@x.npy", "--targets", "@y.npy"]),
            ("npz", ["--inputs", "@both.npz", "--inputs-part", "x", "--targets", "@both.npz", "--targets-part", "y"]),
            ("idx", ["--inputs", "@x-idx3-ubyte.gz", "--targets", "@y-idx1-ubyte"]),
            ("csv", ["--inputs", "@x.csv", "--targets", "@y.csv", "--targets-part", "label"]),
            ("gzip", ["--inputs", "@x.npy.gz", "--targets", "@y.npy"]),
        ]
        for (name, arguments) in sources {
            let result = try bench.run(["import", "dataset", "--name", name] + arguments)
            try #require(result.ending == .exited(0), "\(name): \(result.standardError)")
            #expect(result.standardOutput.contains("6 examples"))
        }
        let server = try bench.serve()
        for (name, _) in sources {
            let dataset = try server.get("/datasets/\(name)").json
            #expect(dataset["shape"] == (name == "idx" ? [2, 2] : [4]))
            #expect(dataset["dtype"]?.stringValue == (["npz", "idx"].contains(name) ? "uint8" : "float32"), "\(name)")
            let examples = try examples(name, server)
            #expect(try examples.flatMap { try $0.member("input").flattened } == Self.bytes.map(Double.init), "\(name)")
            #expect(try examples.map { try $0.integer("target") } == Self.labels, "\(name)")
        }
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("rows are kept as asked, and integers stay as they are until they are divided when read")
    func rowsAndDivisor() throws {
        let bench = try Workbench()
        try bench.write("x.npy", ArrayFile.npy(Self.bytes, shape: [6, 4]))
        try bench.write("y.npy", ArrayFile.npy(Self.labels, shape: [6]))
        try bench.write("m.jsonl", (0..<6).map { #"{"id": "row \#($0)", "source": {"page": \#($0)}}"# }.joined(separator: "\n"))
        try bench.succeed(
            "import", "dataset", "--name", "part", "--inputs", "@x.npy", "--targets", "@y.npy", "--rows", "2:5", "--divide-by",
            "20",
            "--metadata", "@m.jsonl")
        let server = try bench.serve()
        let dataset = try server.get("/datasets/part").json
        #expect(dataset["n"] == 3 && dataset["dtype"] == "uint8" && dataset["divisor"] == 20)
        let examples = try examples("part", server)
        #expect(try examples.flatMap { try $0.member("input").flattened } == Self.bytes[8..<20].map { Double($0) / 20 })
        #expect(examples.map { $0["target"] } == [2, 2, 1])
        #expect(examples.map { $0["id"] } == ["row 2", "row 3", "row 4"])
        #expect(examples.map { $0["metadata"] } == [2, 3, 4].map { ["source": ["page": .integer($0)]] })
    }

    @Test("a divisor makes the same model of bytes as division beforehand")
    func divisorInScores() throws {
        let bench = try Workbench()
        try bench.write("bytes.npy", ArrayFile.npy(Self.bytes, shape: [6, 4]))
        try bench.write("floats.npy", ArrayFile.npy(Self.bytes.map { Float($0) / 16 }, shape: [6, 4]))
        try bench.write("y.npy", ArrayFile.npy(Self.labels, shape: [6]))
        let spec =
            #"{"layers": [{"type": "linear", "in_features": 4, "out_features": 3}], "loss": {"type": "cross_entropy"}, "weight_decay": 1}"#
        try bench.write("spec.json", spec)
        let weights = (0..<12).map { Float($0 % 5) / 50 }
        try bench.write("m.safetensors", ArrayFile.safetensors([("0.weight", weights, [3, 4]), ("0.bias", [0, 0, 0], [3])]))
        for (name, divisor) in [("bytes", "16"), ("floats", "1")] {
            try bench.succeed(
                "import", "dataset", "--name", name, "--inputs", "@\(name).npy", "--targets", "@y.npy", "--divide-by", divisor)
            try bench.succeed(
                "import", "model", "--name", name, "--dataset", name, "--spec", "@spec.json", "--parameters", "@m.safetensors")
        }
        let server = try bench.serve()
        let scores = try ["bytes", "floats"].map { name in
            try server.influence([
                "model": .string(name), "tests": [["dataset": .string(name), "index": 1]], "solver": ["name": "exact"],
                "include": ["all_scores"],
            ]).result.tensor("all_scores")
        }
        #expect(scores[0].contains { $0 != 0 })
        #expect(Closeness.relativeDistance(scores[0], scores[1]) < 1e-3)
    }

    @Test("what is said of a checkpoint's training is there again, and the last import is the latest")
    func checkpoints() throws {
        let bench = try Workbench.prepared()
        try bench.write("other.safetensors", Workbench.parameters(first: 0.75))
        try bench.succeed(
            "import", "model", "--name", "good", "--dataset", "good", "--spec", "@spec.json", "--parameters",
            "@other.safetensors",
            "--checkpoint", "later", "--step", "70", "--epoch", "7", "--learning-rate", "0.125", "--train-loss", "0.5")
        let server = try bench.serve()
        let checkpoints = try server.get("/models/good").json.list("checkpoints")
        #expect(checkpoints.map { $0["name"] } == ["final", "later"])
        #expect(checkpoints[0]["step"]?.isNull == true)
        let later = checkpoints[1]
        #expect(later["step"] == 70 && later["epoch"] == 7 && later["learning_rate"] == 0.125 && later["train_loss"] == 0.5)
        let tests: JSON = [["dataset": "good", "index": 0]]
        #expect(try server.predict(["model": "good", "tests": tests])["checkpoint"] == "later")
    }

    @Test("tensors that the spec does not name are passed over, and said so")
    func extraTensors() throws {
        let bench = try Workbench.prepared()
        let weight = ("0.weight", [Float](repeating: 0, count: 6), [3, 2]),
            bias = ("0.bias", [Float](repeating: 0, count: 3), [3])
        try bench.write("more.safetensors", ArrayFile.safetensors([weight, bias, ("running_mean", [1], [1])]))
        let output = try bench.succeed(
            "import", "model", "--name", "more", "--dataset", "good", "--spec", "@spec.json", "--parameters", "@more.safetensors")
        #expect(output.contains("running_mean"))
    }

    @Test("models and datasets of equal content keep their own names, ids and metadata in answers")
    func twins() throws {
        let bench = try Workbench.prepared()
        try bench.write("m.jsonl", (0..<3).map { #"{"id": "twin \#($0)"}"# }.joined(separator: "\n"))
        try bench.succeed(
            "import", "dataset", "--name", "twin", "--inputs", "@x.npy", "--targets", "@y.npy", "--metadata", "@m.jsonl")
        try bench.succeed(
            "import", "model", "--name", "twin", "--dataset", "twin", "--spec", "@spec.json", "--parameters", "@model.safetensors"
        )
        try bench.succeed(
            "import", "model", "--name", "twin", "--dataset", "twin", "--spec", "@spec.json", "--parameters",
            "@model.safetensors",
            "--checkpoint", "same")
        let server = try bench.serve()
        for (model, checkpoint) in [("good", "final"), ("twin", "final"), ("twin", "same")] {
            let answer = try server.influence([
                "model": .string(model), "checkpoint": .string(checkpoint), "tests": [["dataset": "good", "index": 0]],
            ])
            #expect(answer["model"]?.stringValue == model)
            #expect(answer["checkpoint"]?.stringValue == checkpoint)
            for example in try answer.result.listed {
                let id = model == "twin" ? "twin \(try example.integer("index"))" : nil
                #expect(example["id"]?.stringValue == id)
            }
        }
    }
}
