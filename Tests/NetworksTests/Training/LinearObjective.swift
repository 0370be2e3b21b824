import Foundation
import LinearAlgebra
import Networks
import TestSupport

/// Least squares or logistic regression, written plainly in double precision: ℓ = ½(x·θ − y)², or log(1 + exp(−y·x·θ)) with y =
/// ±1.
struct LinearObjective: TrainingObjective {
    enum Loss { case squares, logistic }

    let loss: Loss
    let inputs: [[Double]]
    let targets: [Double]
    var weightDecay = 0.0

    var dimension: Int { inputs[0].count }
    var exampleCount: Int { inputs.count }
    let hasHessianProducts = true

    /// ℓ and its first two derivatives by x·θ.
    private func derivatives(_ output: Double, _ target: Double) -> (loss: Double, first: Double, second: Double) {
        switch loss {
        case .squares:
            return ((output - target) * (output - target) / 2, output - target, 1)
        case .logistic:
            let margin = target * output
            let wrong = 1 / (1 + exp(margin))
            return (margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin, -target * wrong, wrong * (1 - wrong))
        }
    }

    private func output(_ theta: [Double], _ row: Int) -> Double { zip(inputs[row], theta).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The mean loss, F and ∇F over some rows.
    func evaluate(_ theta: [Double], rows: [Int]) -> (loss: Double, objective: Double, gradient: [Double]) {
        var gradient = theta.map { weightDecay * $0 }
        var sum = 0.0
        for row in rows {
            let value = derivatives(output(theta, row), targets[row])
            sum += value.loss
            for i in gradient.indices { gradient[i] += value.first * inputs[row][i] / Double(rows.count) }
        }
        let loss = sum / Double(rows.count)
        return (loss, loss + weightDecay / 2 * theta.reduce(0) { $0 + $1 * $1 }, gradient)
    }

    /// ∇²F over all rows.
    func hessian(_ theta: [Double]) -> DenseMatrix {
        var hessian = DenseMatrix(diagonal: theta.map { _ in weightDecay })
        for row in inputs.indices {
            let curvature = derivatives(output(theta, row), targets[row]).second / Double(inputs.count)
            for i in theta.indices {
                for j in theta.indices { hessian[i, j] += curvature * inputs[row][i] * inputs[row][j] }
            }
        }
        return hessian
    }

    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double) {
        try interruption.check()
        let rows: [Int] =
            switch batch {
            case .range(let range): Array(range)
            case .indices(let indices): indices.map { Int($0) }
            }
        let value = evaluate((0..<dimension).map { Double(parameters[$0]) }, rows: rows)
        for (i, element) in value.gradient.enumerated() { gradient[i] = Float(element) }
        return (value.loss, value.objective)
    }

    func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        try interruption.check()
        let product = hessian((0..<dimension).map { Double(parameters[$0]) }).times((0..<dimension).map { Double(v[$0]) })
        for (i, element) in product.enumerated() { y[i] = Float(element) }
    }

    /// A logistic regression whose classes overlap.
    static func logistic(count: Int, width: Int, weightDecay: Double) -> LinearObjective {
        var numbers = SeededNumbers(5)
        let truth = (0..<width).map { _ in numbers.normal() }
        let inputs = (0..<count).map { _ in (0..<width).map { _ in numbers.normal() } }
        let targets = inputs.map { input in
            zip(input, truth).reduce(0) { $0 + $1.0 * $1.1 } + 2 * numbers.normal() > 0 ? 1.0 : -1
        }
        return LinearObjective(loss: .logistic, inputs: inputs, targets: targets, weightDecay: weightDecay)
    }

    /// Where ∇F vanishes, by Newton's method in double precision.
    func minimum() -> [Double] {
        var theta = [Double](repeating: 0, count: dimension)
        for _ in 0..<50 {
            let step = hessian(theta).solved(for: evaluate(theta, rows: Array(inputs.indices)).gradient)
            for i in theta.indices { theta[i] -= step[i] }
        }
        return theta
    }
}
