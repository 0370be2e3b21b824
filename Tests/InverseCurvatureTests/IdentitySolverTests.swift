import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("the identity solver")
struct IdentitySolverTests {
    private let parallel = Parallel(threads: 2)

    @Test("returns the right-hand sides, and how far they are from solutions")
    func residuals() throws {
        let curvature = RankOneCurvature(count: 30, scales: [1, 2, 3], seed: 1)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(9) + [0, 0, 0]
        let solution = try IdentitySolver().solve(
            sides, count: 4, in: DampedCurvature(curvature, shift: 0.3), parallel: parallel)
        #expect(solution.vectors == sides)
        for i in 0..<3 {
            let part = sides[3 * i..<3 * i + 3]
            let measured = curvature.residual(part, part, shift: 0.3)
            #expect(abs(solution.residuals[i] - measured) < 1e-5 * measured)
        }
        #expect(solution.residuals[3] == 0)
        #expect(solution.converged == [false, false, false, true])
        #expect(solution.repeats.isEmpty && solution.iterations.isEmpty)
    }

    @Test("where the curvature is the identity, every solver has the same solution, and has converged")
    func identity() throws {
        let curvature = RankOneCurvature(diagonal: [0.5, 0.5, 0.5, 0.5])
        let system = DampedCurvature(curvature, shift: 0.5)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        let solvers: [any SystemSolver] = [
            IdentitySolver(), ConjugateGradient(),
            try ExactSolver(factoring: system, memoryLimit: 1000, parallel: parallel),
            LiSSA(.init(recursionDepth: 60, batchSize: 4), spectrum: spectrum, exampleCount: 4, shift: 0.5),
        ]
        let side: [Float] = [1, -2, 3, -4]
        for solver in solvers {
            let solution = try solver.solve(side, count: 1, in: system, parallel: parallel, interruption: .never)
            #expect(Closeness.relativeDistance(solution.vectors, side) < 1e-4)
            #expect(solution.residuals[0] < 1e-4)
            #expect(solution.converged == [true])
        }
    }

    @Test("numbers that are not finite are refused, and interruptions heeded")
    func refusals() {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, 2]), shift: 0.1)
        for value in [Float.nan, .infinity] {
            #expect(throws: SolverError.notFinite) {
                try IdentitySolver().solve([value, 1], count: 1, in: system, parallel: parallel)
            }
        }
        #expect(throws: Interrupted()) {
            try IdentitySolver().solve([1, 1], count: 1, in: system, parallel: parallel, interruption: Interruption { true })
        }
    }
}
