import Attribution
import Formats
import Foundation
import HTTPTypes
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Service
@testable import Store

@Suite("What is larger than the memory for it")
struct MemoryBudgetTests {
    private let bench: CacheBench

    init() throws { bench = try CacheBench() }

    /// A model of its own on examples of its own.
    private func add(_ name: String, count: Int = 300, seed: UInt64 = 3, spec: String = CacheBench.spec) throws {
        var numbers = SeededNumbers(seed)
        let inputs = numbers.floats(count * 25)
        let labels = numbers.integers(count, below: 3).map { Int32($0) }
        try bench.store.importDataset(
            named: name,
            inputs: #require(
                Tensor(elementType: .float32, shape: [count, 1, 5, 5], bytes: inputs.withUnsafeBytes { Data($0) })),
            targets: #require(Tensor(elementType: .int32, shape: [count], bytes: labels.withUnsafeBytes { Data($0) })))
        let network = try Network(ModelSpec(JSON(parsing: spec)))
        try bench.engine().importCheckpoint(
            parameters: numbers.floats(network.parameterCount, scale: 0.3),
            fixed: numbers.floats(network.fixedCount, scale: 0.3), model: name, spec: spec, dataset: name, checkpoint: "last",
            training: TrainingState())
    }

    private func refusal(of model: String = "net", _ memoryBytes: Int, _ members: JSONObject = [:]) throws -> Problem {
        var members = members
        members["model"] = .string(model)
        let request = try CacheBench.request([0], members)
        return try #require(throws: Problem.self) {
            try bench.engine(memoryBytes: memoryBytes).influence(request, interruption: .never)
        }
    }

    @Test("a dataset is refused by its size in memory, with what to set, and loads where that is set")
    func dataset() throws {
        let bytes = try bench.engine().dataset(bench.store.dataset(named: "small")).byteCount
        let refusal = try refusal(12_000)
        #expect(refusal.status == .unprocessableContent && refusal.kind == "too-large")
        let needed = try #require(bench.store.dataset(named: "small").loadedByteCount)
        #expect(needed >= bytes && needed <= bytes + 60 * 4)
        for part in ["dataset 'small'", "\(needed) bytes", "6000 are allowed", "a half of compute.memory_bytes", "2 × \(needed)"]
        {
            #expect(refusal.detail.contains(part), "\(refusal.detail)")
        }
        #expect(try bench.engine(memoryBytes: 2 * needed).model("net", checkpoint: nil).dimension == 681)
    }

    @Test("so are parameters, what frozen layers make of the examples, residuals, hidden features and the gradients of tests")
    func others() throws {
        let wide = """
            {"layers": [{"type": "flatten"}, {"type": "linear", "in_features": 25, "out_features": 400}, {"type": "tanh"},
                        {"type": "linear", "in_features": 400, "out_features": 3}], "loss": {"type": "cross_entropy"}}
            """
        let frozen = wide.replacing("\"out_features\": 400}", with: "\"out_features\": 400, \"trainable\": false}")
        let classes = """
            {"layers": [{"type": "flatten"}, {"type": "linear", "in_features": 25, "out_features": 60}],
             "loss": {"type": "cross_entropy"}}
            """
        try add("wide", spec: wide)
        try add("frozen", spec: frozen)
        try add("classes", spec: classes)
        let cases: [(model: String, memoryBytes: Int, members: JSONObject, says: String)] = [
            ("wide", 150_000, [:], "the parameters of model 'wide' would take 46412 bytes"),
            ("frozen", 400_000, [:], "what the frozen layers make of the 300 training examples would take 480000 bytes"),
            ("classes", 400_000, [:], "the residuals of the 300 training examples would take 144000 bytes"),
            ("wide", 300_000, [:], "/tests: the gradients of 1 tests would take 92824 bytes"),
            (
                "wide", 1_600_000, ["candidates": ["nearest_neighbors": 3]],
                "/candidates/layer: what layer '2' makes of the 300 training examples would take 480000"
            ),
        ]
        for (model, memoryBytes, members, says) in cases {
            let refusal = try refusal(of: model, memoryBytes, members)
            #expect(refusal.status == .unprocessableContent && refusal.detail.contains(says), "\(refusal.detail)")
            #expect(refusal.detail.contains("\(memoryBytes / 4) are allowed, a quarter of"), "\(refusal.detail)")
        }
    }

    @Test("sizes that can't be counted are refused, not wrapped around")
    func overflow() {
        #expect(Int.floatBytes(1 << 40, 1 << 40) == nil && Int.floatBytes(.max) == nil)
        #expect(Int.floatBytes(3, 5) == 60 && Int.floatBytes() == 4)
        let refusal = #expect(throws: Problem.self) {
            try MemoryBudget(bytes: .max).require(Int.floatBytes(.max), of: .half, for: "it")
        }
        #expect(refusal?.detail.contains("it would take more bytes than can be counted") == true)
    }

    @Test("what makes room is not held by what was made of it: models go with their examples, curvatures with their models")
    func eviction() throws {
        for name in ["a", "b"] { try add(name) }
        let engine = bench.engine(memoryBytes: 100_000)
        weak var first: LoadedModel?
        do {
            let model = try engine.model("a", checkpoint: nil)
            first = model
            let space = InfluenceSpace(model, try engine.gradients(of: model, named: nil, interruption: .never))
            _ = try engine.curvature(.gaussNewton, of: model, in: space, interruption: .never)
        }
        #expect(first != nil && engine.curvatures.totalCost > 0)
        #expect(try engine.model("b", checkpoint: nil).training.record.name == "b")
        #expect(first == nil && engine.curvatures.totalCost == 0)
        #expect(engine.heldBytes <= 100_000)
    }

    @Test("representer points count the features that they hold, and go with their model")
    func representers() throws {
        for name in ["a", "b"] { try add(name) }
        let engine = bench.engine(memoryBytes: 100_000)
        do {
            let model = try engine.model("a", checkpoint: nil)
            let points = try engine.representer(of: model, decay: 0.1, interruption: .never).points
            #expect(engine.representers.totalCost == points.residuals.count * 4 + points.features.byteCount)
            #expect(points.features.byteCount >= 4 * 300)
        }
        _ = try engine.model("b", checkpoint: nil)
        #expect(engine.representers.totalCost == 0)
    }

    @Test("sets of examples that are in memory together are refused at the one that is too much")
    func groups() throws {
        try add("a")
        let members = JSON.numbers((0..<900).map { Double($0 % 300) })
        let groups = JSON.array((0..<10).map { ["name": .string("g\($0)"), "indices": members] })
        let scored = try refusal(of: "a", 100_000, ["groups": groups])
        #expect(scored.errors.map(\.pointer) == ["/groups/6"] && scored.detail.contains("25200 bytes"), "\(scored)")
        let request = try ParametersRequest(
            ["model": "a", "groups": groups, "solver": ["name": "identity"]], limits: Question.limits)
        let removed = try #require(throws: Problem.self) {
            try bench.engine(memoryBytes: 100_000).parameters(request, interruption: .never)
        }
        #expect(removed.errors.map(\.pointer) == ["/groups/6"], "\(removed)")
    }

    @Test("rows go with the cache they are of: the curvature of its space does not keep them")
    func projectedRows() throws {
        let names = (1...3).map { "projected-normal-64-seed\($0)-float32" }
        for name in names { try bench.build(name) }
        let engine = bench.engine(memoryBytes: 100_000)
        for name in names {
            let gradient = JSON.array((0..<64).map { .double(Double($0)) })
            let request = try CacheBench.request(
                [], ["tests": [["gradient": gradient]], "gradients": .string(name), "solver": ["name": "exact"]])
            _ = try engine.influence(request, interruption: .never)
        }
        // There is room for one: a cache takes 15,360 bytes, of 25,000.
        #expect(engine.cachedGradients.totalCost == 60 * 64 * 4 && engine.curvatures.totalCost == 60 * 4)
    }

    @Test("loading stops as soon as nobody wants it, and leaves nothing behind")
    func interruption() throws {
        let engine = bench.engine()
        for name in ["factored", "dense-float32"] { try bench.build(name) }
        let stop = Interruption { true }
        #expect(throws: Interrupted()) { try engine.model("net", checkpoint: nil, interruption: stop) }
        #expect(throws: Interrupted()) { try engine.dataset(bench.store.dataset(named: "small"), interruption: stop) }
        #expect(engine.heldBytes == 0)
        let model = try engine.model("net", checkpoint: nil)
        for name in ["factored", "dense-float32"] {
            #expect(throws: Interrupted()) { try engine.gradients(of: model, named: name, interruption: stop) }
        }
        #expect(engine.cachedGradients.totalCost == 0)
        let request = try PredictRequest(
            ["model": "net", "tests": [["dataset": "small", "index": 0]]], limits: Question.limits)
        #expect(throws: Interrupted()) { try engine.predict(request, interruption: stop) }
        #expect(try engine.predict(request, interruption: .never).tests.count == 1)
    }
}
