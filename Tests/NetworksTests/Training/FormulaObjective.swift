import Foundation
import LinearAlgebra
import Networks
import Synchronization

/// An objective written down as formulas of θ in double precision, of one example; only what it hands over is of single
/// precision.
struct FormulaObjective: TrainingObjective {
    let dimension: Int
    let exampleCount = 1
    let value: @Sendable ([Double]) -> Double
    let gradient: @Sendable ([Double]) -> [Double]
    var hessian: (@Sendable ([Double]) -> [[Double]])?

    var hasHessianProducts: Bool { hessian != nil }

    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient out: UnsafeMutablePointer<Float>,
        parallel: Parallel, interruption: Interruption
    ) throws -> (loss: Double, objective: Double) {
        try interruption.check()
        let theta = (0..<dimension).map { Double(parameters[$0]) }
        for (i, element) in gradient(theta).enumerated() { out[i] = Float(element) }
        return (value(theta), value(theta))
    }

    func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        guard let hessian else { throw TrainingError.noHessianProducts }
        try interruption.check()
        for (i, row) in hessian((0..<dimension).map { Double(parameters[$0]) }).enumerated() {
            y[i] = Float(row.enumerated().reduce(0) { $0 + $1.element * Double(v[$1.offset]) })
        }
    }

    /// Σ ½λᵢ(θᵢ − mᵢ)² + slope·θᵢ.
    static func quadratic(eigenvalues: [Double], minimum: [Double], slope: Double = 0) -> FormulaObjective {
        FormulaObjective(
            dimension: eigenvalues.count,
            value: { theta in
                var sum = 0.0
                for (i, eigenvalue) in eigenvalues.enumerated() {
                    let distance = theta[i] - minimum[i]
                    sum += eigenvalue * distance * distance / 2 + slope * theta[i]
                }
                return sum
            },
            gradient: { theta in eigenvalues.indices.map { eigenvalues[$0] * (theta[$0] - minimum[$0]) + slope } },
            hessian: { _ in
                eigenvalues.indices.map { i in eigenvalues.indices.map { $0 == i ? eigenvalues[i] : 0 } }
            })
    }

    /// Rosenbrock's valley, 100(y − x²)² + (1 − x)², minimal at (1, 1), for each pair of parameters.
    static func rosenbrock(pairs: Int = 1) -> FormulaObjective {
        FormulaObjective(
            dimension: 2 * pairs,
            value: { theta in
                (0..<pairs).reduce(0) { sum, i in
                    let (x, y) = (theta[2 * i], theta[2 * i + 1])
                    return sum + 100 * (y - x * x) * (y - x * x) + (1 - x) * (1 - x)
                }
            },
            gradient: { theta in
                (0..<pairs).flatMap { i in
                    let (x, y) = (theta[2 * i], theta[2 * i + 1])
                    return [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
                }
            },
            hessian: { theta in
                (0..<2 * pairs).map { row in
                    var line = [Double](repeating: 0, count: 2 * pairs)
                    let (i, x, y) = (row & ~1, theta[row & ~1], theta[row | 1])
                    if row == i {
                        (line[i], line[i + 1]) = (1200 * x * x - 400 * y + 2, -400 * x)
                    } else {
                        (line[i], line[i + 1]) = (-400 * x, 200)
                    }
                    return line
                }
            })
    }
}

/// An objective, and a record of the batches it was asked for and of how often.
final class RecordedObjective<Base: TrainingObjective>: TrainingObjective {
    let base: Base
    private let record = Mutex<(batches: [[UInt32]], products: Int)>(([], 0))

    init(_ base: Base) { self.base = base }

    /// The mini-batches in order; all examples at once are not among them.
    var batches: [[UInt32]] { record.withLock { $0.batches.filter { !$0.isEmpty } } }
    /// Evaluations, of whatever.
    var evaluations: Int { record.withLock { $0.batches.count } }
    /// Products with the Hessian.
    var products: Int { record.withLock { $0.products } }

    var dimension: Int { base.dimension }
    var exampleCount: Int { base.exampleCount }
    var hasHessianProducts: Bool { base.hasHessianProducts }

    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double) {
        let rows: [UInt32] = if case .indices(let indices) = batch { Array(indices) } else { [] }
        record.withLock { $0.batches.append(rows) }
        return try base.evaluate(parameters, over: batch, gradient: gradient, parallel: parallel, interruption: interruption)
    }

    func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        record.withLock { $0.products += 1 }
        try base.hessianProduct(at: parameters, of: v, to: y, parallel: parallel, interruption: interruption)
    }
}
