import Foundation
import JSON
import TestSupport
import Testing

/// Models whose layers, tensors and data don't go together, and stores of another time.
@Suite("Strict imports of networks")
struct StrictImportTests {
    /// Four examples of two channels of 4 × 4, and four of three token ids; labels 0 and 1.
    private static func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("x.npy", ArrayFile.npy((0..<128).map { Float($0 % 7) }, shape: [4, 2, 4, 4]))
        try bench.write("y.npy", ArrayFile.npy([0, 1, 1, 0], shape: [4]))
        try bench.write("t.npy", ArrayFile.npy([1, 2, 3, 4, 0, 0, 4, 4, 1, 2, 2, 3], shape: [4, 3]))
        try bench.succeed("import", "dataset", "--name", "images", "--inputs", "@x.npy", "--targets", "@y.npy")
        try bench.succeed("import", "dataset", "--name", "tokens", "--inputs", "@t.npy", "--targets", "@y.npy")
        return bench
    }

    private static let convolution =
        #"{"type": "conv2d", "in_channels": 2, "out_channels": 3, "kernel_size": 3, "bias": false}, {"type": "batch_norm2d", "num_features": 3}, "#
    private static let head = #"{"type": "flatten"}, {"type": "linear", "name": "head", "in_features": 12, "out_features": 2}"#

    private static func spec(_ layers: String) -> String {
        #"{"input_shape": [2, 4, 4], "layers": [\#(layers)], "loss": {"type": "cross_entropy"}}"#
    }

    private static func zeros(_ name: String, _ shape: [Int], _ value: Float = 0) -> (name: String, values: [Float], shape: [Int])
    {
        (name, [Float](repeating: value, count: shape.reduce(1, *)), shape)
    }

    private static func tensors(variance: [Float] = [1, 2, 3]) -> [(name: String, values: [Float], shape: [Int])] {
        [
            zeros("0.weight", [3, 2, 3, 3], 0.1), zeros("1.weight", [3], 1), zeros("1.bias", [3]), zeros("1.running_mean", [3]),
            ("1.running_var", variance, [3]), zeros("head.weight", [2, 12]), zeros("head.bias", [2]),
        ]
    }

    /// A model of the images.
    private func arguments(dataset: String = "images") -> [String] {
        ["import", "model", "--name", "net", "--dataset", dataset, "--spec", "@spec.json", "--parameters", "@p.safetensors"]
    }

    @Test("a network with batch norm is imported, and what its file has beside is told")
    func good() throws {
        let bench = try Self.bench()
        try bench.write("spec.json", Self.spec(Self.convolution + Self.head))
        let more = [Self.zeros("1.num_batches_tracked", [1]), Self.zeros("ema.head.weight", [2, 12])]
        try bench.write("p.safetensors", ArrayFile.safetensors(Self.tensors() + more))
        let result = try bench.run(arguments())
        #expect(result.ending == .exited(0), "\(result.standardError)")
        for name in ["1.num_batches_tracked", "ema.head.weight"] { #expect(result.standardOutput.contains(name)) }
        #expect(!result.standardOutput.contains("running_var"))
    }

    @Test(
        "layers that don't compose are named, with the shape they get and the shape they need",
        arguments: [
            (
                #"{"type": "conv2d", "in_channels": 3, "out_channels": 3, "kernel_size": 3}, \#(head)"#,
                ["layer '0' (conv2d)", "[2, 4, 4]", "3"]
            ),
            (
                #"{"type": "conv2d", "in_channels": 2, "out_channels": 3, "kernel_size": 5}, \#(head)"#,
                ["layer '0' (conv2d)", "5", "4"]
            ),
            (
                #"{"type": "linear", "name": "fc", "in_features": 32, "out_features": 2}"#,
                ["layer 'fc' (linear)", "[2, 4, 4]", "32", "flatten"]
            ),
            (
                #"\#(convolution){"type": "flatten"}, {"type": "linear", "in_features": 27, "out_features": 2}"#,
                ["layer '3' (linear)", "[12]", "27"]
            ),
            (#"{"type": "batch_norm2d", "num_features": 3}, \#(head)"#, ["layer '0' (batch_norm2d)", "[2, 4, 4]", "3"]),
            (#"{"type": "max_pool2d", "kernel_size": 0}, \#(head)"#, ["/layers/0/kernel_size"]),
            (#"{"type": "linear", "in_features": -4, "out_features": 2}"#, ["/layers/0/in_features"]),
            (
                #"{"type": "flatten"}, {"type": "linear", "in_features": 32, "out_features": 1000000000}, {"type": "linear", "in_features": 1000000000, "out_features": 2}"#,
                ["layer '1' (linear)", "1000000000"]
            ),
            (#"{"type": "flatten"}, {"type": "relu"}"#, ["/layers", "trained"]),
        ])
    func layers(spec: String, mentions: [String]) throws {
        let bench = try Self.bench()
        try bench.write("spec.json", Self.spec(spec))
        try bench.write("p.safetensors", ArrayFile.safetensors(Self.tensors()))
        try bench.refuse(arguments(), ["spec.json"] + mentions)
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("tensors that are missing, of another shape, or no variances are named")
    func badTensors() throws {
        let bench = try Self.bench()
        try bench.write("spec.json", Self.spec(Self.convolution + Self.head))
        let good = Self.tensors()
        let cases: [([(name: String, values: [Float], shape: [Int])], [String])] = [
            (good.filter { $0.name != "1.running_mean" }, ["1.running_mean", "missing"]),
            (
                good.map { $0.name == "0.weight" ? Self.zeros("0.weight", [2, 3, 3, 3]) : $0 },
                ["0.weight", "[2, 3, 3, 3]", "[3, 2, 3, 3]"]
            ),
            (Self.tensors(variance: [1, -0.25, 3]), ["1.running_var", "element 1", "-0.25"]),
            (Self.tensors(variance: [1, 2, .infinity]), ["1.running_var", "infinite"]),
        ]
        for (tensors, mentions) in cases {
            try bench.write("p.safetensors", ArrayFile.safetensors(tensors))
            try bench.refuse(arguments(), ["p.safetensors"] + mentions)
        }
        try bench.write("p.safetensors", ArrayFile.safetensors(good))
        try bench.refuse(arguments(dataset: "tokens"), ["spec.json", "'tokens'", "[2, 4, 4]", "[3]"])
        #expect(try bench.run(arguments()).ending == .exited(0))
    }

    @Test(
        "token ids that the embedding has no row for are refused with their row",
        arguments: [(4, 1, "4"), (4, 2, "4"), (3, 0, "3")])
    func tokens(count: Int, row: Int, token: String) throws {
        let bench = try Self.bench()
        try bench.write(
            "spec.json",
            """
            {"input_shape": [3], "input_dtype": "int32", "layers": [
             {"type": "mean_embedding", "num_embeddings": \(count), "embedding_dim": 2, "padding_idx": 0},
             {"type": "linear", "in_features": 2, "out_features": 2}], "loss": {"type": "cross_entropy"}}
            """)
        try bench.write(
            "p.safetensors",
            ArrayFile.safetensors([
                Self.zeros("0.weight", [count, 2]), Self.zeros("1.weight", [2, 2]), Self.zeros("1.bias", [2]),
            ]))
        // The first row with an id that is too large.
        var ids = [1, 2, 3, 0, 0, 0, 0, 0, 0, 1, 2, 2]
        ids[row * 3 + 2] = count
        try bench.write("t.npy", ArrayFile.npy(ids, shape: [4, 3]))
        try bench.succeed("import", "dataset", "--name", "bad", "--inputs", "@t.npy", "--targets", "@y.npy")
        try bench.refuse(arguments(dataset: "bad"), ["spec.json", "'bad'", "token id \(token)", "num_embeddings"])
    }

    @Test("targets that the loss can't take are refused with their row")
    func targets() throws {
        let bench = try Self.bench()
        func head(_ loss: String, _ outputs: Int) -> String {
            """
            {"layers": [{"type": "linear", "in_features": 2, "out_features": \(outputs)}], "loss": {"type": \(loss)}}
            """
        }
        try bench.write("x.npy", ArrayFile.npy([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2]))
        let cases: [(loss: String, outputs: Int, targets: [Float], mentions: [String])] = [
            (#""cross_entropy""#, 2, [0, 1, 2], ["row 2", "2"]), (#""cross_entropy""#, 2, [0, -1, 1], ["row 1", "-1"]),
            (#""cross_entropy""#, 2, [0, 0.5, 1], ["whole numbers"]),
            (#""binary_cross_entropy""#, 1, [0, 1, 2], ["row 2", "2"]),
            (#""smooth_hinge", "temperature": 0.1"#, 1, [1, -1, 0], ["row 2", "0"]),
        ]
        for (index, bad) in cases.enumerated() {
            try bench.write("y.npy", ArrayFile.npy(bad.targets, shape: [3]))
            try bench.write("spec.json", head(bad.loss, bad.outputs))
            try bench.write(
                "p.safetensors",
                ArrayFile.safetensors([Self.zeros("0.weight", [bad.outputs, 2]), Self.zeros("0.bias", [bad.outputs])]))
            try bench.succeed("import", "dataset", "--name", "d\(index)", "--inputs", "@x.npy", "--targets", "@y.npy")
            try bench.refuse(arguments(dataset: "d\(index)"), ["spec.json", "'d\(index)'"] + bad.mentions)
        }
    }

    @Test("a store from a newer version is refused by every import, and left as it is")
    func newerStore() throws {
        let bench = try Workbench.prepared()
        // The names of the schema's steps, in their table and its index, as SQLite's record format has them (fileformat2, section 2.1):
        // the header's size, the type of a text of two bytes, and in the index the type of a one-byte integer.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: bench.store))
        var changed = 0
        for pattern in [[2, 0x11] + Array("v2".utf8), [3, 0x11, 1] + Array("v2".utf8)] as [[UInt8]] {
            while let place = bytes.range(of: Data(pattern)) {
                bytes[place.upperBound - 1] = UInt8(ascii: "9")
                changed += 1
            }
        }
        try #require(changed >= 2, "the steps are in a table and in its index")
        try bytes.write(to: URL(fileURLWithPath: bench.store))
        try bench.write("g.npy", ForeignGradients().npy())
        for command in [
            Workbench.importGoodDataset, Workbench.importGoodModel,
            ["import", "gradients", "--name", "m", "--gradients", "@g.npy"], ["check"],
        ] {
            try bench.refuse(command, ["newer version", "v9"])
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: bench.store)) == bytes)
    }
}
