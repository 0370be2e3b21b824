import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Gradients of a random softmax regression, factored and written out.
struct ScoringProblem: Sendable, CustomTestStringConvertible {
    let model: SoftmaxRegression
    let features: FeatureRows
    let gradients: FactoredGradients
    let probabilities: [Float]
    let targets: [Int32]

    var testDescription: String {
        "n = \(features.count), D = \(model.inputWidth), C = \(model.classCount), bias \(model.hasBias)"
    }

    init(count: Int, width: Int, classes: Int, bias: Bool, bytes: Bool, seed: UInt64 = 1) {
        var numbers = SeededNumbers(seed)
        model = SoftmaxRegression(inputWidth: width, classCount: classes, hasBias: bias)
        if bytes {
            let memory = AlignedMemory<UInt8>(uninitialized: count * width)
            _ = memory.elements.initialize(from: numbers.bytes(count * width))
            features = FeatureRows(.uint8(memory), count: count, width: width, multiplier: 1 / 255)
        } else {
            features = FeatureRows(numbers.floats(count * width), width: width)
        }
        // Any positive numbers that sum to one do for probabilities.
        let weights = (0..<count).map { _ in (0..<classes).map { _ in numbers.uniform() + 0.01 } }
        probabilities = weights.flatMap { row in row.map { Float($0 / row.reduce(0, +)) } }
        targets = numbers.integers(count, below: classes).map { Int32($0) }
        var residuals = probabilities
        for (row, target) in targets.enumerated() { residuals[row * classes + Int(target)] -= 1 }
        gradients = FactoredGradients(model: model, features: features, residuals: residuals)
    }

    static let all: [ScoringProblem] = [1, 31, 32, 33, 100].flatMap { count in
        [(3, true, true), (2, false, true), (10, true, false), (3, false, false)].map { classes, bias, bytes in
            ScoringProblem(count: count, width: 7, classes: classes, bias: bias, bytes: bytes)
        }
    }

    /// ∇ℓ of one example, written out: r ⊗ x, and r where there are biases.
    func gradient(_ example: Int) -> [Float] {
        let residual = gradients.residuals[example * model.classCount..<(example + 1) * model.classCount]
        let input = features.values(of: example)
        return residual.flatMap { r in input.map { r * $0 } } + (model.hasBias ? Array(residual) : [])
    }

    /// direction · gᵢ of gradients written out, in double precision.
    func reference(_ direction: some Collection<Float>, _ examples: some Collection<Int>) -> [Double] {
        examples.map { example in zip(direction, gradient(example)).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
    }

    /// What a solver with repeats makes of random right-hand sides; the larger its batches, the closer its repeats.
    func lissaSolution(tests: Int, repeats: Int, batch: Int = 4) throws -> Solution {
        let curvature = SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: probabilities)
        let parallel = Parallel(threads: 1)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        let run = LiSSA(
            .init(recursionDepth: 30, numRepeat: repeats, batchSize: batch), spectrum: spectrum, exampleCount: features.count,
            shift: 0.2)
        var numbers = SeededNumbers(9)
        return try run.solve(
            numbers.floats(tests * model.parameterCount), count: tests, in: DampedCurvature(curvature, shift: 0.2),
            parallel: parallel)
    }
}

extension TrainingGradients {
    /// The ranking by one of a solution's vectors.
    func ranking(
        of test: Int, scores: [Float], selection: RowSelection, ends: RankedEnds? = nil, solution: Solution, k: Int,
        parallel: Parallel, interruption: Interruption = .never
    ) throws -> Ranking {
        try ScoreFormula(self, along: solution, of: test).ranking(
            of: scores, selection: selection, ends: ends, k: k, parallel: parallel, interruption: interruption)
    }

    /// The score of a group along one of a solution's vectors.
    func groupScore(
        of members: [UInt32], test: Int, solution: Solution, parallel: Parallel, interruption: Interruption = .never
    ) throws -> GroupScore {
        try ScoreFormula(self, along: solution, of: test).groupScore(
            of: members, parallel: parallel, interruption: interruption)
    }
}
