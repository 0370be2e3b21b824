import Foundation
import Formats
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

@Suite("features in the type they are stored in")
struct StoredTypesTests {
    private static let (count, width, classes) = (200, 21, 3)

    /// The same numbers in 16 bits and in 32, and a model on each.
    private func engine(_ folder: TemporaryDirectory) throws -> Engine {
        let store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
        var numbers = SeededNumbers(3)
        let drawn = numbers.floats(Self.count * Self.width)
        var halves = Data(count: 2 * drawn.count)
        var rounded = [Float](repeating: 0, count: drawn.count)
        try halves.withUnsafeMutableBytes { bytes in
            let start = try #require(bytes.baseAddress)
            try RowEncoding.float16.encode(rows: drawn, count: Self.count, width: Self.width, into: start)
            try RowEncoding.float16.decode(start, count: Self.count, width: Self.width, into: &rounded)
        }
        let labels = numbers.integers(Self.count, below: Self.classes).map { Int32($0) }
        let targets = try #require(
            Tensor(elementType: .int32, shape: [Self.count], bytes: labels.withUnsafeBytes { Data($0) }))
        let inputs: [(String, ElementType, Data)] = [
            ("halves", .float16, halves), ("floats", .float32, rounded.withUnsafeBytes { Data($0) }),
        ]
        let engine = Engine(store: store, parallel: Parallel(threads: 2), memoryBytes: 64 << 20)
        let parameters = numbers.floats(Self.classes * (Self.width + 1), scale: 0.5)
        let spec = """
            {"layers": [{"type": "linear", "in_features": \(Self.width), "out_features": \(Self.classes), "bias": true}],
             "loss": {"type": "cross_entropy"}, "weight_decay": 0.05}
            """
        for (name, type, bytes) in inputs {
            let tensor = try #require(Tensor(elementType: type, shape: [Self.count, Self.width], bytes: bytes))
            try store.importDataset(named: name, inputs: tensor, targets: targets)
            try engine.importCheckpoint(
                parameters: parameters, model: name, spec: spec, dataset: name, checkpoint: "last", training: TrainingState())
        }
        return engine
    }

    @Test(
        "halves stay halves in memory, and give what the same numbers in single precision give, to the last bit",
        arguments: ["lissa", "cg", "exact", "sampled"])
    func halves(solver: String) throws {
        let folder = try TemporaryDirectory()
        let engine = try engine(folder)
        let answers = try ["halves", "floats"].map { name in
            let request = try InfluenceRequest(
                [
                    "model": .string(name),
                    "tests": [["dataset": .string(name), "index": 5], ["dataset": .string(name), "index": 9]],
                    "solver": ["name": .string(solver)], "include": ["all_scores", "s_test"],
                ], limits: Question.limits)
            return try engine.influence(request, interruption: .never)
        }
        for (halves, floats) in zip(answers[0].results, answers[1].results) {
            #expect(halves.sTest == floats.sTest)
            #expect(halves.allScores == floats.allScores)
            #expect(halves.ranking == floats.ranking)
            #expect(halves.residual == floats.residual && halves.residual < 0.5)
        }
        let record = try engine.datasetRecord("halves", at: "")
        #expect(try engine.dataset(record).features.byteCount == 2 * Self.count * Self.width)
    }
}
