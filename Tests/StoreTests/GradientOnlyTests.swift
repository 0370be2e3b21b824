import Formats
import Foundation
import Testing

@testable import Store

@Suite("Gradients that were computed elsewhere")
struct GradientOnlyTests {
    private let fixture: Fixture
    private let store: Store
    private let identity = ContentDigest(ofParts: ["gradients"])

    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
    }

    private func addCheckpoint(_ name: String = "only", identity: ContentDigest? = nil) throws -> CheckpointRecord {
        try store.importCheckpoint(
            named: name, ofModel: "foreign", spec: #"{"gradients": true}"#, trainedOn: "elsewhere",
            identity: identity ?? self.identity, training: TrainingState(step: 7, learningRate: 0.5))
    }

    @Test("a dataset without inputs has examples, annotations, and targets and weights where they are given")
    func datasets() throws {
        let bare = try store.importDataset(named: "bare", count: 30)
        let full = try store.importDataset(
            named: "full", count: 30, targets: labels(30), weights: weights(30),
            annotations: [ExampleAnnotation(index: 29, id: "last")])
        for dataset in [bare, full] {
            #expect(dataset.rowCount == 30)
            #expect(dataset.exampleShape == [0])
            #expect(dataset.rowByteCount == 0)
            #expect(!dataset.hasInputs)
            #expect(try store.inputs(dataset, 0..<30).isEmpty)
            #expect(try store.inputs(dataset, 29..<30).isEmpty)
            #expect(throws: StoreError.self) { try store.inputs(dataset, 29..<31) }
        }
        #expect([bare.hasTargets, full.hasTargets] == [false, true])
        #expect(bare.byteCount == 0)
        #expect(full.byteCount == 240)
        #expect(bare.targetShape == [0])
        #expect(try store.targets(bare, 0..<30).isEmpty)
        #expect(try store.targets(full, 0..<30) == labels(30).bytes)
        #expect(try store.weights(full, 0..<30) == weights(30).bytes)
        #expect(try store.annotations(of: full, at: [29])[0].id == "last")
        #expect(bare.sha256 != full.sha256)
        #expect(try store.importDataset(named: "with", inputs: bytes([3, 2]), targets: labels(3)).hasInputs)
        #expect(try store.check().isEmpty)
        var called = false
        var buffer = [UInt8](repeating: 1, count: 1)
        #expect(throws: StoreError.self) {
            try buffer.withUnsafeMutableBytes { try store.readInputs(of: bare, rows: 0..<1, into: $0) }
        }
        try store.importDataset(named: "told", count: 4) { done, total in
            called = true
            #expect(done == 4)
            #expect(total == 4)
        }
        #expect(called)
    }

    @Test("numbers of examples that do not agree, or none at all, are refused")
    func badDatasets() throws {
        let hollow = try #require(Tensor(elementType: .float32, shape: [5, 0], bytes: Data()))
        let refused: [(String, () throws -> DatasetRecord)] = [
            ("examples: their number is 0", { try store.importDataset(named: "d", count: 0) }),
            ("examples: their number is -3", { try store.importDataset(named: "d", count: -3) }),
            ("examples: their number is \(Int.max)", { try store.importDataset(named: "d", count: .max) }),
            (
                "targets: there are 4 targets for 5 examples",
                { try store.importDataset(named: "d", count: 5, targets: labels(4)) }
            ),
            ("targets: they are uint8", { try store.importDataset(named: "d", count: 5, targets: bytes([5])) }),
            (
                "targets, row 2, column 0",
                { try store.importDataset(named: "d", count: 5, targets: floats([5], changing: [2: .nan])) }
            ),
            (
                "targets: shape [5, 0] holds no examples",
                {
                    try store.importDataset(
                        named: "d", count: 5, targets: hollow)
                }
            ),
            (
                "weights: shape [6] is not one number for each of 5 examples",
                {
                    try store.importDataset(named: "d", count: 5, weights: weights(6))
                }
            ),
            (
                "annotation of example 5",
                { try store.importDataset(named: "d", count: 5, annotations: [ExampleAnnotation(index: 5)]) }
            ),
            ("dataset name 'a b'", { try store.importDataset(named: "a b", count: 5) }),
        ]
        for (beginning, call) in refused {
            let error = #expect(throws: StoreError.self) { try call() }
            #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "nothing")")
        }
        #expect(try store.datasets().isEmpty)
    }

    @Test("a checkpoint without tensors has the identity that it was given, and caches like any other")
    func checkpoints() throws {
        try store.importDataset(named: "elsewhere", count: 30)
        let checkpoint = try addCheckpoint()
        #expect(!checkpoint.hasTensors)
        #expect(checkpoint.sha256 == identity)
        #expect(checkpoint.training == TrainingState(step: 7, learningRate: 0.5))
        #expect(try store.tensorRecords(of: checkpoint).isEmpty)
        #expect(try store.tensors(of: checkpoint).isEmpty)
        #expect(try store.checkpoint(of: store.model(named: "foreign")) == checkpoint)
        let cache = try store.addCache(to: checkpoint)
        #expect(try store.rows(cache, 0..<30) == Fixture.gradients.bytes)
        let other = try addCheckpoint("second", identity: ContentDigest(ofParts: ["more"]))
        #expect(other.sequence == 1)
        #expect(try store.checkpoints(of: store.model(named: "foreign")) == [checkpoint, other])
        #expect(try store.check().isEmpty)
    }

    @Test("a checkpoint without tensors is refused as any other is")
    func badCheckpoints() throws {
        #expect(throws: StoreError.notFound(kind: .dataset, name: "elsewhere", within: nil, nearby: [])) { try addCheckpoint() }
        try store.importDataset(named: "elsewhere", count: 30)
        _ = try addCheckpoint()
        let taken = #expect(throws: StoreError.self) { try addCheckpoint() }
        #expect(taken?.description == "model 'foreign' already holds a checkpoint 'only'; choose another name")
        #expect(throws: StoreError.self) { try addCheckpoint("a/b") }
        let empty = #expect(throws: StoreError.self) {
            try store.importCheckpoint(named: "c", ofModel: "foreign", spec: "{}", trainedOn: "elsewhere", tensors: [])
        }
        #expect(empty?.description == "parameters: there are none; give at least one tensor")
    }

    @Test("a checkpoint that has lost its tensors is not taken for one without, nor the other way round")
    func check() throws {
        let other = try Fixture()
        let whole: CheckpointRecord
        do {
            let store = try other.open()
            whole = try store.addModel()
            try store.importDataset(named: "elsewhere", count: 30)
            try store.importCheckpoint(
                named: "only", ofModel: "foreign", spec: "{}", trainedOn: "elsewhere", identity: identity)
        }
        let original = try other.content()
        let cases = [
            ("DELETE FROM tensor", "checkpoint, \(whole.what): its tensors do not match its SHA-256"),
            ("UPDATE checkpoint SET has_tensors = 0 WHERE id = \(whole.id)", "checkpoint, \(whole.what): it has tensors, but"),
            (
                "UPDATE checkpoint SET has_tensors = 1",
                "checkpoint, checkpoint 'only' of model 'foreign': its tensors do not match"
            ),
            (
                "UPDATE input_block SET owner = 2 WHERE first_row = 0",
                "input_block, inputs of dataset 'elsewhere': there are 1 blocks"
            ),
            ("UPDATE dataset SET row_bytes = 0 WHERE id = 1", "dataset, dataset 'digits': its shapes and its counts"),
            ("UPDATE dataset SET target_shape = '[3,0]' WHERE id = 2", "dataset, dataset 'elsewhere': its shapes and its counts"),
            ("UPDATE dataset SET row_count = \(Int.max) WHERE id = 2", "dataset, dataset 'elsewhere': its shapes and its counts"),
        ]
        for (sql, finding) in cases {
            try Fixture.with(original) { copy in
                try copy.tamper(sql)
                let found = try copy.open(.readOnly).check().map(\.description)
                #expect(found.contains { $0.hasPrefix(finding) }, "\(sql): \(found)")
            }
        }
    }
}
