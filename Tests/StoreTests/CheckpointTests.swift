import Formats
import Foundation
import Testing

@testable import Store

@Suite("Models and checkpoints")
struct CheckpointTests {
    private let fixture: Fixture
    private let store: Store

    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        try store.importDataset(named: "digits", inputs: Fixture.inputs, targets: labels(30))
        try store.importDataset(named: "other", inputs: Fixture.inputs, targets: labels(30))
    }

    @discardableResult
    private func add(
        _ name: String, to model: String = "net", spec: String = spec, trainedOn dataset: String = "digits",
        tensors: [(name: String, tensor: Tensor)] = [(name: "w", tensor: floats([3]))], training: TrainingState = TrainingState()
    ) throws -> CheckpointRecord {
        try store.importCheckpoint(
            named: name, ofModel: model, spec: spec, trainedOn: dataset, tensors: tensors, training: training)
    }

    @Test("tensors of all shapes, types and sizes come back in order as they went in")
    func roundTrip() throws {
        let empty = try #require(Tensor(elementType: .float32, shape: [0, 4], bytes: Data()))
        let scalar = try #require(Tensor(elementType: .int64, shape: [], bytes: Data([1, 2, 3, 4, 5, 6, 7, 8])))
        let tensors = [
            (name: "z.weight", tensor: floats([10, 7])), (name: "a.bias", tensor: floats([10])), (name: "empty", tensor: empty),
            (name: "steps", tensor: scalar),
        ]
        let training = TrainingState(step: 100, epoch: 3, learningRate: 0.1, trainLoss: 1.25)
        let checkpoint = try add("final", tensors: tensors, training: training)
        #expect(checkpoint.model == "net")
        #expect(checkpoint.training == training)
        for verifying in [true, false] {
            let found = try store.tensors(of: checkpoint, verifying: verifying)
            #expect(found.map(\.name) == tensors.map(\.name))
            #expect(found.map(\.tensor.bytes) == tensors.map(\.tensor.bytes))
            #expect(found.map(\.tensor.shape) == tensors.map(\.tensor.shape))
            #expect(found.map(\.tensor.elementType) == tensors.map(\.tensor.elementType))
        }
        let records = try store.tensorRecords(of: checkpoint)
        #expect(records.map(\.count) == [70, 10, 0, 1])
        #expect(records.map(\.byteCount) == [280, 40, 0, 8])
        #expect(try store.check().isEmpty)
    }

    @Test("the model comes with its first checkpoint, with the spec as it was given")
    func model() throws {
        try add("a")
        let model = try store.model(named: "net")
        #expect(model.spec == spec)
        #expect(model.dataset == "digits")
        #expect(try store.models() == [model])
    }

    @Test("checkpoints are listed in the order in which they were added, and the last is the latest")
    func order() throws {
        let added = try ["z", "a", "m"].map { try add($0) }
        let model = try store.model(named: "net")
        #expect(try store.checkpoints(of: model) == added)
        #expect(added.map(\.sequence) == [0, 1, 2])
        #expect(try store.checkpoint(of: model).name == "m")
        #expect(try store.checkpoint(named: "a", of: model) == added[1])
        let error = #expect(throws: StoreError.self) { try store.checkpoint(named: "b", of: model) }
        #expect(error?.description == "no checkpoint 'b' in model 'net'; there is 'z', 'a', 'm'")
        #expect(throws: StoreError.notFound(kind: .model, name: "nets", within: nil, nearby: ["net"])) {
            try store.model(named: "nets")
        }
    }

    @Test("models may have checkpoints of the same name, each its own")
    func namesakes() throws {
        try add("final")
        try add("final", to: "net2", tensors: [(name: "w", tensor: floats([5]))])
        let models = try store.models()
        #expect(models.map(\.name) == ["net", "net2"])
        let counts = try models.map { try store.tensors(of: store.checkpoint(named: "final", of: $0))[0].tensor.count }
        #expect(counts == [3, 5])
    }

    @Test("a taken checkpoint name is refused")
    func taken() throws {
        try add("final")
        let error = #expect(throws: StoreError.self) { try add("final") }
        #expect(error?.description == "model 'net' already holds a checkpoint 'final'; choose another name")
    }

    @Test("a further checkpoint may lay out the same spec otherwise, but not bring another spec or dataset")
    func sameModel() throws {
        try add("a")
        try add("b", spec: spec.replacingOccurrences(of: " ", with: "\n  "))
        let otherSpec = #expect(throws: StoreError.self) { try add("c", spec: #"{"layers": []}"#) }
        #expect(otherSpec?.description.contains("its spec is another one") == true)
        let otherData = #expect(throws: StoreError.self) { try add("c", trainedOn: "other") }
        #expect(otherData?.description.contains("it was trained on dataset 'digits', not 'other'") == true)
        #expect(try store.checkpoints(of: store.model(named: "net")).map(\.name) == ["a", "b"])
        #expect(try store.model(named: "net").spec == spec)
    }

    @Test("bad input is refused, and leaves neither checkpoint nor model")
    func refusals() throws {
        let good = floats([3])
        let refused: [(String, () throws -> CheckpointRecord)] = [
            ("no dataset 'digit'; there is 'digits'", { try add("a", trainedOn: "digit") }),
            ("spec of model 'net': it is not valid JSON", { try add("a", spec: "{") }),
            ("checkpoint name 'a/b'", { try add("a/b") }),
            ("model name ''", { try add("a", to: "") }),
            ("parameters: there are none", { try add("a", tensors: []) }),
            ("tensor 'w': it is given twice", { try add("a", tensors: [(name: "w", tensor: good), (name: "w", tensor: good)]) }),
            ("tensor name ''", { try add("a", tensors: [(name: "", tensor: good)]) }),
            ("tensor name 'a\u{0}'", { try add("a", tensors: [(name: "a\u{0}", tensor: good)]) }),
            ("tensor 'w', element 2: ", { try add("a", tensors: [(name: "w", tensor: floats([3], changing: [2: .nan]))]) }),
            ("learning rate: ", { try add("a", training: TrainingState(learningRate: .infinity)) }),
            ("learning rate: it is below 0", { try add("a", training: TrainingState(learningRate: -0.1)) }),
            ("step: it is below 0", { try add("a", training: TrainingState(step: -1)) }),
            ("epoch: it is below 0", { try add("a", training: TrainingState(epoch: .min)) }),
            ("training loss: ", { try add("a", training: TrainingState(trainLoss: .nan)) }),
        ]
        for (beginning, call) in refused {
            let error = #expect(throws: StoreError.self) { try call() }
            #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "nothing")")
        }
        #expect(try store.models().isEmpty)
        #expect(try store.check().isEmpty)
    }

    @Test("the digest tells names, order, shapes and values apart, and nothing else")
    func digest() throws {
        let one = (name: "a", tensor: floats([6]))
        let two = (name: "b", tensor: floats([2]))
        let reference = try add("1", tensors: [one, two])
        #expect(try add("2", tensors: [one, two], training: TrainingState(step: 5)).sha256 == reference.sha256)
        let others = [
            try add("3", tensors: [two, one]),
            try add("4", tensors: [(name: "a", tensor: floats([2, 3])), two]),
            try add("5", tensors: [(name: "c", tensor: floats([6])), two]),
            try add("6", tensors: [(name: "a", tensor: floats([6], changing: [0: 9])), two]),
        ]
        #expect(Set([reference.sha256] + others.map(\.sha256)).count == 5)
    }

    @Test("progress is told in bytes, and ends with all of them")
    func progress() throws {
        var seen: [[Int]] = []
        try store.importCheckpoint(
            named: "a", ofModel: "net", spec: spec, trainedOn: "digits",
            tensors: [(name: "w", tensor: floats([20])), (name: "b", tensor: floats([2]))]
        ) { seen.append([$0, $1]) }
        #expect(seen == [[64, 88], [80, 88], [88, 88]])
    }
}
