internal import Formats
internal import Foundation
internal import LinearAlgebra
internal import Networks
public import Service
internal import Store

/// The demo: the digits as two datasets, and a softmax regression trained on one of them, with the checkpoints of its run.
public enum DemoStore {
    static let spec = """
        {"input_shape": [8, 8],
         "layers": [{"type": "flatten"}, {"type": "linear", "name": "linear", "in_features": 64, "out_features": 10}],
         "loss": {"type": "cross_entropy"}, "weight_decay": 0.01}
        """
    private static let learningRate = 0.5
    private static let weightDecay = 0.01
    /// Epochs whose parameters are kept: often while the loss falls fast, seldom later (TracIn, appendix D).
    private static let keptEpochs = [5, 10, 20, 50, 100]
    private static let mostEpochs = 5_000
    /// ‖∇F‖ at which the run ends: influence functions assume a minimum.
    private static let gradientNorm = 1e-6

    /// Adds what is missing of the demo to a store: whoever was interrupted goes on where they stopped.
    /// - Parameter report: told what is being done, a line each.
    public static func build(in engine: Engine, report: (String) -> Void) throws {
        let store = engine.store
        let present = Set(try store.datasets().map(\.name))
        for (name, rows) in [("digits-train", Digits.trainingRows), ("digits-test", Digits.testRows)]
        where !present.contains(name) {
            report("importing \(name): \(rows.count) images")
            let data = try DatasetImport(
                inputs: .init(path: Digits.path("images.npy")), targets: .init(path: Digits.path("labels.npy")), rows: rows,
                divisor: Digits.divisor)
            try store.importDataset(
                named: name, inputs: data.inputs, divisor: Digits.divisor, targets: data.targets,
                annotations: rows.map { ExampleAnnotation(index: $0 - rows.lowerBound, id: "uci-digits-\($0)") })
        }
        try train(in: engine, report: report)
        for checkpoint in try engine.checkpointNames(ofModel: "digits") {
            try engine.buildCache(model: "digits", checkpoint: checkpoint)
        }
        report("cached the training gradients of every checkpoint")
    }

    private static func train(in engine: Engine, report: (String) -> Void) throws {
        let store = engine.store
        let kept: Set<String> =
            try store.models().contains { $0.name == "digits" } ? Set(engine.checkpointNames(ofModel: "digits")) : []
        guard !kept.contains("final") else { return }
        let (model, features, targets) = try engine.trainingSet(spec: spec, dataset: "digits-train")
        report("training a softmax regression")
        func keep(_ state: GradientDescent.State, as name: String) throws {
            guard !kept.contains(name) else { return }
            try engine.importCheckpoint(
                parameters: state.parameters, model: "digits", spec: spec, dataset: "digits-train", checkpoint: name,
                training: TrainingState(
                    step: state.epoch, epoch: state.epoch, learningRate: learningRate, trainLoss: state.trainLoss))
            report(
                "kept checkpoint \(name): train loss \(String(format: "%.4f", state.trainLoss)), "
                    + "gradient norm \(String(format: "%.1e", state.gradientNorm))")
        }
        let last = try GradientDescent(learningRate: learningRate, weightDecay: weightDecay).run(
            model, on: features, targets: targets, epochs: mostEpochs, gradientNorm: gradientNorm, parallel: engine.parallel
        ) { state in
            if keptEpochs.contains(state.epoch) { try keep(state, as: "epoch-\(state.epoch)") }
        }
        try keep(last, as: "final")
    }
}
