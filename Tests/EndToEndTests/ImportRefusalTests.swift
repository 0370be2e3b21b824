import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// An import that must be refused: with 2, a message that names file and reason, and the store as it was.
struct BadImport: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Files beside the good ones, or in their place.
    var files: [String: Data]
    var arguments: [String]
    let mentions: [String]

    /// A dataset; `arguments` go behind the good ones, and a later option replaces an earlier.
    static func dataset(
        _ name: String, _ files: [String: Data] = [:], _ options: [String: String] = [:], mentions: [String]
    ) -> BadImport {
        make(
            name, ["import", "dataset"], ["--name": "bad", "--inputs": "@x.npy", "--targets": "@y.npy"], files, options, mentions)
    }

    /// A model.
    static func model(
        _ name: String, _ files: [String: Data] = [:], _ options: [String: String] = [:], mentions: [String]
    ) -> BadImport {
        let good = ["--name": "bad", "--dataset": "good", "--spec": "@spec.json", "--parameters": "@model.safetensors"]
        return make(name, ["import", "model"], good, files, options, mentions)
    }

    private static func make(
        _ name: String, _ command: [String], _ good: [String: String], _ files: [String: Data], _ options: [String: String],
        _ mentions: [String]
    ) -> BadImport {
        let all = good.merging(options) { $1 }
        return BadImport(
            testDescription: name, files: files,
            arguments: command + all.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] },
            mentions: mentions)
    }
}

@Suite("Imports that are refused")
struct ImportRefusalTests {
    private static let inputs = ArrayFile.npy([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2])

    private static func floats(_ values: [Float], _ shape: [Int]) -> [String: Data] {
        ["x.npy": ArrayFile.npy(values, shape: shape)]
    }

    private static func csv(_ rows: [[String]]) -> [String: Data] { ["x.csv": ArrayFile.csv(["a", "b"], rows)] }

    static let datasets: [BadImport] = [
        .dataset("a file that is not there", [:], ["--inputs": "@no.npy"], mentions: ["no.npy"]),
        .dataset("a folder", [:], ["--inputs": "/tmp"], mentions: ["/tmp"]),
        .dataset("an empty file", ["x.npy": Data()], mentions: ["x.npy"]),
        .dataset("a file of no known format", ["x.npy": Data("hello".utf8)], mentions: ["x.npy", "npy"]),
        .dataset("a truncated .npy", ["x.npy": inputs.dropLast(3)], mentions: ["x.npy"]),
        .dataset("a .npy with more than it says", ["x.npy": inputs + [0]], mentions: ["x.npy"]),
        .dataset("a .npy cut inside its header", ["x.npy": inputs.prefix(30)], mentions: ["x.npy"]),
        .dataset(
            "a .npy of Python objects", ["x.npy": ArrayFile.npy("|O", [3, 2], Data(count: 48))], mentions: ["x.npy", "O"]),
        .dataset(
            "a .npy that says it is enormous", ["x.npy": ArrayFile.npy("<f4", [1 << 40, 1 << 40], Data(count: 24))],
            mentions: ["x.npy"]),
        .dataset("NaN", floats([0, 1, .nan, 3, 4, 5], [3, 2]), mentions: ["x.npy", "row 1", "column 0", "NaN"]),
        .dataset("an infinity", floats([0, 1, 2, 3, 4, -.infinity], [3, 2]), mentions: ["x.npy", "row 2", "column 1"]),
        .dataset("fewer targets than inputs", floats([0, 1, 2, 3], [4, 1]), mentions: ["y.npy", "3", "4"]),
        .dataset("no examples", floats([], [0, 2]), mentions: ["x.npy"]),
        .dataset("a scalar", floats([1], []), mentions: ["x.npy"]),
        .dataset(
            "targets of two columns", ["y.npy": ArrayFile.npy([0, 1, 2, 0, 1, 2], shape: [3, 2])], mentions: ["y.npy"]),
        .dataset(
            "targets that are NaN", ["y.npy": ArrayFile.npy([0, .nan, 1] as [Float], shape: [3])], mentions: ["y.npy", "NaN"]),
        .dataset(
            "a label beyond 32 bits", ["y.npy": ArrayFile.npy([0, 1 << 40, 1], shape: [3])],
            mentions: ["y.npy", "row 1 is 1099511627776", "32 bits"]),
        .dataset(
            "a target that is NaN, in rows of which some are left out",
            ["y.npy": ArrayFile.npy([0, 1, .nan] as [Float], shape: [3])], ["--rows": "1:3"], mentions: ["y.npy", "row 2", "NaN"]),
        .dataset(
            "a boolean that is neither", ["x.npy": ArrayFile.npy("|b1", [3, 2], Data([0, 1, 1, 2, 0, 0]))],
            mentions: ["x.npy", "row 1, column 1", "boolean"]),
        .dataset("rows beyond the file", [:], ["--rows": "1:4"], mentions: ["x.npy", "1:4", "3"]),
        .dataset("rows the wrong way round", [:], ["--rows": "2:1"], mentions: ["--rows"]),
        .dataset("no rows", [:], ["--rows": "1:1"], mentions: ["--rows"]),
        .dataset("rows that are words", [:], ["--rows": "all"], mentions: ["--rows"]),
        .dataset("rows beyond all numbers", [:], ["--rows": "0:99999999999999999999"], mentions: ["--rows"]),
        .dataset("division by zero", [:], ["--divide-by": "0"], mentions: ["--divide-by"]),
        .dataset("division by something below zero", [:], ["--divide-by": "-2"], mentions: ["--divide-by"]),
        .dataset("division by no number", [:], ["--divide-by": "nan"], mentions: ["--divide-by"]),
        .dataset("division that leaves infinities", [:], ["--divide-by": "1e-60"], mentions: ["divi"]),
        .dataset("a name with a slash", [:], ["--name": "a/b"], mentions: ["a/b"]),
        .dataset("an empty name", [:], ["--name": ""], mentions: ["name"]),
        .dataset("a name that is taken", [:], ["--name": "good"], mentions: ["good", "already"]),
        .dataset("a part of a file without parts", [:], ["--inputs-part": "x"], mentions: ["x.npy"]),
        .dataset(
            "an archive of several arrays", ["x.npz": ArrayFile.npz([("a", inputs), ("b", inputs)])], ["--inputs": "@x.npz"],
            mentions: ["x.npz", "a, b"]),
        .dataset(
            "an array that an archive has not", ["x.npz": ArrayFile.npz([("a", inputs)])],
            ["--inputs": "@x.npz", "--inputs-part": "c"], mentions: ["x.npz", "c"]),
        .dataset(
            "a damaged archive", ["x.npz": ArrayFile.npz([("a", inputs)]).dropLast(30)], ["--inputs": "@x.npz"],
            mentions: ["x.npz"]),
        .dataset(
            "a damaged gzip", ["x.npy.gz": ArrayFile.gzip(inputs).dropLast(6)], ["--inputs": "@x.npy.gz"],
            mentions: ["x.npy.gz"]),
        .dataset(
            "a CSV with a word", csv([["1", "2"], ["x", "3"], ["4", "5"]]), ["--inputs": "@x.csv"], mentions: ["x.csv", "3", "x"]),
        .dataset(
            "a CSV with a short row", csv([["1", "2"], ["3"], ["4", "5"]]), ["--inputs": "@x.csv"], mentions: ["x.csv", "3"]),
        .dataset(
            "a CSV with a hole", csv([["1", "2"], ["", "3"], ["4", "5"]]), ["--inputs": "@x.csv"], mentions: ["x.csv", "3"]),
        .dataset(
            "a CSV without the column", csv([["1", "2"], ["2", "3"], ["4", "5"]]), ["--inputs": "@x.csv", "--inputs-part": "c"],
            mentions: ["x.csv", "c"]),
        .dataset(
            "metadata for other examples", ["m.jsonl": Data("{}\n{}\n".utf8)], ["--metadata": "@m.jsonl"],
            mentions: ["m.jsonl", "2", "3"]),
        .dataset(
            "metadata that is no JSON", ["m.jsonl": Data("{}\n{\n{}\n".utf8)], ["--metadata": "@m.jsonl"],
            mentions: ["m.jsonl", "line 2"]),
        .dataset(
            "metadata that is no object", ["m.jsonl": Data("{}\n[]\n{}\n".utf8)], ["--metadata": "@m.jsonl"],
            mentions: ["m.jsonl", "line 2", "object"]),
        weights("fewer weights than examples", [1, 2], mentions: ["w.npy", "2", "3", "weight"]),
        weights("a negative weight", [1, 2, -0.5], mentions: ["w.npy", "row 2", "-0.5"]),
        weights("a weight that is NaN", [1, .nan, 1], mentions: ["w.npy", "NaN"]),
        weights("an infinite weight", [.infinity, 1, 1], mentions: ["w.npy", "infinite"]),
        weights("weights that are all 0", [0, 0, 0], mentions: ["weights", "0"]),
        .dataset(
            "two weights an example", ["w.npy": ArrayFile.npy([Float](repeating: 1, count: 6), shape: [3, 2])],
            ["--weights": "@w.npy"], mentions: ["w.npy", "[3, 2]"]),
        .dataset("a part of no weights", [:], ["--weights-part": "w"], mentions: ["--weights"]),
    ]

    private static func weights(_ name: String, _ weights: [Float], mentions: [String]) -> BadImport {
        .dataset(
            name, ["w.npy": ArrayFile.npy(weights, shape: [weights.count])], ["--weights": "@w.npy"], mentions: mentions)
    }

    private static func spec(_ text: String) -> [String: Data] { ["spec.json": Data(text.utf8)] }

    private static func linear(_ inputs: Int, _ outputs: Int) -> [String: Data] {
        spec(
            #"{"layers": [{"type": "linear", "in_features": \#(inputs), "out_features": \#(outputs)}], "loss": {"type": "cross_entropy"}}"#
        )
    }

    private static func tensors(_ tensors: [(String, [Float], [Int])]) -> [String: Data] {
        ["model.safetensors": ArrayFile.safetensors(tensors.map { (name: $0.0, values: $0.1, shape: $0.2) })]
    }

    static let models: [BadImport] = [
        .model("an unknown dataset", [:], ["--dataset": "goood"], mentions: ["goood", "'good'"]),
        .model("a spec that is not there", [:], ["--spec": "@no.json"], mentions: ["no.json"]),
        .model("a spec that is no JSON", spec("{"), mentions: ["spec.json", "JSON"]),
        .model("a spec that is no object", spec("[]"), mentions: ["spec.json", "object"]),
        .model("a spec without layers", spec(#"{"loss": {"type": "cross_entropy"}}"#), mentions: ["spec.json", "/layers"]),
        .model(
            "an unknown layer", spec(#"{"layers": [{"type": "linaer"}], "loss": {"type": "cross_entropy"}}"#),
            mentions: ["spec.json", "/layers/0/type", "linear"]),
        .model(
            "an unknown loss",
            spec(#"{"layers": [{"type": "linear", "in_features": 2, "out_features": 3}], "loss": {"type": "hinge"}}"#),
            mentions: ["spec.json", "/loss/type", "cross_entropy"]),
        .model(
            "a negative weight decay",
            spec(
                #"{"layers": [{"type": "linear", "in_features": 2, "out_features": 3}], "loss": {"type": "cross_entropy"}, "weight_decay": -1}"#
            ),
            mentions: ["spec.json", "/weight_decay"]),
        .model("a spec of other inputs", linear(5, 3), mentions: ["model.safetensors", "0.weight", "[3, 2]", "[3, 5]"]),
        .model(
            "parameters and spec of other inputs than the dataset's",
            linear(5, 3).merging(tensors([("0.weight", [Float](repeating: 0, count: 15), [3, 5]), ("0.bias", [0, 0, 0], [3])])) {
                $1
            },
            mentions: ["shape [5]", "good"]),
        .model(
            "a label without an output",
            linear(2, 2).merging(tensors([("0.weight", [0, 0, 0, 0], [2, 2]), ("0.bias", [0, 0], [2])])) { $1 },
            mentions: ["row 1", "label from 0 to 1", "got 2"]),
        .model("parameters that are not there", [:], ["--parameters": "@no.safetensors"], mentions: ["no.safetensors"]),
        .model(
            "truncated parameters", ["model.safetensors": Workbench.parameters().dropLast(4)], mentions: ["model.safetensors"]),
        .model("empty parameters", ["model.safetensors": Data()], mentions: ["model.safetensors"]),
        .model(
            "a missing tensor", tensors([("0.weight", [0, 0, 0, 0, 0, 0], [3, 2])]), mentions: ["0.bias", "missing", "0.weight"]),
        .model(
            "a transposed tensor", tensors([("0.weight", [0, 0, 0, 0, 0, 0], [2, 3]), ("0.bias", [0, 0, 0], [3])]),
            mentions: ["0.weight", "[2, 3]", "[3, 2]"]),
        .model(
            "a parameter that is NaN", ["model.safetensors": Workbench.parameters(first: .nan)],
            mentions: ["model.safetensors", "0.weight", "NaN"]),
        .model("a name with a space", [:], ["--name": "my model"], mentions: ["my model"]),
        .model("a checkpoint that is there", [:], ["--name": "good"], mentions: ["final", "already"]),
        .model(
            "another spec for a model that is there", linear(2, 3), ["--name": "good", "--checkpoint": "other"],
            mentions: ["good", "spec"]),
        .model("an infinite learning rate", [:], ["--learning-rate": "inf"], mentions: ["learning rate"]),
        .model("a spec that is not UTF-8", ["spec.json": Data([0xFF, 0xFE, 0x7B, 0])], mentions: ["spec.json", "UTF-8"]),
        .model(
            "a spec of several mistakes", linear(0, -1),
            mentions: ["/layers/0/in_features", "; /layers/0/out_features", "got -1"]),
        .model(
            "what torch.save writes", ["model.safetensors": ArrayFile.npz([("archive/data.pkl", Data(count: 40))])],
            mentions: ["model.safetensors", "torch.save"]),
        .model("a step that is no number", [:], ["--step": "x"], mentions: ["--step"]),
    ]

    @Test("datasets", arguments: datasets)
    func dataset(bad: BadImport) throws { try check(bad) }

    @Test("models", arguments: models)
    func model(bad: BadImport) throws { try check(bad) }

    private func check(_ bad: BadImport) throws {
        let (folder, store) = (try TemporaryDirectory(), try Target.shared.get())
        let bench = Workbench(folder: folder, store: store.bench.store)
        try bench.writeGoodFiles()
        for (name, contents) in bad.files { try bench.write(name, contents) }
        let before = try store.contents()
        try bench.refuse(bad.arguments, bad.mentions)
        #expect(try store.contents() == before, "the store holds what it held")
    }

    /// The store that every bad import meets, with a server that tells what is in it.
    private struct Target: Sendable {
        static let shared = Result { try Target() }

        let bench: Workbench
        let server: InfluencedServer

        init() throws {
            bench = try Workbench.prepared()
            server = try bench.serve()
        }

        func contents() throws -> String {
            try ["/datasets", "/models"].map { String(decoding: try server.get($0).body, as: UTF8.self) }.joined()
        }
    }

    @Test("after all of them the store is whole")
    func whole() throws {
        #expect(try Target.shared.get().bench.succeed("check").contains("whole"))
    }

    @Test("an import that was refused succeeds once it is mended, and the store is whole")
    func mended() throws {
        let bench = try Workbench.prepared()
        try bench.write("x.npy", ArrayFile.npy([0, 1, .nan, 3, 4, 5] as [Float], shape: [3, 2]))
        let command = ["import", "dataset", "--name", "second", "--inputs", "@x.npy", "--targets", "@y.npy"]
        try bench.refuse(command, ["NaN"])
        try bench.writeGoodFiles()
        #expect(try bench.run(command).ending == .exited(0))
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test(
        "what only reads a store makes none where there is none",
        arguments: [
            ["cache", "--model", "m"], ["query", "@request.json"], ["check"], Workbench.importGoodModel,
        ])
    func noStore(arguments: [String]) throws {
        let bench = try Workbench()
        try bench.writeGoodFiles()
        try bench.write("request.json", Demo.question(3).text)
        try bench.refuse(arguments, ["store.sqlite"])
        #expect(!FileManager.default.fileExists(atPath: bench.store))
    }
}
