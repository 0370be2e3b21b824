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
    /// Epochs whose parameters are kept: often while the loss falls fast, seldom later (TracIn, appendix D).
    private static let keptEpochs: Set = [5, 10, 20, 50, 100]
    private static let mostEpochs = 5_000
    /// The projected gradients that are cached beside exact ones.
    private static let projection = "projected-normal-128-seed0-float32"
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
                annotations: try annotations(of: data.inputs, rows))
        }
        try train(in: engine, report: report)
        for checkpoint in try engine.checkpointNames(ofModel: "digits") {
            try engine.buildCache(model: "digits", checkpoint: checkpoint)
            if let kind = GradientCacheKind(name: projection) {
                try engine.buildCache(model: "digits", checkpoint: checkpoint, kind: kind)
            }
        }
        report("cached the training gradients of every checkpoint, exact and projected")
    }

    /// Each image's name, and how much ink is on it: the mean of its pixels, 0 to 1.
    private static func annotations(of images: Tensor, _ rows: Range<Int>) throws -> [ExampleAnnotation] {
        let pixels = try images.floats()
        let width = pixels.count / rows.count
        return rows.enumerated().map { place, row in
            let sum = pixels[place * width..<(place + 1) * width].reduce(0) { $0 + Double($1) }
            let ink = String(format: "%.3f", sum / Double(width) / Digits.divisor)
            return ExampleAnnotation(index: place, id: "uci-digits-\(row)", metadata: #"{"ink": \#(ink)}"#)
        }
    }

    private static func train(in engine: Engine, report: (String) -> Void) throws {
        let store = engine.store
        let kept: Set<String> =
            try store.models().contains { $0.name == "digits" } ? Set(engine.checkpointNames(ofModel: "digits")) : []
        guard !kept.contains("final") else { return }
        let (network, examples) = try engine.trainingSet(spec: spec, dataset: "digits-train")
        report("training a softmax regression")
        func keep(_ checkpoint: TrainingCheckpoint, _ gradientNorm: Double?) throws {
            let name = checkpoint.isFinal ? "final" : "epoch-\(checkpoint.epoch)"
            guard !kept.contains(name) else { return }
            try engine.importCheckpoint(
                parameters: checkpoint.parameters, model: "digits", spec: spec, dataset: "digits-train", checkpoint: name,
                training: TrainingState(
                    step: checkpoint.step, epoch: checkpoint.epoch, learningRate: checkpoint.learningRate,
                    trainLoss: checkpoint.trainLoss))
            report(
                "kept checkpoint \(name): train loss \(String(format: "%.4f", checkpoint.trainLoss))"
                    + (gradientNorm.map { ", gradient norm \(String(format: "%.1e", $0))" } ?? ""))
        }
        // Every step sees every example: a step is an epoch, and all checkpoints have one learning rate. F is convex, so that the run
        // ends at its minimum.
        let settings = TrainingSettings(
            optimizer: .sgd(SGD(learningRate: learningRate, momentum: 0.9, nesterov: true)), epochs: mostEpochs,
            gradientNorm: gradientNorm, checkpoints: .epochs(keptEpochs))
        let objective = NetworkObjective(network, on: examples)
        var run = try TrainingRun(settings, of: objective, from: [Float](repeating: 0, count: network.parameterCount))
        try run.resume(on: objective, parallel: engine.parallel) { moment in
            for checkpoint in moment.checkpoints { try keep(checkpoint, moment.gradientNorm) }
        }
    }
}
