import LinearAlgebra
import Networks
import TestSupport

/// Softmax regression with L2 in double precision, trained to stationarity, and trained again without some examples: the truth that
/// influence functions predict.
///
///     F(θ) = (1/n) Σᵢ ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖²
///
/// n stays what it is where examples are left out. Training again is Newton's method with the Hessian of the beginning for all steps, many
/// runs side by side: leaving examples out makes the curvature smaller, so that no step goes too far, and every run ends at its own
/// minimum.
struct SoftmaxRetraining: Sendable {
    /// Inputs and a one after each: [n, width].
    private let inputs: [Double]
    private let labels: [Int32]
    private let count, width, classes: Int
    private let weightDecay: Double
    /// H⁻¹ at the optimum, by class and within it input, as all vectors here.
    private let inverse: [Double]
    /// The optimum.
    private let optimum: [Double]

    private var dimension: Int { classes * width }

    /// - Parameter start: θ near the optimum, in the order of a network's: weights, then biases.
    init(_ examples: LabeledExamples, classes: Int, weightDecay: Double, near start: [Float]) throws {
        let begin = Self.byClass(start.map { Double($0) }, classes: classes, width: examples.features.width + 1)
        let first = try Self(examples, classes, weightDecay, optimum: begin)
        // The Hessian of the optimum itself makes the steps of later runs as good as they can be.
        self = try Self(examples, classes, weightDecay, optimum: first.descend([[]], from: begin))
    }

    private init(_ examples: LabeledExamples, _ classes: Int, _ weightDecay: Double, optimum: [Double]) throws {
        guard case .labels(let labels) = examples.targets else { throw Unlabeled() }
        (self.labels, self.classes, self.weightDecay, self.optimum) = (labels, classes, weightDecay, optimum)
        (count, width) = (examples.count, examples.features.width + 1)
        inputs = Self.extended(examples.features)
        inverse = try Self.inverseHessian(
            at: optimum, inputs: inputs, count: count, width: width, classes: classes, weightDecay: weightDecay)
    }

    /// What each element of ∇F is less than at an optimum: θ is within 1e-8 of it then.
    private static let stationary = 1e-11

    struct Unlabeled: Error {}
    struct NotStationary: Error { let gradient: Double }

    /// θ at the optimum, in a network's order.
    var parameters: [Double] { byTensor(optimum) }

    /// Models that were trained without sets of examples.
    struct Models {
        fileprivate let parameters: [Double]
        let count: Int
    }

    /// The models after training without each of the sets.
    func models(without sets: [[Int]]) throws -> Models {
        let parameters = descend(sets, from: optimum)
        let gradient = gradients(without: sets, at: parameters).reduce(0) { max($0, abs($1)) }
        guard gradient < Self.stationary else { throw NotStationary(gradient: gradient) }
        return Models(parameters: parameters, count: sets.count)
    }

    /// The model with all examples.
    var whole: Models { Models(parameters: optimum, count: 1) }

    /// θ of a model less θ of that with all examples, in a network's order.
    func change(_ models: Models, _ model: Int) -> [Double] {
        byTensor((0..<dimension).map { models.parameters[model * dimension + $0] - optimum[$0] })
    }

    /// Outputs of some inputs under each model: [inputs, models, classes].
    func outputs(of features: FeatureRows, under models: Models) -> [Double] {
        Self.outputs(
            of: Self.extended(features), count: features.count, width: width, at: models.parameters,
            rows: models.count * classes)
    }

    // MARK: - Descent

    private func descend(_ sets: [[Int]], from start: [Double]) -> [Double] {
        var parameters = sets.flatMap { _ in start }
        for _ in 0..<300 {
            let gradients = gradients(without: sets, at: parameters)
            guard gradients.contains(where: { abs($0) >= Self.stationary }) else { break }
            BLAS.multiply(
                .none, .none, m: sets.count, n: dimension, k: dimension, alpha: -1, gradients, dimension, inverse, dimension,
                beta: 1, &parameters, dimension)
        }
        return parameters
    }

    /// ∇F of each model without its set: [models, classes, width].
    private func gradients(without sets: [[Int]], at parameters: [Double]) -> [Double] {
        let rows = sets.count * classes
        var residuals = Self.outputs(of: inputs, count: count, width: width, at: parameters, rows: rows)
        residuals.withUnsafeMutableBufferPointer { residuals in
            let start = residuals.baseAddress!
            Softmax.rows(start, rows: count * sets.count, classes: classes, probabilities: start)
            for example in 0..<count {
                for model in sets.indices { start[example * rows + model * classes + Int(labels[example])] -= 1 }
            }
            for (model, set) in sets.enumerated() {
                for example in set { for c in 0..<classes { start[example * rows + model * classes + c] = 0 } }
            }
        }
        var gradients = parameters
        BLAS.multiply(
            .transposed, .none, m: rows, n: width, k: count, alpha: 1 / Double(count), residuals, rows, inputs, width,
            beta: weightDecay, &gradients, width)
        return gradients
    }

    private static func outputs(of inputs: [Double], count: Int, width: Int, at parameters: [Double], rows: Int) -> [Double] {
        var outputs = [Double](repeating: 0, count: count * rows)
        BLAS.multiply(
            .none, .transposed, m: count, n: rows, k: width, alpha: 1, inputs, width, parameters, width, beta: 0, &outputs, rows)
        return outputs
    }

    /// ((1/n) Σ (diag(p) − ppᵀ) ⊗ x̃x̃ᵀ + weight_decay·I)⁻¹.
    private static func inverseHessian(
        at parameters: [Double], inputs: [Double], count: Int, width: Int, classes: Int, weightDecay: Double
    ) throws -> [Double] {
        var probabilities = outputs(of: inputs, count: count, width: width, at: parameters, rows: classes)
        probabilities.withUnsafeMutableBufferPointer {
            Softmax.rows($0.baseAddress!, rows: count, classes: classes, probabilities: $0.baseAddress!)
        }
        let order = classes * width
        let hessian = AlignedMemory<Double>(repeating: 0, count: order * order)
        var weighted = inputs
        for c in 0..<classes {
            for d in 0...c {
                for example in 0..<count {
                    let (p, q) = (probabilities[example * classes + c], probabilities[example * classes + d])
                    let weight = (c == d ? p * (1 - p) : -p * q) / Double(count)
                    weighted.withUnsafeMutableBufferPointer { weighted in
                        inputs.withUnsafeBufferPointer { inputs in
                            for j in example * width..<(example + 1) * width { weighted[j] = weight * inputs[j] }
                        }
                    }
                }
                BLAS.multiply(
                    .transposed, .none, m: width, n: width, k: count, alpha: 1, weighted, width, inputs, width, beta: 0,
                    hessian.start + c * width * order + d * width, order)
            }
        }
        for i in 0..<order { hessian.start[i * order + i] += weightDecay }
        let eigen = try SymmetricEigen(lower: hessian, order: order)
        let scaled = AlignedMemory<Double>(copying: eigen.vectors.copy)
        for i in 0..<order {
            let factor = 1 / eigen.values.start[i]
            for j in i * order..<(i + 1) * order { scaled.start[j] *= factor }
        }
        var inverse = [Double](repeating: 0, count: order * order)
        BLAS.multiply(
            .transposed, .none, m: order, n: order, k: order, alpha: 1, eigen.vectors.start, order, scaled.start, order, beta: 0,
            &inverse, order)
        return withExtendedLifetime((eigen, scaled)) { inverse }
    }

    // MARK: - Orders

    private static func extended(_ features: FeatureRows) -> [Double] {
        (0..<features.count).flatMap { features.values(of: $0).map { Double($0) } + [1] }
    }

    /// Weights and biases in a network's order, by class.
    private static func byClass(_ theta: [Double], classes: Int, width: Int) -> [Double] {
        var vector: [Double] = []
        for c in 0..<classes {
            vector += theta[c * (width - 1)..<(c + 1) * (width - 1)]
            vector.append(theta[classes * (width - 1) + c])
        }
        return vector
    }

    /// The reverse.
    private func byTensor(_ vector: [Double]) -> [Double] {
        var weights: [Double] = []
        var biases: [Double] = []
        for c in 0..<classes {
            weights += vector[c * width..<(c + 1) * width - 1]
            biases.append(vector[(c + 1) * width - 1])
        }
        return weights + biases
    }
}
