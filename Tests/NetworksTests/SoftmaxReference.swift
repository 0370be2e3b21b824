import LinearAlgebra
import Networks
import TestSupport

/// Softmax regression in double precision by its definition: the loss is written out, everything else is its derivative.
struct SoftmaxReference {
    let model: SoftmaxRegression
    /// x, [n][D].
    let inputs: [[Double]]
    let targets: [Int]

    /// θ as W x + b for one example: W row by row, then b.
    func outputs(_ theta: [Double], _ example: Int) -> [Double] {
        let width = model.inputWidth
        return (0..<model.classCount).map { c in
            (0..<width).reduce(model.hasBias ? theta[model.classCount * width + c] : 0) {
                $0 + theta[c * width + $1] * inputs[example][$1]
            }
        }
    }

    func probabilities(_ theta: [Double], _ example: Int) -> [Double] {
        let outputs = outputs(theta, example)
        let largest = outputs.max() ?? 0
        let powers = outputs.map { exponential($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    func loss(_ theta: [Double], _ example: Int) -> Double {
        let outputs = outputs(theta, example)
        let largest = outputs.max() ?? 0
        let sum = outputs.reduce(0) { $0 + exponential($1 - largest) }
        return naturalLogarithm(sum) + largest - outputs[targets[example]]
    }

    /// J of one example: ∂out_c/∂θ, [C, p].
    func jacobian(_ example: Int) -> DenseMatrix {
        var result = DenseMatrix(rows: model.classCount, columns: model.parameterCount)
        for c in 0..<model.classCount {
            for j in 0..<model.inputWidth { result[c, c * model.inputWidth + j] = inputs[example][j] }
            if model.hasBias { result[c, model.classCount * model.inputWidth + c] = 1 }
        }
        return result
    }

    /// Jᵀ(p − onehot(y)).
    func gradient(_ theta: [Double], _ example: Int) -> [Double] {
        let residual = probabilities(theta, example).enumerated().map { $1 - ($0 == targets[example] ? 1 : 0) }
        return jacobian(example).transposed.times(residual)
    }

    /// The curvature of one example: JᵀAJ with A = diag(p) − p pᵀ, or g gᵀ.
    func curvature(_ kind: SoftmaxCurvature.Kind, _ theta: [Double], _ example: Int) -> DenseMatrix {
        switch kind {
        case .hessian:
            let p = probabilities(theta, example)
            var a = DenseMatrix(diagonal: p)
            for c in p.indices { for d in p.indices { a[c, d] -= p[c] * p[d] } }
            let jacobian = jacobian(example)
            return jacobian.transposed * (a * jacobian)
        case .empiricalFisher:
            let g = DenseMatrix(rows: 1, columns: model.parameterCount, elements: gradient(theta, example))
            return g.transposed * g
        }
    }

    /// The mean of the examples' curvatures.
    func curvature(_ kind: SoftmaxCurvature.Kind, _ theta: [Double], over examples: [Int]) -> DenseMatrix {
        var sum = DenseMatrix(rows: model.parameterCount, columns: model.parameterCount)
        for example in examples {
            let one = curvature(kind, theta, example)
            for i in sum.elements.indices { sum.elements[i] += one.elements[i] / Double(examples.count) }
        }
        return sum
    }
}
