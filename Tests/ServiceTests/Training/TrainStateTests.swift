import Foundation
import LinearAlgebra
import Networks
import Store
import Synchronization
import TestSupport
import Testing

@testable import Service

@Suite("the state of a training")
struct TrainStateTests {
    private let bench: TrainingBench

    init() throws { bench = try TrainingBench() }

    /// Begins a training and interrupts it when a moment has come.
    private func interrupt(_ request: ModelTraining.Request, afterEpoch epoch: Int) throws {
        var training = try ModelTraining(request, in: bench.engine())
        let raised = Flag()
        let outcome = try training.run(interruption: Interruption { raised.isUp }) { event in
            if case .moment(let moment) = event, moment.epoch >= epoch { raised.raise() }
        }
        guard case .interrupted = outcome else { throw TrainingBench.Unexpected() }
    }

    private func refusal(_ request: ModelTraining.Request) throws -> ModelTrainingError? {
        do {
            _ = try ModelTraining(request, in: bench.engine())
            return nil
        } catch let error as ModelTrainingError {
            return error
        }
    }

    @Test("another process that trains the same model is refused, and not another model")
    func inUse() throws {
        let first = try ModelTraining(bench.request("a"), in: bench.engine())
        #expect(try refusal(bench.request("a")) == .inUse(path: bench.statePath("a")))
        #expect(try refusal(bench.request("b")) == nil)
        _ = first
    }

    @Test("what never began leaves no file behind")
    func nothingLeft() throws {
        _ = try ModelTraining(bench.request("a"), in: bench.engine())
        #expect(!bench.exists(bench.statePath("a")))
        _ = try bench.undisturbed()
        #expect(try refusal(bench.request("undisturbed")) != nil)
        #expect(!bench.exists(bench.statePath("undisturbed")))
    }

    @Test("a model that is there is refused, with its checkpoints")
    func modelExists() throws {
        _ = try bench.undisturbed()
        #expect(
            try refusal(bench.request("undisturbed"))
                == .modelExists(name: "undisturbed", dataset: "small", checkpoints: ["epoch-2", "epoch-4", "final"]))
    }

    @Test("every setting that is another is named")
    func differences() throws {
        try interrupt(bench.request("a"), afterEpoch: 1)
        func differing(_ change: (inout ModelTraining.Request) throws -> Void) throws -> [TrainingDifference] {
            var request = bench.request("a")
            try change(&request)
            guard case .otherRun(let path, let differences, let checkpoints) = try refusal(request) else { return [] }
            #expect(path == bench.statePath("a") && checkpoints.isEmpty)
            return differences
        }
        func one(_ setting: String, _ begun: String? = nil, _ asked: String? = nil) -> [TrainingDifference] {
            [TrainingDifference(setting: setting, begun: begun, asked: asked)]
        }
        #expect(try differing { $0.settings.seed = 3 } == one("seed", "2", "3"))
        #expect(try differing { $0.settings.epochs = 7 } == one("epochs", "6", "7"))
        #expect(try differing { $0.settings.batchSize = nil } == one("batch_size", "7", "all"))
        #expect(try differing { $0.settings.gradientNorm = 0.5 } == one("gradient_norm", "0.0", "0.5"))
        #expect(try differing { $0.settings.measuresEpochs = false } == one("measure_epochs", "true", "false"))
        #expect(try differing { $0.settings.checkpoints = .final } == one("checkpoints", "every 2 epochs", "the last"))
        let nesterov = Optimizer.sgd(SGD(learningRate: 0.2, momentum: 0.9, nesterov: true, schedule: .cosine(epochs: 6)))
        #expect(
            try differing { $0.settings.optimizer = nesterov }.map(\.setting) == ["learning_rate", "nesterov", "schedule"])
        #expect(try differing { $0.settings.optimizer = .adam(Adam(learningRate: 0.1)) } == one("optimizer", "sgd", "adam"))

        let other = try String(contentsOfFile: bench.folder.path("spec.json"), encoding: .utf8)
        try Data(other.replacing("tanh", with: "relu").utf8).write(to: bench.folder.url.appendingPathComponent("other.json"))
        #expect(try differing { $0.specFile = bench.folder.path("other.json") } == one("spec"))
        try Data(("\n" + other + " ").utf8).write(to: bench.folder.url.appendingPathComponent("same.json"))
        #expect(try differing { $0.specFile = bench.folder.path("same.json") }.isEmpty)

        let values = (0..<20).map { Float($0) / 20 }
        try ArrayFile.safetensors([
            ("first.weight", values, [5, 4]), ("first.bias", Array(values[..<5]), [5]),
            ("last.weight", Array(values[..<15]), [3, 5]), ("last.bias", Array(values[..<3]), [3]),
        ]).write(to: bench.folder.url.appendingPathComponent("start.safetensors"))
        #expect(try differing { $0.startFile = bench.folder.path("start.safetensors") } == one("from"))
    }

    @Test("a run is discarded where it has stored nothing, and where it has, all of it stays")
    func restarts() throws {
        var request = bench.request("a")
        try interrupt(request, afterEpoch: 1)
        request.settings.seed = 5
        request.restarts = true
        try interrupt(request, afterEpoch: 3)
        let kept = try bench.checkpoints("a")
        #expect(kept.count == 1)
        #expect(try refusal(request) == .keepsCheckpoints(path: bench.statePath("a"), checkpoints: ["epoch-2"]))
        request.restarts = false
        let resumed = try ModelTraining(request, in: bench.engine())
        #expect(resumed.isResumed && resumed.epoch >= 3)
        #expect(try bench.checkpoints("a") == kept)
    }

    @Test("a saved run with any byte changed, or cut anywhere, is refused, and can be discarded")
    func damage() throws {
        var request = bench.request("a")
        try interrupt(request, afterEpoch: 1)
        let (path, whole) = (bench.statePath("a"), try Data(contentsOf: URL(fileURLWithPath: bench.statePath("a"))))
        func isRefused(_ bytes: Data) throws -> Bool {
            try bytes.write(to: URL(fileURLWithPath: path))
            guard case .unusable(path, let reason, []) = try refusal(request) else { return false }
            return !reason.isEmpty
        }
        for place in stride(from: 0, to: whole.count, by: 7) {
            var bytes = whole
            bytes[place] ^= 0x10
            #expect(try isRefused(bytes), "byte \(place)")
        }
        for length in stride(from: 1, to: whole.count, by: 31) { #expect(try isRefused(whole.prefix(length)), "\(length)") }
        #expect(try isRefused(whole + [0]))
        try whole.write(to: URL(fileURLWithPath: path))
        #expect(try ModelTraining(request, in: bench.engine()).isResumed)
        try Data("no training".utf8).write(to: URL(fileURLWithPath: path))
        request.restarts = true
        #expect(try !ModelTraining(request, in: bench.engine()).isResumed)
    }

    @Test("a checkpoint of the model's name that is no part of the run is an error, and stays as it is")
    func foreignCheckpoint() throws {
        let request = bench.request("a")
        try interrupt(request, afterEpoch: 3)
        let engine = try bench.engine()
        let spec = try String(contentsOfFile: bench.folder.path("spec.json"), encoding: .utf8)
        try engine.importCheckpoint(
            parameters: [Float](repeating: 0.5, count: 43), model: "a", spec: spec, dataset: "small", checkpoint: "epoch-4",
            training: TrainingState(step: 1, epoch: 1))
        let before = try bench.checkpoints("a")
        var training = try ModelTraining(request, in: engine)
        #expect(throws: StoreError.self) { _ = try training.run() }
        #expect(try bench.checkpoints("a") == before)
    }

    @Test("a run that diverged is over: nothing of it remains to go on with")
    func divergence() throws {
        var request = bench.request("a")
        request.settings.optimizer = .sgd(SGD(learningRate: 1e30))
        request.settings.checkpoints = .final
        var training: ModelTraining? = try ModelTraining(request, in: bench.engine())
        #expect(throws: TrainingError.self) { _ = try training?.run() }
        training = nil
        #expect(!bench.exists(bench.statePath("a")))
        var calm = try ModelTraining(bench.request("a"), in: bench.engine())
        guard case .finished = try calm.run() else { throw TrainingBench.Unexpected() }
    }
}

/// Something that is so from a moment on.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isUp: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}
