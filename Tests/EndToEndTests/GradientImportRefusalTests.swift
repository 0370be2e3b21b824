import Foundation
import JSON
import TestSupport
import Testing

@Suite("Imports of gradients that are refused")
struct GradientImportRefusalTests {
    private static let gradients = ForeignGradients(count: 5, width: 3)

    private static func npy(changing index: Int, to value: Float) -> [String: Data] {
        var floats = gradients.matrix.floats
        floats[index] = value
        return ["g.npy": ArrayFile.npy(floats, shape: [5, 3])]
    }

    /// Bad gradients; `options` go behind the good ones, and a later option replaces an earlier.
    private static func bad(
        _ name: String, _ files: [String: Data] = [:], _ options: [String: String] = [:], mentions: [String]
    ) -> BadImport {
        let all = ["--name": "bad", "--gradients": "@g.npy"].merging(options) { $1 }
        return BadImport(
            testDescription: name, files: files,
            arguments: ["import", "gradients"] + all.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }, mentions: mentions
        )
    }

    /// Two rows, and a header that takes as many bytes as some more.
    private static let npyOfTwo = ArrayFile.npy([1, 2, 3, 4] as [Float], shape: [2, 2])

    private static let flat = ["--gradients": "@g.bin", "--shape": "5,3", "--dtype": "float32"]

    static let files: [BadImport] = [
        bad("a file that is not there", [:], ["--gradients": "@no.npy"], mentions: ["no.npy"]),
        bad("NaN", npy(changing: 7, to: .nan), mentions: ["g.npy", "row 2, column 1", "NaN"]),
        bad("an infinity", npy(changing: 14, to: -.infinity), mentions: ["g.npy", "row 4, column 2", "infinite"]),
        bad(
            "a number beyond single precision",
            ["g.npy": ArrayFile.npy("<f8", [2, 1], [1, 1e300].withUnsafeBytes { Data($0) })],
            mentions: ["g.npy", "row 1, column 0", "single precision"]),
        bad(
            "one axis", ["g.npy": ArrayFile.npy([1, 2, 3] as [Float], shape: [3])],
            mentions: ["g.npy", "[3]", "[examples, numbers]"]),
        bad("three axes", ["g.npy": ArrayFile.npy([1, 2] as [Float], shape: [1, 2, 1])], mentions: ["[1, 2, 1]"]),
        bad("no rows", ["g.npy": ArrayFile.npy([] as [Float], shape: [0, 3])], mentions: ["[0, 3]"]),
        bad("no numbers", ["g.npy": ArrayFile.npy([] as [Float], shape: [3, 0])], mentions: ["[3, 0]"]),
        bad("integers", ["g.npy": ArrayFile.npy([1, 2, 3], shape: [1, 3])], mentions: ["int64", "float32"]),
        bad("truncated", ["g.npy": gradients.npy().dropLast()], mentions: ["g.npy"]),
        bad("bare numbers without shape", [:], ["--gradients": "@g.bin"], mentions: ["g.bin", "shape"]),
        bad("a shape without a type", [:], ["--gradients": "@g.bin", "--shape": "5,3"], mentions: ["--shape", "--dtype"]),
        bad("a type without a shape", [:], ["--gradients": "@g.bin", "--dtype": "float32"], mentions: ["--shape", "--dtype"]),
        bad("a shape of another size", [:], flat.merging(["--shape": "5,4"]) { $1 }, mentions: ["g.bin", "60", "80", "[5, 3]"]),
        bad(
            "a type of another size", [:], flat.merging(["--dtype": "float16"]) { $1 },
            mentions: ["g.bin", "60", "30", "float32"]),
        bad("a shape of one extent", [:], flat.merging(["--shape": "15"]) { $1 }, mentions: ["--shape", "15"]),
        bad("a shape of words", [:], flat.merging(["--shape": "a,b"]) { $1 }, mentions: ["--shape"]),
        bad("a shape of nothing", [:], flat.merging(["--shape": "0,3"]) { $1 }, mentions: ["--shape"]),
        bad("a negative shape", [:], flat.merging(["--shape": "-5,-3"]) { $1 }, mentions: ["--shape"]),
        bad("a shape beyond addresses", [:], flat.merging(["--shape": "4611686018427387904,4"]) { $1 }, mentions: ["g.bin"]),
        bad("an unknown type", [:], flat.merging(["--dtype": "int8"]) { $1 }, mentions: ["--dtype", "float16"]),
        bad("a shape for a .npy file", [:], ["--shape": "5,3", "--dtype": "float32"], mentions: ["g.npy", ".npy"]),
        bad(
            "a shape that takes the header of a .npy file for rows", ["g.npy": npyOfTwo],
            ["--shape": "\(npyOfTwo.count / 8),2", "--dtype": "float32"],
            mentions: ["g.npy", ".npy"]),
        bad("a part of bare numbers", [:], flat.merging(["--gradients-part": "a"]) { $1 }, mentions: ["--gradients-part"]),
    ]

    static let examples: [BadImport] = [
        bad(
            "too few targets", ["y.npy": ArrayFile.npy([1, 2], shape: [2])], ["--targets": "@y.npy"],
            mentions: ["y.npy", "2", "5"]),
        bad(
            "too many outputs", ["o.npy": ArrayFile.npy([Float](repeating: 0, count: 12), shape: [6, 2])],
            ["--outputs": "@o.npy"],
            mentions: ["o.npy", "6", "5", "output"]),
        bad(
            "a loss that is NaN", ["l.npy": ArrayFile.npy([1, 2, .nan, 4, 5] as [Float], shape: [5])], ["--losses": "@l.npy"],
            mentions: ["l.npy", "NaN"]),
        bad(
            "two losses an example", ["l.npy": ArrayFile.npy([Float](repeating: 0, count: 10), shape: [5, 2])],
            ["--losses": "@l.npy"], mentions: ["l.npy", "[5, 2]"]),
        bad(
            "metadata of other examples", ["m.jsonl": Data("{}\n".utf8)], ["--metadata": "@m.jsonl"],
            mentions: ["m.jsonl", "1", "5"]),
        bad(
            "a loss that the metadata has too",
            [
                "m.jsonl": Data((0..<5).map { $0 == 3 ? "{\"loss\": 1}\n" : "{}\n" }.joined().utf8),
                "l.npy": ArrayFile.npy([1, 2, 3, 4, 5] as [Float], shape: [5]),
            ], ["--metadata": "@m.jsonl", "--losses": "@l.npy"], mentions: ["m.jsonl", "line 4", "loss", "l.npy"]),
        bad("a part of no targets", [:], ["--targets-part": "y"], mentions: ["--targets"]),
    ]

    static let models: [BadImport] = [
        bad("an unknown dataset", [:], ["--dataset": "goood"], mentions: ["goood", "'good'"]),
        bad("a dataset of another size", [:], ["--dataset": "good"], mentions: ["5", "3", "good"]),
        bad(
            "targets for a dataset that is there", ["y.npy": ArrayFile.npy([1, 2, 3, 4, 5], shape: [5])],
            ["--dataset": "gradients", "--targets": "@y.npy"], mentions: ["'gradients'", "targets"]),
        bad("a name that a dataset has", [:], ["--name": "lonely"], mentions: ["lonely", "dataset"]),
        bad("a model that has a network", [:], ["--name": "good"], mentions: ["'good'", "network"]),
        bad("a checkpoint that is there", [:], ["--name": "gradients"], mentions: ["final", "already"]),
        bad(
            "a model of another width", ["g.npy": ForeignGradients(count: 5, width: 4).npy()],
            ["--name": "gradients", "--checkpoint": "next"], mentions: ["'gradients'", "3 numbers", "4"]),
        bad(
            "a model of another size", ["g.npy": ForeignGradients(count: 6, width: 3).npy()],
            ["--name": "gradients", "--checkpoint": "next"], mentions: ["6", "5", "gradients"]),
        bad(
            "a model of another weight decay", [:],
            ["--name": "gradients", "--checkpoint": "next", "--weight-decay": "0.5"], mentions: ["'gradients'", "0.25", "0.5"]),
        bad("a name with a slash", [:], ["--name": "a/b"], mentions: ["a/b"]),
        bad("a checkpoint with a space", [:], ["--checkpoint": "a b"], mentions: ["a b"]),
        bad("a negative weight decay", [:], ["--weight-decay": "-1"], mentions: ["--weight-decay"]),
        bad("a weight decay that is no number", [:], ["--weight-decay": "nan"], mentions: ["--weight-decay"]),
        bad("an infinite learning rate", [:], ["--learning-rate": "inf"], mentions: ["learning rate"]),
    ]

    @Test("for the gradients' own sake", arguments: files)
    func file(bad: BadImport) throws { try check(bad) }

    @Test("for what comes with them", arguments: examples)
    func example(bad: BadImport) throws { try check(bad) }

    @Test("for where they are to go", arguments: models)
    func model(bad: BadImport) throws { try check(bad) }

    /// Each meets a store of its own kind: with a network, a model of gradients, and a dataset that no model has.
    private func check(_ bad: BadImport) throws {
        let bench = try Workbench.prepared()
        try bench.write("g.npy", Self.gradients.npy())
        try bench.write("g.bin", Self.gradients.flat("float32"))
        try bench.importGradients("gradients", "g.npy", "--weight-decay", "0.25")
        try bench.succeed("import", "dataset", "--name", "lonely", "--inputs", "@x.npy", "--targets", "@y.npy")
        for (name, contents) in bad.files { try bench.write(name, contents) }
        try bench.refuse(bad.arguments, bad.mentions)
        let server = try bench.serve()
        let models = try server.get("/models").json.list("models")
        #expect(models.map { $0["name"] } == ["good", "gradients"])
        #expect(
            try models.flatMap { try $0.list("checkpoints") }.count == 2 && models.flatMap { try $0.list("caches") }.count == 1)
        #expect(try server.get("/datasets").json.list("datasets").map { $0["name"] } == ["good", "gradients", "lonely"])
        #expect(try bench.succeed("check").contains("whole"))
    }
}
