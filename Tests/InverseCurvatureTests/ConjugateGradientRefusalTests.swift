import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("conjugate gradients: what has no solution")
struct ConjugateGradientRefusalTests {
    private let parallel = Parallel(threads: 1)

    private func solve(
        _ sides: [Float], _ curvature: any CurvatureOperator, shift: Double, tol: Double = 1e-4,
        preconditioner: (any Preconditioner)? = nil
    ) throws -> Solution {
        try ConjugateGradient(.init(tol: tol), preconditioner: preconditioner)
            .solve(
                sides, count: sides.count / curvature.dimension, in: DampedCurvature(curvature, shift: shift),
                parallel: parallel)
    }

    @Test("negative curvature is refused with the Rayleigh quotient that was found, which more damping lifts")
    func indefinite() throws {
        let eigenvalues = [5, 3, 2, 1, 0.5, -0.7]
        let curvature = RankOneCurvature.rotated(eigenvalues, seed: 1)
        var numbers = SeededNumbers(2)
        for shift in [0, 0.1, 0.5] {
            let error = #expect(throws: SolverError.self) { try solve(numbers.floats(6), curvature, shift: shift) }
            guard case .indefinite(shift, let quotient) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            // No less than the smallest eigenvalue, so that the damping it asks for is needed.
            #expect(quotient <= 0 && quotient >= -0.7 + shift - 1e-5)
        }
        #expect(try solve(numbers.floats(6), curvature, shift: 1).converged == [true])
    }

    @Test("the quotient is that of the direction: of an eigenvector its eigenvalue and λ")
    func quotient() {
        let curvature = RankOneCurvature(diagonal: [2, -8])
        #expect(throws: SolverError.indefinite(shift: 1, curvature: -7)) { try solve([0, 1], curvature, shift: 1) }
        #expect(throws: SolverError.indefinite(shift: -3, curvature: -1)) { try solve([1, 0], curvature, shift: -3) }
        #expect(throws: SolverError.indefinite(shift: 0, curvature: 0)) {
            try solve([1, 0], RankOneCurvature(diagonal: [0, 0]), shift: 0)
        }
    }

    @Test("one that fails fails the same beside others of any size, which succeed without it")
    func companions() throws {
        let curvature = RankOneCurvature(diagonal: [5, -1, 2])
        let (bad, good) = ([0, 1, 0], [1, 0, 1]) as ([Float], [Float])
        let error = SolverError.indefinite(shift: 0.5, curvature: -0.5)
        #expect(throws: error) { try solve(bad, curvature, shift: 0.5) }
        for size in [1e-20, 1, 1e20] as [Float] {
            let companion = good.map { size * $0 }
            #expect(try solve(companion, curvature, shift: 0.5).converged == [true])
            for sides in [companion + bad, bad + companion, companion + bad + companion] {
                #expect(throws: error) { try solve(sides, curvature, shift: 0.5) }
            }
        }
    }

    @Test("a singular curvature without damping is solved where there is a solution, and refused where there is none")
    func singular() throws {
        for curvature in [RankOneCurvature(diagonal: [1, 0, 2]), RankOneCurvature(diagonal: [4, 0, 0.5])] {
            let eigenvalues = (0..<3).map { curvature.dense[$0, $0] }
            for tol in [1e-4, 0] {
                let solution = try solve([1, 0, 1], curvature, shift: 0, tol: tol)
                #expect(Closeness.largestError(solution.vectors, [1 / eigenvalues[0], 0, 1 / eigenvalues[2]]) < 1e-5)
                #expect(solution.residuals[0] < 1e-5)
            }
            let error = #expect(throws: SolverError.self) { try solve([1, 1, 1], curvature, shift: 0) }
            guard case .indefinite(0, let quotient) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(abs(quotient) < 1e-5)
        }
    }

    @Test("singular curvatures in any rotation are never answered by a claim that is not so", arguments: 0..<20 as Range<UInt64>)
    func rotatedSingular(seed: UInt64) throws {
        let curvature = RankOneCurvature.rotated([9, 4, 1, 0.1, 0, 0, 0, 0], seed: seed)
        var numbers = SeededNumbers(seed)
        let side = numbers.floats(8)
        do {
            let solution = try solve(side, curvature, shift: 0)
            #expect(solution.vectors.allSatisfy { $0.isFinite })
            // There is no solution, as the side is not in the curvature's range.
            #expect(solution.converged == [false])
            #expect(solution.residuals[0] > 1e-2)
        } catch SolverError.indefinite(let shift, let quotient) {
            #expect(shift == 0 && quotient < 1e-4)
        }
        let range = curvature.dense.times(side).map { Float($0) }
        let solution = try solve(range, curvature, shift: 0)
        #expect(solution.converged == [true])
        #expect(curvature.residual(solution.vectors, range, shift: 0) < 1.1e-4)
    }

    @Test("right-hand sides that are not finite are refused", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) {
        let curvature = RankOneCurvature(diagonal: [1, 2])
        #expect(throws: SolverError.notFinite) { try solve([1, value], curvature, shift: 1) }
        #expect(throws: SolverError.notFinite) { try solve([1, 1, value, 0], curvature, shift: 1) }
    }

    @Test(
        "a curvature or a λ that is not finite, or a solution that is not, is refused", arguments: [Float.nan, .infinity, 1e25])
    func notFiniteCurvature(value: Float) {
        let curvature = RankOneCurvature([1, 0, 0, 0, value, 0, 0, 0, 1], width: 3)
        #expect(throws: SolverError.notFinite) { try solve([1, 1, 1], curvature, shift: 0.1) }
        let fine = RankOneCurvature(diagonal: [1, 2, 3])
        for shift in [Double.nan, .infinity, 1e300] {
            #expect(throws: SolverError.notFinite) { try solve([1, 1, 1], fine, shift: shift) }
        }
        let flat = RankOneCurvature(diagonal: [1e-6, 1e-6])
        #expect(throws: SolverError.notFinite) { try solve([1e36, 1e36], flat, shift: 0) }
    }

    @Test("right-hand sides of zeros have the solution zero and the residual zero, beside others, without a step")
    func zero() throws {
        let solution = try solve([0, 0, 1, 1, 0, 0], RankOneCurvature(diagonal: [1, 2]), shift: 0)
        #expect(solution[0].vectors == [0, 0] && solution[2].vectors == [0, 0])
        #expect(Closeness.largestError(solution[1].vectors, [1, 0.5]) < 1e-5)
        #expect(solution.residuals[0] == 0 && solution.residuals[2] == 0)
        #expect(solution.converged == [true, true, true])
        #expect(solution.iterations == [0, 2, 0])
        #expect(try solve([0, 0], RankOneCurvature(diagonal: [-1, -1]), shift: 0).converged == [true])
    }

    @Test("a side of another length, or a preconditioner of another system, is a programmer's error")
    func shapes() async {
        await #expect(processExitsWith: .failure) {
            _ = try ConjugateGradient().solve(
                [1, 2, 3], count: 1, in: DampedCurvature(RankOneCurvature(diagonal: [1, 2]), shift: 1),
                parallel: Parallel(threads: 1))
        }
        await #expect(processExitsWith: .failure) {
            let preconditioner = DiagonalPreconditioner(diagonal: [1, 2, 3], shift: 1)
            _ = try ConjugateGradient(preconditioner: preconditioner)
                .solve(
                    [1, 2], count: 1, in: DampedCurvature(RankOneCurvature(diagonal: [1, 2]), shift: 1),
                    parallel: Parallel(threads: 1))
        }
    }
}
