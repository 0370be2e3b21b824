import InverseCurvature
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("the Arnoldi solver")
struct ArnoldiSolverTests {
    private let parallel = Parallel(threads: 2)
    private static let complements: [ArnoldiSolver.Complement] = [.dropped, .zero, .mean, .smallestKept, .fitted]

    private func solver(
        _ curvature: any CurvatureOperator, rank: Int, complement: ArnoldiSolver.Complement = .fitted
    ) throws -> ArnoldiSolver {
        try ArnoldiSolver(
            of: curvature, rank: rank, steps: curvature.dimension, tolerance: 0, complement: complement, memoryLimit: 1 << 24,
            parallel: parallel)
    }

    @Test("with all pairs it is exact, whatever stands for the rest", arguments: [1, 2, 7, 30])
    func fullRank(order: Int) throws {
        let curvature = RankOneCurvature(count: 3 * order, scales: (0..<order).map { 1 / Double($0 + 1) }, seed: 1)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(order * 3)
        for complement in Self.complements {
            let system = DampedCurvature(curvature, shift: 0.05)
            let solution = try solver(curvature, rank: order, complement: complement)
                .solve(sides, count: 3, in: system, parallel: parallel)
            for i in 0..<3 {
                let part = i * order..<(i + 1) * order
                let expected = curvature.dense.plus(diagonal: 0.05).solved(for: Array(sides[part]))
                #expect(Closeness.relativeDistance(solution.vectors[part], expected) < 1e-4)
            }
            #expect(solution.converged == [true, true, true])
            #expect(solution.repeats.isEmpty)
        }
    }

    @Test("a number for the rest is exact where all that is left is that number")
    func floor() throws {
        let curvature = RankOneCurvature(diagonal: [9, 5, 3] + [Double](repeating: 0.25, count: 17))
        let system = DampedCurvature(curvature, shift: 0.1)
        var numbers = SeededNumbers(3)
        let side = numbers.floats(20)
        let expected = curvature.dense.plus(diagonal: 0.1).solved(for: side)
        func error(_ complement: ArnoldiSolver.Complement) throws -> Double {
            let solution = try solver(curvature, rank: 3, complement: complement)
                .solve(side, count: 1, in: system, parallel: parallel)
            let residual = curvature.residual(solution.vectors, side, shift: 0.1)
            #expect(abs(solution.residuals[0] - residual) < 1e-4, "the residual is that of what it returns")
            return Closeness.relativeDistance(solution.vectors, expected)
        }
        #expect(try error(.mean) < 1e-4)
        #expect(try error(.fitted) < 1e-4)
        #expect(try error(.dropped) > 0.5)
        #expect(try error(.zero) > 0.5)
        #expect(try error(.smallestKept) > 0.5)
    }

    @Test("a fitted number has the least error of all in the norm of the system", arguments: 0..<5)
    func fitted(seed: UInt64) throws {
        let curvature = RankOneCurvature(count: 80, scales: (0..<25).map { 1 / Double($0 + 1) }, seed: seed)
        let system = DampedCurvature(curvature, shift: 0.01)
        let dense = curvature.dense.plus(diagonal: 0.01)
        var numbers = SeededNumbers(seed)
        let side = numbers.floats(25)
        let expected = dense.solved(for: side)
        let errors = try Self.complements.map {
            let solution = try solver(curvature, rank: 6, complement: $0).solve(side, count: 1, in: system, parallel: parallel)
            let difference = zip(solution.vectors, expected).map { Double($0) - $1 }
            return zip(difference, dense.times(difference)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        #expect(errors.allSatisfy { errors[4] <= $0 * (1 + 1e-3) })
    }

    @Test("more pairs leave less")
    func rate() throws {
        let curvature = RankOneCurvature(count: 100, scales: (0..<30).map { 1 / Double($0 + 1) }, seed: 5)
        let system = DampedCurvature(curvature, shift: 0.001)
        var numbers = SeededNumbers(5)
        let side = numbers.floats(30)
        let expected = curvature.dense.plus(diagonal: 0.001).solved(for: side)
        let errors = try [5, 10, 20, 29].map {
            Closeness.relativeDistance(
                try solver(curvature, rank: $0).solve(side, count: 1, in: system, parallel: parallel).vectors, expected)
        }
        for (fewer, more) in zip(errors, errors.dropFirst()) { #expect(more < fewer) }
    }

    @Test("solves each right-hand side as if alone, on any number of threads, to the last bit", arguments: complements)
    func independence(complement: ArnoldiSolver.Complement) throws {
        let order = 3000
        let curvature = RankOneCurvature(count: 40, scales: (0..<order).map { 1 / Double($0 % 9 + 1) }, seed: 6)
        let solver = try ArnoldiSolver(
            of: curvature, rank: 12, steps: 16, complement: complement, memoryLimit: 1 << 24, parallel: parallel)
        let system = DampedCurvature(curvature, shift: 0.1)
        var numbers = SeededNumbers(6)
        let sides = numbers.floats(order * 5)
        let together = try solver.solve(sides, count: 5, in: system, parallel: Parallel(threads: 3))
        for i in 0..<5 {
            let alone = try solver.solve(
                Array(sides[i * order..<(i + 1) * order]), count: 1, in: system, parallel: Parallel(threads: 1))
            #expect(alone == together[i])
        }
    }

    @Test("a zero right-hand side has a zero solution; one that is not finite is an error")
    func numbers() throws {
        let curvature = RankOneCurvature(diagonal: [4, 3, 2, 1, 0.5])
        let system = DampedCurvature(curvature, shift: 0.1)
        for complement in Self.complements {
            let solver = try solver(curvature, rank: 2, complement: complement)
            let zero = try solver.solve([0, 0, 0, 0, 0], count: 1, in: system, parallel: parallel)
            #expect(zero.vectors == [0, 0, 0, 0, 0])
            #expect(zero.residuals == [0])
            for number in [Float.nan, .infinity] {
                #expect(throws: SolverError.notFinite) {
                    try solver.solve([1, number, 1, 1, 1], count: 1, in: system, parallel: parallel)
                }
            }
        }
    }

    @Test("a curvature that is not finite is an error")
    func notFinite() {
        let curvature = RankOneCurvature([.nan, 1, 1, 1, 1, 1], width: 3)
        #expect(throws: SolverError.notFinite) { try solver(curvature, rank: 2) }
        #expect(throws: SolverError.notFinite) { try SpectrumEnds(of: curvature, parallel: parallel) }
        #expect(throws: SolverError.notFinite) { try SpectrumDensity(of: curvature, parallel: parallel) }
        #expect(throws: SolverError.notFinite) { try SpectrumEstimate(of: curvature, parallel: parallel) }
    }

    @Test("an eigenvalue below −λ is refused, and the pairs name the damping that would do")
    func indefinite() throws {
        let curvature = RankOneCurvature(diagonal: [4, 3, -0.5, 1, 0.5, 0])
        let solver = try solver(curvature, rank: 2)
        let side: [Float] = [1, 1, 1, 1, 1, 1]
        #expect(throws: SolverError.notPositiveDefinite(shift: 0.1)) {
            try solver.solve(side, count: 1, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel)
        }
        let damping = solver.pairs.ends.dampingNeeded(weightDecay: 0.1)
        #expect(damping > 0.4 && damping < 0.46)
        let solution = try solver.solve(
            side, count: 1, in: DampedCurvature(curvature, shift: 0.1 + damping), parallel: parallel)
        #expect(solution.residuals.allSatisfy { $0.isFinite })
        #expect(solver.pairs.ends.dampingNeeded(weightDecay: 1) == 0)
    }

    @Test("where curvature and λ are both zero there is no solution; with λ it is v/λ")
    func zero() throws {
        let curvature = RankOneCurvature(diagonal: [0, 0, 0])
        let solver = try solver(curvature, rank: 1)
        #expect(throws: SolverError.notPositiveDefinite(shift: 0)) {
            try solver.solve([1, 2, 3], count: 1, in: DampedCurvature(curvature, shift: 0), parallel: parallel)
        }
        let solution = try solver.solve([1, 2, 3], count: 1, in: DampedCurvature(curvature, shift: 0.5), parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, [2, 4, 6]) < 1e-6)
    }

    @Test("says how much memory the search would take, before it begins")
    func tooLarge() throws {
        let curvature = RankOneCurvature(diagonal: [Double](repeating: 1, count: 10))
        // Six steps' vectors and the next, two pairs' and T's own.
        let bytes = ((6 + 2 + 1) * 10 + 4 * 6 * 6) * 4
        #expect(throws: SolverError.tooLarge(parameters: 10, bytes: bytes, limit: bytes - 1)) {
            try ArnoldiSolver(of: curvature, rank: 2, steps: 6, memoryLimit: bytes - 1, parallel: parallel)
        }
        #expect(throws: SolverError.tooLarge(parameters: .max, bytes: .max, limit: .max)) {
            try ArnoldiSolver.checkSize(dimension: .max, rank: 2, steps: 6, memoryLimit: .max)
        }
    }

    @Test("search and solution stop when interrupted")
    func interrupted() throws {
        let curvature = RankOneCurvature(diagonal: [4, 3, 2])
        let stop = Interruption { true }
        #expect(throws: Interrupted()) {
            try ArnoldiSolver(of: curvature, rank: 2, memoryLimit: 1 << 20, parallel: parallel, interruption: stop)
        }
        let solver = try solver(curvature, rank: 2)
        #expect(throws: Interrupted()) {
            try solver.solve(
                [1, 2, 3], count: 1, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel, interruption: stop)
        }
    }

    @Test("as a preconditioner it is symmetric, positive definite and, with all pairs, the inverse")
    func preconditioner() throws {
        let curvature = RankOneCurvature(count: 60, scales: (0..<20).map { 1 / Double($0 + 1) }, seed: 8)
        for rank in [4, 20] {
            let preconditioner = ArnoldiPreconditioner(try solver(curvature, rank: rank), shift: 0.05)
            var axes = [Float](repeating: 0, count: 400)
            for i in 0..<20 { axes[i * 21] = 1 }
            var inverse = [Float](repeating: 0, count: 400)
            try preconditioner.apply(axes, to: &inverse, count: 20, parallel: parallel, interruption: .never)
            for i in 0..<20 { for j in 0..<i { #expect(abs(inverse[i * 20 + j] - inverse[j * 20 + i]) < 1e-4) } }
            let dense = DenseMatrix(rows: 20, columns: 20, elements: inverse.map { Double($0) })
            #expect(dense.symmetricEigenvalues.allSatisfy { $0 > 0 })
            guard rank == 20 else { continue }
            let product = dense * curvature.dense.plus(diagonal: 0.05)
            #expect(Closeness.relativeDistance(product.elements, axes) < 1e-4)
        }
    }
}
