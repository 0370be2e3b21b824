import Attribution
import Foundation
import LinearAlgebra
import TestSupport
import Testing

/// TRAK on softmax regressions that are written out, in double precision, as its paper defines it.
struct TRAKProblem {
    let count, inputs, classes: Int
    /// x, [n, D].
    let features: [[Double]]
    let labels: [Int]
    let weights: [Float]?
    /// W of each model, [C, D].
    let models: [DenseMatrix]
    /// P, [C·D, d].
    let projection: DenseMatrix
    /// Rows of gradients are kept as.
    let encoding: RowEncoding

    init(
        count: Int = 50, inputs: Int = 4, classes: Int = 3, dimension: Int = 6, models: Int = 1, weights: [Float]? = nil,
        scale: Double = 1, projected: Double = 1, encoding: RowEncoding = .float32, seed: UInt64 = 5
    ) {
        var numbers = SeededNumbers(seed)
        (self.count, self.inputs, self.classes, self.weights, self.encoding) = (count, inputs, classes, weights, encoding)
        features = (0..<count).map { _ in (0..<inputs).map { _ in Double(Float(numbers.normal())) } }
        labels = numbers.integers(count, below: classes)
        let random = DenseMatrix(rows: classes * inputs, columns: dimension, random: &numbers)
        projection = DenseMatrix(
            rows: classes * inputs, columns: dimension, elements: random.elements.map { projected * $0 })
        self.models = (0..<models).map { _ in
            DenseMatrix(rows: classes, columns: inputs, elements: (0..<classes * inputs).map { _ in scale * numbers.normal() })
        }
    }

    private init(_ other: TRAKProblem, examples: [Int], weights: [Float]?) {
        (count, inputs, classes) = (examples.count, other.inputs, other.classes)
        (features, labels) = (examples.map { other.features[$0] }, examples.map { other.labels[$0] })
        (self.weights, models, projection, encoding) = (weights, other.models, other.projection, other.encoding)
    }

    /// Some of the examples, in this order.
    func picking(_ examples: [Int], weights: [Float]? = nil) -> TRAKProblem {
        TRAKProblem(self, examples: examples, weights: weights)
    }

    /// log Σ_{c ≠ y} exp z_c, and what share of it each other class has.
    private func others(_ z: [Double], _ y: Int) -> (log: Double, shares: [Double]) {
        let rest = z.indices.filter { $0 != y }
        let top = rest.map { z[$0] }.max() ?? 0
        let total = rest.reduce(0) { $0 + exp(z[$1] - top) }
        return (top + log(total), z.indices.map { $0 == y ? 0 : exp(z[$0] - top) / total })
    }

    /// 1 − p of the label.
    func marginWeight(_ model: Int, _ x: [Double], _ y: Int) -> Double {
        let z = models[model].times(x)
        return 1 / (1 + exp(z[y] - others(z, y).log))
    }

    /// P∇f, f = z_y − log Σ_{c ≠ y} exp z_c = log(p/(1 − p)).
    func marginGradient(_ model: Int, _ x: [Double], _ y: Int) -> [Double] {
        let shares = others(models[model].times(x), y).shares
        let gradient = (0..<classes).flatMap { c in x.map { ((c == y ? 1 : 0) - shares[c]) * $0 } }
        return projection.transposed.times(gradient)
    }

    func marginWeights(_ model: Int) -> [Double] { (0..<count).map { marginWeight(model, features[$0], labels[$0]) } }

    /// wᵢ·P∇ℓᵢ of all examples, as a cache has them.
    func rows(_ model: Int) throws -> ResidentRows {
        let numbers = (0..<count).flatMap { example in
            let factor = Double(weights?[example] ?? 1) * marginWeight(model, features[example], labels[example])
            return marginGradient(model, features[example], labels[example]).map { Float(-factor * $0) }
        }
        let width = projection.columns
        let bytes = AlignedMemory<UInt8>(uninitialized: try encoding.byteCount(rows: count, width: width))
        try encoding.encode(rows: numbers, count: count, width: width, into: UnsafeMutableRawPointer(bytes.start))
        return try ResidentRows(bytes, count: count, width: width, encoding: encoding)
    }

    /// The kernel of a model.
    func kernel(
        _ model: Int = 0, damping: Double = 0, isRelative: Bool = false, threads: Int = 2, memoryLimit: Int = 1 << 30
    ) throws -> TRAKKernel {
        try TRAKKernel(
            of: rows(model), marginWeights: marginWeights(model), weights: weights, damping: damping,
            isRelative: isRelative, memoryLimit: memoryLimit, parallel: Parallel(threads: threads))
    }

    /// Scores of all examples for tests, from the kernels of all models.
    func scores(_ tests: [(x: [Double], y: Int)], damping: Double = 0, threads: Int = 2) throws -> [[Double]] {
        let parallel = Parallel(threads: threads)
        var sums = tests.map { _ in [Double](repeating: 0, count: count) }
        for model in models.indices {
            let kernel = try kernel(model, damping: damping, threads: threads)
            let sides = tests.flatMap { test in marginGradient(model, test.x, test.y).map { Float(-$0) } }
            let directions = try kernel.directions(for: sides, modelCount: models.count, parallel: parallel)
            var gradients: any ScoredExamples = RowGradients(rows: try rows(model))
            if models.count > 1 { gradients = ScaledGradients(gradients, by: kernel.reciprocals) }
            let scores = try gradients.scores(along: directions, parallel: parallel)
            for test in tests.indices { for i in 0..<count { sums[test][i] += Double(scores[test][i]) } }
        }
        guard models.count > 1 else { return sums }
        let multipliers = TRAKKernel.multipliers(meanOf: models.indices.map { marginWeights($0) })
        return sums.map { zip($0, multipliers).map { $0 * Double($1) } }
    }

    /// The same as the paper has it: the mean over models of φᵀ(ΦᵀΦ + λI)⁻¹φᵢ times that of 1 − pᵢ.
    func reference(_ test: (x: [Double], y: Int), damping: Double = 0) -> [Double] {
        let size = projection.columns
        var (kernels, marginWeights) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        for model in models.indices {
            let phi = (0..<count).map { marginGradient(model, features[$0], labels[$0]) }
            var matrix = DenseMatrix(diagonal: [Double](repeating: damping, count: size))
            for example in 0..<count {
                let weight = Double(weights?[example] ?? 1)
                for i in 0..<size { for j in 0..<size { matrix[i, j] += weight * phi[example][i] * phi[example][j] } }
            }
            let solved = matrix.solved(for: marginGradient(model, test.x, test.y))
            for example in 0..<count {
                kernels[example] += zip(solved, phi[example]).reduce(0) { $0 + $1.0 * $1.1 } / Double(models.count)
                marginWeights[example] +=
                    marginWeight(model, features[example], labels[example]) / Double(models.count)
            }
        }
        return (0..<count).map { Double(weights?[$0] ?? 1) * kernels[$0] * marginWeights[$0] }
    }
}
