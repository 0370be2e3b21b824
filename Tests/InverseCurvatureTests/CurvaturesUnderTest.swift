import LinearAlgebra
import Synchronization
import TestSupport

/// A curvature that counts what is asked of it.
final class CountedCurvature<Base: CurvatureOperator>: CurvatureOperator {
    let base: Base
    private let counted = Atomic(0)

    init(_ base: Base) { self.base = base }

    /// Products over all examples, and how many vectors they were with altogether.
    var vectorCount: Int { counted.load(ordering: .relaxed) }

    var dimension: Int { base.dimension }
    var exampleCount: Int { base.exampleCount }

    func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Base.Workspace {
        base.makeWorkspace(vectorCount: vectorCount, interruption: interruption)
    }

    func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Base.Workspace
    ) throws {
        try base.addProduct(
            over: batch, alpha: alpha, of: x, beta: beta, plus: addend, to: y, vectorCount: vectorCount, workspace: workspace)
    }

    func product(
        of x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, vectorCount: Int, parallel: Parallel,
        interruption: Interruption
    ) throws {
        counted.add(vectorCount, ordering: .relaxed)
        try base.product(of: x, to: y, vectorCount: vectorCount, parallel: parallel, interruption: interruption)
    }

    func measure(parallel: Parallel, interruption: Interruption) throws -> CurvatureSize {
        try base.measure(parallel: parallel, interruption: interruption)
    }

    func write(plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption) throws {
        try base.write(plus: shift, to: matrix, parallel: parallel, interruption: interruption)
    }
}

extension RankOneCurvature {
    /// The Hessian of a softmax regression with random inputs of very different sizes and random probabilities: (diag(π) − ππᵀ) ⊗ xxᵀ is
    /// a sum of as many terms of rank one as there are classes.
    static func softmax(count: Int, scales: [Double], classes: Int, seed: UInt64) -> RankOneCurvature {
        var numbers = SeededNumbers(seed)
        var rows: [Float] = []
        for _ in 0..<count {
            let x = scales.map { $0 * numbers.normal() }
            let weights = (0..<classes).map { _ in numbers.uniform() + 0.02 }
            let roots = weights.map { ($0 / weights.reduce(0, +)).squareRoot() }
            for k in 0..<classes {
                for c in 0..<classes {
                    // The k-th column of diag(√π) − π√πᵀ, times √C as the mean is taken over count·C rows.
                    let factor = (c == k ? roots[c] : 0) - roots[c] * roots[c] * roots[k]
                    rows += x.map { Float(Double(classes).squareRoot() * factor * $0) }
                }
            }
        }
        return RankOneCurvature(rows, width: classes * scales.count)
    }

    /// QΛQᵀ of given eigenvalues.
    static func rotated(_ eigenvalues: [Double], seed: UInt64) -> RankOneCurvature {
        var numbers = SeededNumbers(seed)
        let order = eigenvalues.count
        // Q, by reflecting the identity.
        var q = DenseMatrix(diagonal: [Double](repeating: 1, count: order))
        for _ in 0..<3 {
            let w = (0..<order).map { _ in numbers.normal() }
            let size = w.reduce(0) { $0 + $1 * $1 }
            for i in 0..<order {
                let factor = 2 * zip(q.row(i), w).reduce(0) { $0 + $1.0 * $1.1 } / size
                for j in 0..<order { q[i, j] -= factor * w[j] }
            }
        }
        let rows = (0..<order).flatMap { k in
            (0..<order).map { Float(q[$0, k] * (abs(eigenvalues[k]) * Double(order)).squareRoot()) }
        }
        return RankOneCurvature(rows, width: order, signs: eigenvalues.map { $0 < 0 ? -1 : 1 })
    }
}
