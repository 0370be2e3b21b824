import LinearAlgebra
import Networks
import TestSupport
import Testing

/// The numbers are PyTorch's (2.15, double precision): `torch.optim.SGD` and `torch.optim.Adam` with `weight_decay=0.125`, three
/// steps on `(0.5 * (X @ theta - y) ** 2).mean()` from θ = (0.5, −0.25, 1).
@Suite("steps of SGD and Adam")
struct GradientStepsTests {
    private let start: [Float] = [0.5, -0.25, 1]
    private let objective = LinearObjective(
        loss: .squares, inputs: [[1, 0.5, -0.25], [0, 1.5, 0.75], [-1.25, 0.25, 1], [0.5, -1, 2], [2, 0, -0.5]],
        targets: [1, -0.5, 0.25, 2, -1.5], weightDecay: 0.125)

    private func expectSteps(_ optimizer: Optimizer, _ expected: [[Double]]) throws {
        let moments = try Training.run(TrainingSettings(optimizer: optimizer, epochs: 3), on: objective, from: start).moments
        #expect(moments.map(\.step) == [0, 1, 2, 3])
        for (moment, expected) in zip(moments.dropFirst(), expected) {
            #expect(Closeness.largestError(moment.parameters, expected) < 2e-7)
        }
    }

    @Test("SGD without momentum")
    func plain() throws {
        try expectSteps(
            .sgd(SGD(learningRate: 0.25)),
            [
                [0.31953125, -0.26171875, 0.921875],
                [0.20013183593749997, -0.2767333984375, 0.855166015625],
                [0.11989630126953126, -0.2929715576171875, 0.8006194458007813],
            ])
    }

    @Test("SGD with momentum")
    func momentum() throws {
        try expectSteps(
            .sgd(SGD(learningRate: 0.25, momentum: 0.75)),
            [
                [0.31953125, -0.26171875, 0.921875],
                [0.06478027343749998, -0.2855224609375, 0.796572265625],
                [-0.16071649169921876, -0.3220853271484375, 0.6566106567382812],
            ])
    }

    @Test("SGD with Nesterov's momentum")
    func nesterov() throws {
        try expectSteps(
            .sgd(SGD(learningRate: 0.25, momentum: 0.75, nesterov: true)),
            [
                [0.18417968749999997, -0.2705078125, 0.86328125],
                [-0.04612945556640624, -0.30770111083984375, 0.7175787353515624],
                [-0.16271831226348876, -0.35531404304504394, 0.6003542966842651],
            ])
    }

    @Test("Adam, with its settings as PyTorch has them and others")
    func adam() throws {
        try expectSteps(
            .adam(Adam(learningRate: 0.125, beta1: 0.75, beta2: 0.9375, epsilon: 0.0625)),
            [
                [0.3849601593625498, -0.30357142857142855, 0.8958333333333334],
                [0.2727851505201282, -0.34655836362431763, 0.7978923058126515],
                [0.16554415995507107, -0.3788225906447872, 0.7104049962862606],
            ])
        try expectSteps(
            .adam(Adam()),
            [
                [0.4990000000138528, -0.2509999997866667, 0.999000000032],
                [0.4980000409852784, -0.2519996271832177, 0.9980000719865042],
                [0.4970001502033591, -0.2529986279800104, 0.9970002638971478],
            ])
    }

    @Test("schedules are PyTorch's StepLR and CosineAnnealingLR, but the cosine does not rise again")
    func schedules() {
        let step = LearningRateSchedule.step(epochs: 3, factor: 0.1)
        let steps = [0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005]
        #expect(Closeness.largestError((0..<8).map { step.rate(0.5, inEpoch: $0) }, steps) < 1e-15)
        let cosine = LearningRateSchedule.cosine(epochs: 6, floor: 0.05)
        let cosines = [0.5, 0.4698557158514987, 0.3875, 0.275, 0.1625000000000001, 0.0801442841485013, 0.05, 0.05, 0.05]
        #expect(Closeness.largestError((0..<9).map { cosine.rate(0.5, inEpoch: $0) }, cosines) < 1e-15)
    }

    @Test("a moment carries the rate of the epoch that led to it, and steps use that")
    func rates() throws {
        let settings = TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 0.5, schedule: .step(epochs: 2, factor: 0.5))), epochs: 5)
        let moments = try Training.run(settings, on: FormulaObjective.quadratic(eigenvalues: [1], minimum: [0]), from: [1])
            .moments
        #expect(moments.map(\.learningRate) == [0.5, 0.5, 0.5, 0.25, 0.25, 0.125])
        // θ ← (1 − η)θ.
        #expect(moments.map { $0.parameters[0] } == [1, 0.5, 0.25, 0.1875, 0.140625, 0.123046875])
        let lbfgs = try Training.run(
            TrainingSettings(optimizer: .lbfgs(), epochs: 1), on: FormulaObjective.rosenbrock(), from: [-1.2, 1])
        #expect(lbfgs.moments.allSatisfy { $0.learningRate == nil })
    }
}
