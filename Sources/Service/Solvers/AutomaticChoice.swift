internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// Whichever solver suits the system.
///
/// What decides is in the request and in the store, never what happens to be in memory: the same request gives the same bytes.
struct AutomaticChoice: SolverChoice {
    static let name = "auto"
    static let summary = """
        `exact` where its factor is in the store or quickly made, `cg` where the store has a preconditioner or single training examples \
        can't be had, `sampled` of very many examples and few parameters, and else whichever of `lissa` and `cg` takes fewer products. The \
        answer names it, and the reason.
        """
    /// Answers name what was chosen.
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = nil

    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        let (choice, reason) = try choice(for: system, in: engine)
        return Settled(
            chosen: try choice.settled(for: system, in: engine, interruption: interruption), reason: reason)
    }

    /// Flops that a factor may take to be made while a request waits: about half a second of one core.
    private static let quickFlops = 2e10

    /// Parameters whose C a sample's factor is made of while a request waits.
    private static let fewParameters = 4_096.0

    private func choice(
        for system: InfluenceSystem, in engine: Engine
    ) throws -> (any SolverChoice, reason: String) {
        let (n, p) = (Double(system.damped.data.exampleCount), Double(system.damped.dimension))
        let fits = (try? ExactSolver.checkSize(of: system.damped, memoryLimit: engine.memoryBytes / 4)) != nil
        // First, so that the factor which that leaves in the store changes no answer.
        if fits, n * p * p + p * p * p / 3 <= Self.quickFlops, !system.mayBeIndefinite {
            return (ExactChoice(), "C + λI of \(Int(p)) parameters and \(Int(n)) examples is quickly factored")
        }
        if try engine.holds(ExactChoice.key(for: system), for: system) {
            return (ExactChoice(), "the store holds the Cholesky factor of C + λI")
        }
        if system.mayBeIndefinite {
            return (ConjugateGradientChoice.automatic, "the Hessian may be indefinite, which cg notices")
        }
        if system.space.rows == nil, try engine.holds(EKFACChoice.key(for: system), for: system) {
            return (ConjugateGradientChoice.automatic, "the store holds the EKFAC factors, by which cg takes few products")
        }
        guard system.hasResidentExamples else {
            return (ConjugateGradientChoice.automatic, "single training examples, which lissa takes, are on disk")
        }
        if fits, p <= Self.fewParameters, n >= 4 * Double(SampledSolver.Settings().sample),
            system.damped.data is any ExplicitCurvature
        {
            return (SampledChoice(), "of \(Int(n)) examples samples say enough of C, which has \(Int(p)) rows")
        }
        let lissa = Self.lissaProducts(for: system)
        let cg = Self.cgProducts(for: system)
        let comparison = "about \(Self.rounded(lissa / n)) products with C by lissa, \(Self.rounded(cg / n)) by cg"
        return lissa <= cg ? (LiSSAChoice(), comparison) : (ConjugateGradientChoice.automatic, comparison)
    }

    /// Products with one example's Cᵢ that automatic rounds take: half of those that are allowed are usually enough.
    private static func lissaProducts(for system: InfluenceSystem) -> Double {
        let count = system.damped.data.exampleCount
        let settings = LiSSA.Choice().resolved(for: system.spectrum, exampleCount: count, shift: system.damped.shift)
        let round = Double(settings.numRepeat) * Double(settings.recursionDepth) * Double(settings.batchSize) + Double(count)
        return Double(max(1, settings.rounds / 2)) * round
    }

    /// Those of conjugate gradients to their usual residual: ½√κ·ln(2/tol) steps at most (Golub & Van Loan 11.3), of which a spectrum
    /// with few large eigenvalues takes a third.
    private static func cgProducts(for system: InfluenceSystem) -> Double {
        let shift = max(system.damped.shift, .leastNormalMagnitude)
        let condition = (system.spectrum.largestEigenvalue + shift) / shift
        let steps = condition.squareRoot() / 2 * log(2 / ConjugateGradient.Settings().tol) / 3
        return min(steps, Double(system.damped.dimension)) * Double(system.damped.data.exampleCount)
    }

    private static func rounded(_ number: Double) -> String { String(format: "%.3g", number) }

    /// What was chosen, and why.
    private struct Settled: SettledSolver {
        let chosen: any SettledSolver
        let reason: String

        var members: JSONObject {
            var members = chosen.members
            members["solver_reason"] = .string(reason)
            return members
        }
        var vectorsPerSide: Int { chosen.vectorsPerSide }
        var vectorsPerSolution: Int { chosen.vectorsPerSolution }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            try chosen.solver(for: system, in: engine, interruption: interruption)
        }
    }
}
