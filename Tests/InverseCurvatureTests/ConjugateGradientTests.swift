import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("conjugate gradients")
struct ConjugateGradientTests {
    private let parallel = Parallel(threads: 2)

    private func solve(
        _ sides: [Float], _ curvature: any CurvatureOperator, shift: Double, maxIter: Int = 1000, tol: Double = 1e-4,
        preconditioner: (any Preconditioner)? = nil
    ) throws -> Solution {
        try ConjugateGradient(.init(maxIter: maxIter, tol: tol), preconditioner: preconditioner)
            .solve(
                sides, count: sides.count / curvature.dimension, in: DampedCurvature(curvature, shift: shift),
                parallel: parallel)
    }

    @Test("agree with Gaussian elimination in double precision", arguments: [1, 2, 5, 8, 21, 40])
    func elimination(order: Int) throws {
        let curvature = RankOneCurvature(count: 3 * order, scales: (0..<order).map { 1 / Double($0 + 1) }, seed: 1)
        var numbers = SeededNumbers(2)
        for count in [1, 2, 5] {
            let sides = numbers.floats(order * count)
            let solution = try solve(sides, curvature, shift: 0.05, tol: 1e-6)
            #expect(solution.converged.allSatisfy { $0 })
            #expect(solution.repeats.isEmpty)
            for i in 0..<count {
                let part = i * order..<(i + 1) * order
                let expected = curvature.dense.plus(diagonal: 0.05).solved(for: Array(sides[part]))
                #expect(Closeness.relativeDistance(solution.vectors[part], expected) < 1e-4)
            }
        }
    }

    @Test(
        "after k steps they are where the recursion in double precision is, with and without a preconditioner",
        arguments: [false, true])
    func iterates(isPreconditioned: Bool) throws {
        let curvature = RankOneCurvature(count: 60, scales: (0..<12).map { 3 / Double($0 + 1) }, seed: 3)
        let matrix = curvature.dense.plus(diagonal: 0.1)
        let diagonal = (0..<12).map { curvature.dense[$0, $0] }
        let inverse = diagonal.map { isPreconditioned ? 1 / ($0 + 0.1) : 1 }
        let preconditioner = isPreconditioned ? DiagonalPreconditioner(diagonal: diagonal.map { Float($0) }, shift: 0.1) : nil
        var numbers = SeededNumbers(4)
        let side = numbers.floats(12)
        func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        var (s, r) = ([Double](repeating: 0, count: 12), side.map { Double($0) })
        var p = zip(inverse, r).map { $0 * $1 }
        var rho = dot(r, p)
        for k in 1...8 {
            let image = matrix.times(p)
            let alpha = rho / dot(p, image)
            s = zip(s, p).map { $0 + alpha * $1 }
            r = zip(r, image).map { $0 - alpha * $1 }
            let z = zip(inverse, r).map { $0 * $1 }
            let next = dot(r, z)
            p = zip(z, p).map { $0 + next / rho * $1 }
            rho = next
            let solution = try solve(side, curvature, shift: 0.1, maxIter: k, tol: 0, preconditioner: preconditioner)
            #expect(Closeness.relativeDistance(solution.vectors, s) < 1e-4)
            #expect(solution.iterations == [k])
        }
    }

    @Test("need no more steps than there are parameters", arguments: [2, 5, 12, 20])
    func finite(order: Int) throws {
        let curvature = RankOneCurvature.rotated((1...order).map { Double($0) }, seed: 5)
        var numbers = SeededNumbers(6)
        let solution = try solve(numbers.floats(3 * order), curvature, shift: 0.5, tol: 1e-5)
        #expect(solution.converged == [true, true, true])
        #expect(solution.iterations.allSatisfy { $0 <= order })
    }

    @Test("need no more steps than there are different eigenvalues: one where the curvature is a multiple of the identity")
    func distinct() throws {
        let side: [Float] = [1, -2, 3, -4, 5, -6]
        for (eigenvalues, steps) in [([1, 1, 4, 4, 9, 9], 3), ([2, 2, 2, 7, 7, 7], 2), ([3, 3, 3, 3, 3, 3], 1)]
            as [([Double], Int)]
        {
            let solution = try solve(side, RankOneCurvature.rotated(eigenvalues, seed: 7), shift: 1, tol: 1e-5)
            #expect(solution.converged == [true])
            #expect(solution.iterations == [steps])
        }
    }

    @Test("their residuals are those of the vectors they return, and true where they claim convergence")
    func residuals() throws {
        var (reached, missed) = (0, 0)
        for seed in 0..<4 as Range<UInt64> {
            let scales = (0..<30).map { 10 / Double(1 + $0 * $0) }
            let curvature = RankOneCurvature(count: 100, scales: scales, seed: seed)
            var numbers = SeededNumbers(seed + 100)
            let side = numbers.floats(30)
            for shift in [1, 1e-2, 1e-4, 1e-6] {
                for tol in [0.3, 1e-2, 1e-4, 1e-6, 0] {
                    let solution = try solve(side, curvature, shift: shift, maxIter: 400, tol: tol)
                    let measured = curvature.residual(solution.vectors, side, shift: shift)
                    // Single precision measures down to its own rounding, times how far the solution is enlarged.
                    let noise = 1e-6 * (1 + 100 * Vectors.norm(solution.vectors) / Vectors.norm(side))
                    #expect(abs(solution.residuals[0] - measured) < noise)
                    #expect(solution.converged == [solution.residuals[0] <= tol])
                    if solution.converged[0] { reached += 1 } else { missed += 1 }
                }
            }
        }
        #expect(reached >= 40 && missed >= 16)
    }

    @Test("end by themselves where rounding ends them, and say that they did not reach what was asked")
    func unreachable() throws {
        let curvature = RankOneCurvature.rotated((0..<20).map { Double($0 * $0) / 40 }, seed: 8)
        var numbers = SeededNumbers(9)
        let side = numbers.floats(20)
        for tol in [1e-9, 0, -1, .nan] {
            let solution = try solve(side, curvature, shift: 0.01, maxIter: 100_000, tol: tol)
            #expect(solution.converged == [false])
            #expect(solution.residuals[0] < 2e-5)
            #expect(solution.iterations[0] < 400)
            #expect(curvature.residual(solution.vectors, side, shift: 0.01) < 2e-5)
        }
    }

    @Test("come closer than the recursion alone would, where it drifts: what they return was measured")
    func drift() throws {
        // Condition 10⁶: a residual of 10⁻³ is in reach of single precision, but not at the recursion's word.
        let eigenvalues = (0..<40).map { 1e3 * 1 / Double(1 + $0 * $0 * $0) }
        let curvature = RankOneCurvature.rotated(eigenvalues, seed: 10)
        var numbers = SeededNumbers(11)
        for _ in 0..<5 {
            let side = numbers.floats(40)
            let solution = try solve(side, curvature, shift: 1e-3, maxIter: 2000, tol: 1e-3)
            let measured = curvature.residual(solution.vectors, side, shift: 1e-3)
            #expect(abs(measured - solution.residuals[0]) < 1e-3)
            #expect(measured < 1e-2)
        }
    }

    @Test("measure seldom: products beyond the steps are few")
    func products() throws {
        let curvature = CountedCurvature(RankOneCurvature(count: 300, scales: (0..<100).map { 3 / Double($0 + 1) }, seed: 12))
        var numbers = SeededNumbers(13)
        let solution = try solve(numbers.floats(300), curvature, shift: 1e-3, tol: 1e-3)
        #expect(solution.converged == [true, true, true])
        let steps = solution.iterations.reduce(0, +)
        #expect(steps > 30)
        #expect(curvature.vectorCount >= steps + 3)
        #expect(Double(curvature.vectorCount) < 1.1 * Double(steps) + 6)
    }

    @Test("a softmax regression's curvature is solved, with and without a diagonal preconditioner")
    func softmax() throws {
        let scales = (0..<15).map { [5, 0.5, 0.05][$0 % 3] }
        let curvature = RankOneCurvature.softmax(count: 80, scales: scales, classes: 4, seed: 14)
        let matrix = curvature.dense
        let diagonal = DiagonalPreconditioner(diagonal: (0..<60).map { Float(matrix[$0, $0]) }, shift: 1e-3)
        var numbers = SeededNumbers(15)
        let side = numbers.floats(60)
        let expected = matrix.plus(diagonal: 1e-3).solved(for: side)
        for preconditioner in [nil, diagonal] {
            let solution = try solve(side, curvature, shift: 1e-3, preconditioner: preconditioner)
            #expect(solution.converged == [true])
            #expect(Closeness.relativeDistance(solution.vectors, expected) < 1e-3)
        }
    }

    @Test("where parameters differ much in curvature, the diagonal preconditioner takes less than half of the steps")
    func preconditioned() throws {
        let curvature = RankOneCurvature(count: 400, scales: (0..<60).map { [5, 1, 0.2, 0.05][$0 % 4] }, seed: 16)
        let matrix = curvature.dense
        let diagonal = DiagonalPreconditioner(diagonal: (0..<60).map { Float(matrix[$0, $0]) }, shift: 1e-3)
        var numbers = SeededNumbers(17)
        let side = numbers.floats(60)
        let steps = try [nil, diagonal].map { preconditioner in
            let solution = try solve(side, curvature, shift: 1e-3, preconditioner: preconditioner)
            #expect(solution.converged == [true])
            return solution.iterations[0]
        }
        #expect(2 * steps[1] < steps[0])
    }

    @Test("the more residuals later ones are kept orthogonal to, the fewer steps it takes")
    func orthogonalized() throws {
        let curvature = RankOneCurvature.rotated((0..<80).map { 50 / Double(1 + $0 * $0) }, seed: 18)
        var numbers = SeededNumbers(19)
        let side = numbers.floats(80)
        let expected = curvature.dense.plus(diagonal: 1e-2).solved(for: side)
        let steps = try [0, 8, 32, 100].map { count in
            let solution = try ConjugateGradient(.init(tol: 1e-4, orthogonalized: count))
                .solve(side, count: 1, in: DampedCurvature(curvature, shift: 1e-2), parallel: parallel)
            #expect(solution.converged == [true])
            #expect(Closeness.relativeDistance(solution.vectors, expected) < 1e-2)
            return solution.iterations[0]
        }
        #expect(steps == steps.sorted(by: >))
        #expect(3 * steps[2] < 2 * steps[0])
    }

    @Test("no steps are zero, whose residual is one, and which suffices where that is asked")
    func noSteps() throws {
        let curvature = CountedCurvature(RankOneCurvature(diagonal: [1, 2, 3]))
        for (maxIter, tol) in [(0, 1e-3), (-1, 1e-3), (5, 1), (5, .infinity)] {
            let solution = try solve([1, 1, 1, 0, 0, 0], curvature, shift: 1, maxIter: maxIter, tol: tol)
            #expect(solution.vectors == [0, 0, 0, 0, 0, 0])
            #expect(solution.residuals == [1, 0])
            #expect(solution.converged == [tol >= 1, true])
            #expect(solution.iterations == [0, 0])
        }
        #expect(curvature.vectorCount == 0)
    }

    @Test("one step is the one of steepest descent, and said not to have converged")
    func oneStep() throws {
        let solution = try solve([1, 1], RankOneCurvature(diagonal: [1, 3]), shift: 1, maxIter: 1)
        // α = v·v / v·Av = 2/6.
        #expect(Closeness.largestError(solution.vectors, [1.0 / 3, 1.0 / 3]) < 1e-6)
        #expect(abs(solution.residuals[0] - 1.0 / 3) < 1e-6)
        #expect(solution.converged == [false])
        #expect(solution.iterations == [1])
    }
}
