import Formats
import Foundation
import Testing

@testable import Store

@Suite("Importing gradients in one piece")
struct GradientImportTests {
    private let fixture: Fixture
    private let store: Store
    private let rows = floats([30, 3])

    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
    }

    private func gradients(
        of examples: ForeignGradients.Examples = .new(dataset: "made", targets: nil, annotations: []), model: String = "m",
        checkpoint: String = "only", _ tensor: Tensor? = nil, layout: CacheLayout? = nil
    ) -> ForeignGradients {
        let tensor = tensor ?? rows
        return ForeignGradients(
            of: examples, model: model, spec: #"{"gradients": {"width": 3}}"#, checkpoint: checkpoint,
            training: TrainingState(step: 4), kind: "dense-float32",
            layout: layout ?? CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 12),
            key: { ContentDigest(ofParts: [$0.sha256.description, $1.sha256.description]) },
            rows: { try tensor.rows($0).bytes })
    }

    @Test("dataset, model, checkpoint and complete cache are there afterwards, and the rows are the file's")
    func whole() throws {
        let annotations = [ExampleAnnotation(index: 2, id: "two", metadata: "{}")]
        var told: [Int] = []
        let checkpoint = try store.importGradients(
            gradients(of: .new(dataset: "made", targets: labels(30), annotations: annotations))
        ) { done, total in
            told.append(done)
            #expect(total == 30)
        }
        let dataset = try store.dataset(named: "made")
        #expect(!dataset.hasInputs && dataset.hasTargets && dataset.rowCount == 30)
        #expect(try store.annotations(of: dataset, at: [2]) == annotations)
        #expect(!checkpoint.hasTensors && checkpoint.training.step == 4 && checkpoint.model == "m")
        #expect(try store.model(named: "m").dataset == "made")
        // 64 bytes make a block of five rows.
        #expect(told == [5, 10, 15, 20, 25, 30])
        let key = ContentDigest(ofParts: [checkpoint.sha256.description, dataset.sha256.description])
        let cache = try #require(try store.cache(of: checkpoint, kind: "dense-float32", key: key))
        #expect(cache.state == .complete)
        #expect(try store.rows(cache, 0..<30) == rows.bytes)
        #expect(try store.check().isEmpty)
    }

    @Test("the checkpoint's identity is that of the rows: equal for equal ones, another for others")
    func identity() throws {
        let first = try store.importGradients(gradients())
        let again = try store.importGradients(gradients(of: .existing(dataset: "made"), checkpoint: "again"))
        let other = try store.importGradients(
            gradients(of: .existing(dataset: "made"), checkpoint: "other", floats([30, 3], changing: [89: 7])))
        #expect(first.sha256 == again.sha256 && first.sha256 != other.sha256)
        #expect([first, again, other].map(\.sequence) == [0, 1, 2])
        // In blocks of another size they are the same.
        let large = try Fixture()
        #expect(try large.open(blockByteCount: 4_096).importGradients(gradients()).sha256 == first.sha256)
    }

    @Test("whatever fails leaves the store as it was: no dataset, no model, no checkpoint, no rows")
    func nothing() throws {
        try store.importDataset(named: "taken", count: 30)
        try store.importDataset(named: "short", count: 29)
        let digest = try store.datasets()
        let refused: [(String, () throws -> CheckpointRecord)] = [
            ("gradients, row 29, column 2", { try store.importGradients(gradients(floats([30, 3], changing: [89: .nan]))) }),
            ("gradients, row 0, column 1", { try store.importGradients(gradients(floats([30, 3], changing: [1: .infinity]))) }),
            ("gradients: there are 30, but", { try store.importGradients(gradients(of: .existing(dataset: "short"))) }),
            ("no dataset 'none'", { try store.importGradients(gradients(of: .existing(dataset: "none"))) }),
            (
                "the store already holds a dataset 'taken'",
                { try store.importGradients(gradients(of: .new(dataset: "taken", targets: nil, annotations: []))) }
            ),
            ("model name 'a b'", { try store.importGradients(gradients(model: "a b")) }),
            ("checkpoint name 'a/b'", { try store.importGradients(gradients(checkpoint: "a/b")) }),
            (
                "cache 'dense-float32'",
                {
                    try store.importGradients(
                        gradients(layout: CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 0)))
                }
            ),
            (
                "gradients: 24 bytes are not 2 rows of 24 bytes",
                {
                    try store.importGradients(
                        gradients(floats([50, 3]), layout: CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 24)))
                }
            ),
        ]
        for (beginning, call) in refused {
            let error = #expect(throws: StoreError.self) { try call() }
            #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "nothing")")
        }
        // A closure that throws in the middle, and a source that does.
        #expect(throws: Interruption.self) {
            try store.importGradients(gradients()) { done, _ in if done > 10 { throw Interruption() } }
        }
        var failing = gradients()
        failing.rows = { rows in
            guard rows.lowerBound < 15 else { throw Interruption() }
            return try self.rows.rows(rows).bytes
        }
        #expect(throws: Interruption.self) { try store.importGradients(failing) }
        #expect(try store.datasets() == digest && store.models().isEmpty)
        #expect(try store.check().isEmpty)
        try store.importGradients(gradients())
        let taken = #expect(throws: StoreError.self) {
            try store.importGradients(gradients(of: .existing(dataset: "made")))
        }
        #expect(taken?.description == "model 'm' already holds a checkpoint 'only'; choose another name")
    }

    @Test("a store that is open for reading takes none")
    func readOnly() throws {
        let reading = try fixture.open(.readOnly)
        #expect(throws: StoreError.readOnly(path: reading.path)) { try reading.importGradients(gradients()) }
    }
}
