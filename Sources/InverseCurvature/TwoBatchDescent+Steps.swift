internal import Foundation
internal import LinearAlgebra

extension TwoBatchDescent {
    /// Right-hand sides that a thread takes at a time: they share the gathering of rows.
    private static let together = 16
    /// How many times its first length a gradient's inner factor may reach: noise aside it never grows.
    private static let tolerableGrowth = 100.0

    /// What S₀ is of V: 1/λ, or 0 where that is no number to begin with.
    static func flatInverse(shift: Double) -> Double { shift > 1e-12 && shift.isFinite ? 1 / shift : 0 }

    /// Leaves S in `solutions`: memory that does not overlap that of the right-hand sides.
    /// - Throws: `Diverged`, `SolverError.notFinite`, `Interrupted`.
    func descend(
        from rightHandSides: UnsafePointer<Float>, to solutions: UnsafeMutablePointer<Float>, count: Int,
        in system: DampedCurvature, parallel: Parallel, interruption: Interruption
    ) throws {
        let pieces = Parallel.ranges(of: count, pieces: (count + Self.together - 1) / Self.together)
        // Each piece reads and writes rows of its own.
        nonisolated(unsafe) let (rightHandSides, solutions) = (rightHandSides, solutions)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let offset = pieces[piece].lowerBound * system.dimension
            try step(
                through: system.data, shift: system.shift, from: rightHandSides + offset, to: solutions + offset,
                count: pieces[piece].count, interruption: interruption)
        }
    }

    private func step(
        through curvature: some CurvatureOperator, shift: Double, from v: UnsafePointer<Float>,
        to s: UnsafeMutablePointer<Float>, count: Int, interruption: Interruption
    ) throws {
        let (dimension, length, examples) = (curvature.dimension, curvature.dimension * count, curvature.exampleCount)
        let workspace = curvature.makeWorkspace(vectorCount: count, interruption: interruption)
        let inner = AlignedMemory<Float>(uninitialized: length)
        let batch = AlignedMemory<UInt32>(uninitialized: min(settings.batchSize, examples))
        // Every piece draws the same batches.
        var stream = RandomStream(seed: settings.seed, index: settings.stream)
        let isWhole = batch.count == examples
        func draw() -> ExampleBatch {
            guard !isWhole else { return .range(0..<examples) }
            for i in 0..<batch.count { batch.start[i] = stream.next(below: UInt32(examples)) }
            return .indices(UnsafeBufferPointer(batch.elements))
        }
        func sizes(_ vectors: UnsafePointer<Float>) -> [Double] {
            (0..<count).map { Vectors.norm(vectors + $0 * dimension, dimension) }
        }
        var pace = PacedInterruption(interruption)
        let (beginning, weight) = (Float(Self.flatInverse(shift: shift)), Float(shift))
        for i in 0..<length { s[i] = beginning * v[i] }
        var bounds: [Double] = []
        for j in 0..<settings.steps {
            // (C_B₂ + λI)S − V
            for i in 0..<length { inner.start[i] = weight * s[i] - v[i] }
            try curvature.addProduct(
                over: draw(), alpha: 1, of: s, beta: 1, plus: nil, to: inner.start, vectorCount: count, workspace: workspace)
            try pace.check(after: 16 * length + 5000)
            if j == 0 {
                bounds = zip(sizes(inner.start), sizes(v)).map { Self.tolerableGrowth * max($0, $1) }
                guard bounds.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
            } else if j % 16 == 15 || j == settings.steps - 1 || j < 16 {
                // Written so that NaN fails it too.
                guard zip(sizes(inner.start), bounds).allSatisfy({ $0 <= $1 }) else { throw failure(at: j) }
            }
            // S − η·(C_B₁ + λI) times that
            let factor = Float(-settings.stepSize)
            for i in 0..<length { s[i] += factor * weight * inner.start[i] }
            try curvature.addProduct(
                over: draw(), alpha: factor, of: inner.start, beta: 1, plus: nil, to: s, vectorCount: count,
                workspace: workspace)
        }
        guard sizes(s).allSatisfy(\.isFinite) else { throw failure(at: settings.steps) }
    }

    private func failure(at step: Int) -> any Error {
        settings.stepSize <= safeStepSize
            ? SolverError.notFinite : Diverged(settings: settings, step: step, safeStepSize: safeStepSize)
    }
}
