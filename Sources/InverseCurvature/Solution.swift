/// What a solver returns for k right-hand sides of length p.
///
/// Each is solved as if it were alone, to the last bit: the solutions of several may be taken apart, kept, and put together again with
/// others of the same solver and settings.
public struct Solution: Sendable, Equatable {
    /// s_test for each right-hand side: [k, p].
    public let vectors: [Float]
    /// The independent estimates that `vectors` is the mean of, each [k, p]; empty for deterministic solvers.
    public let repeats: [[Float]]
    /// ‖(D + λI)s − v‖/‖v‖ for each right-hand side, measured on the full data; NaN where that is left to whoever reads all of it next.
    public let residuals: [Double]
    /// Whether the solver reached what it set out for, for each right-hand side; `residuals` say how far it came.
    public let converged: [Bool]
    /// Steps that were taken for each right-hand side; empty where a solver has no steps that depend on it.
    public let iterations: [Int]
    /// How good each solution is by the solver's own estimate; empty for solvers that make none.
    public let accuracies: [SolutionAccuracy]

    /// Up to which residual each right-hand side counts as solved, while residuals are not measured; empty once they are.
    let tolerances: [Double]

    /// Whether residuals have been measured.
    public var isMeasured: Bool { tolerances.isEmpty }

    /// k.
    public var count: Int { residuals.count }

    /// Bytes that the numbers take.
    public var byteCount: Int {
        (vectors.count + repeats.reduce(0) { $0 + $1.count }) * MemoryLayout<Float>.stride
            + residuals.count * MemoryLayout<Double>.stride + converged.count * MemoryLayout<Bool>.stride
            + iterations.count * MemoryLayout<Int>.stride + accuracies.count * MemoryLayout<SolutionAccuracy>.stride
    }

    init(
        vectors: [Float], repeats: [[Float]], residuals: [Double], converged: [Bool], iterations: [Int] = [],
        accuracies: [SolutionAccuracy] = [], tolerances: [Double] = []
    ) {
        self.vectors = vectors
        self.repeats = repeats
        self.residuals = residuals
        self.converged = converged
        self.iterations = iterations
        self.accuracies = accuracies
        self.tolerances = tolerances
    }

    /// The same with residuals from D·s, which whoever scored all examples has computed on the way: `DampedCurvature.remainder` without
    /// a reading of its own.
    /// - Parameters:
    ///   - images: D·s for each right-hand side, stacked.
    ///   - rightHandSides: v, stacked.
    ///   - system: D and λ.
    public func measured(by images: [Float], of rightHandSides: [Float], in system: DampedCurvature) -> Solution {
        guard !isMeasured else { return self }
        let remainders = system.remainder(of: rightHandSides, after: vectors, images: images)
        return measured(residuals: DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: count))
    }

    func measured(residuals: [Double]) -> Solution {
        Solution(
            vectors: vectors, repeats: repeats, residuals: residuals, converged: zip(residuals, tolerances).map { $0 <= $1 },
            iterations: iterations, accuracies: accuracies)
    }

    /// The solutions of several systems with one curvature and one solver, in order: at least one, and all with as many repeats.
    public init(stacking solutions: [Solution]) {
        precondition(!solutions.isEmpty, "there is nothing to stack")
        let repeats = solutions[0].repeats.count
        let length = solutions[0].vectors.count / solutions[0].count
        precondition(
            solutions.allSatisfy {
                $0.repeats.count == repeats && $0.vectors.count == length * $0.count && $0.isMeasured == solutions[0].isMeasured
            }, "solutions are stacked of one length and one solver, all measured or none")
        self.init(
            vectors: solutions.flatMap(\.vectors),
            repeats: (0..<repeats).map { index in solutions.flatMap { $0.repeats[index] } },
            residuals: solutions.flatMap(\.residuals), converged: solutions.flatMap(\.converged),
            iterations: solutions.flatMap(\.iterations), accuracies: solutions.flatMap(\.accuracies),
            tolerances: solutions.flatMap(\.tolerances))
    }

    /// The solution for one right-hand side, copied.
    public subscript(index: Int) -> Solution {
        precondition((0..<count).contains(index), "there are solutions for \(count) right-hand sides")
        let length = vectors.count / count
        let part = index * length..<(index + 1) * length
        return Solution(
            vectors: Array(vectors[part]), repeats: repeats.map { Array($0[part]) }, residuals: [residuals[index]],
            converged: [converged[index]], iterations: iterations.isEmpty ? [] : [iterations[index]],
            accuracies: accuracies.isEmpty ? [] : [accuracies[index]],
            tolerances: tolerances.isEmpty ? [] : [tolerances[index]])
    }
}

/// Why there is no solution. Each says what was tried and what would help.
public enum SolverError: Error, Equatable, Sendable {
    /// A recursion grew without bound.
    case diverged(settings: LiSSA.Settings, step: Int, safeScale: Double)
    /// The curvature with its λ has no Cholesky factor; or λ is no positive number that a solver could divide by, as those on a Fisher
    /// matrix of gradients do. More damping helps.
    case notPositiveDefinite(shift: Double)
    /// The curvature with its λ = `shift` falls along some direction, or is too flat along it for single precision: `curvature` is
    /// the Rayleigh quotient xᵀ(D + λI)x/xᵀx of one such direction x. λ must be greater than shift − curvature at least.
    case indefinite(shift: Double, curvature: Double)
    /// The curvature of the training data is beyond single precision: its features are too large.
    case notFinite
    /// The explicit matrix would take more memory than is allowed.
    case tooLarge(parameters: Int, bytes: Int, limit: Int)
}
