import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("the exact solver")
struct ExactSolverTests {
    private let parallel = Parallel(threads: 2)

    private func solver(_ system: DampedCurvature) throws -> ExactSolver {
        try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel)
    }

    @Test("agrees with Gaussian elimination in double precision, of even and odd order", arguments: [1, 2, 5, 8, 21, 40])
    func elimination(order: Int) throws {
        let curvature = RankOneCurvature(count: 3 * order, scales: (0..<order).map { 1 / Double($0 + 1) }, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.05)
        let solver = try solver(system)
        var numbers = SeededNumbers(2)
        for count in [1, 2, 5] {
            let sides = numbers.floats(order * count)
            let solution = try solver.solve(sides, count: count, in: system, parallel: parallel)
            #expect(solution.converged.allSatisfy { $0 })
            #expect(solution.repeats.isEmpty)
            #expect(solution.residuals.count == count)
            for i in 0..<count {
                let part = i * order..<(i + 1) * order
                let expected = curvature.dense.plus(diagonal: 0.05).solved(for: Array(sides[part]))
                #expect(Closeness.relativeDistance(solution.vectors[part], expected) < 1e-5)
            }
        }
    }

    @Test("its residuals are those of the vectors it returns", arguments: [1, 1e-2, 1e-4, 1e-6])
    func residuals(shift: Double) throws {
        let curvature = RankOneCurvature(count: 50, scales: (0..<12).map { 1 / Double($0 * $0 + 1) }, seed: 3)
        let system = DampedCurvature(curvature, shift: shift)
        var numbers = SeededNumbers(4)
        let sides = numbers.floats(36)
        let solution = try solver(system).solve(sides, count: 3, in: system, parallel: parallel)
        for i in 0..<3 {
            let part = i * 12..<(i + 1) * 12
            let measured = curvature.residual(solution.vectors[part], sides[part], shift: shift)
            // Single precision measures down to its own rounding, times the condition of what it rounds.
            #expect(abs(solution.residuals[i] - measured) < 1e-5)
            #expect(measured < 1e-3)
        }
        #expect(solution.converged.allSatisfy { $0 })
    }

    @Test("refines: what a factor of a slightly different matrix leaves over is removed against the data themselves")
    func refinement() throws {
        let curvature = RankOneCurvature(count: 200, scales: (0..<30).map { $0 < 15 ? 3 : 0.1 }, seed: 5)
        let system = DampedCurvature(curvature, shift: 0.01)
        let nearby = try solver(DampedCurvature(curvature, shift: 0.0105))
        var numbers = SeededNumbers(6)
        let side = numbers.floats(30)
        var once = side
        try nearby.factor.solve(&once, count: 1)
        #expect(curvature.residual(once, side, shift: 0.01) > 1e-2)
        let solution = try nearby.solve(side, count: 1, in: system, parallel: parallel)
        #expect(curvature.residual(solution.vectors, side, shift: 0.01) < 1e-4)
        #expect(solution.converged.allSatisfy { $0 })
    }

    @Test("says how large the matrix would be, before it makes it, where it does not fit")
    func tooLarge() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [Double](repeating: 1, count: 9)), shift: 0)
        let bytes = 9 * 10 / 2 * 4
        #expect(throws: SolverError.tooLarge(parameters: 9, bytes: bytes, limit: bytes - 1)) {
            try ExactSolver(
                factoring: system, memoryLimit: bytes - 1, parallel: parallel,
                interruption: Interruption {
                    Issue.record("work began")
                    return false
                })
        }
        #expect(throws: SolverError.tooLarge(parameters: 9, bytes: bytes, limit: 0)) {
            try ExactSolver.checkSize(of: system, memoryLimit: 0)
        }
        try ExactSolver.checkSize(of: system, memoryLimit: bytes)
        _ = try ExactSolver(factoring: system, memoryLimit: bytes, parallel: parallel)
    }

    @Test("refuses curvatures that are not positive definite, and solves them with enough damping")
    func indefinite() throws {
        let curvature = RankOneCurvature(diagonal: [3, 2, -1, 1])
        for shift in [0, 0.5, 0.99] {
            #expect(throws: SolverError.notPositiveDefinite(shift: shift)) {
                try solver(DampedCurvature(curvature, shift: shift))
            }
        }
        let damped = DampedCurvature(curvature, shift: 1.5)
        let solution = try solver(damped).solve([1, 1, 1, 1], count: 1, in: damped, parallel: parallel)
        #expect(Closeness.largestError(solution.vectors, [1 / 4.5, 1 / 3.5, 2, 1 / 2.5]) < 1e-5)
    }

    @Test("refuses a singular curvature without damping")
    func singular() {
        #expect(throws: SolverError.notPositiveDefinite(shift: 0)) {
            try solver(DampedCurvature(RankOneCurvature(diagonal: [1, 0, 2]), shift: 0))
        }
    }

    @Test("a curvature that is not finite is refused rather than solved", arguments: [Float.nan, .infinity, 1e25])
    func notFinite(value: Float) {
        let curvature = RankOneCurvature([1, 0, 0, 0, value, 0, 0, 0, 1], width: 3)
        #expect(throws: SolverError.self) { try solver(DampedCurvature(curvature, shift: 0.1)) }
    }

    @Test("a right-hand side of zeros has the solution zero and the residual zero, beside others")
    func zero() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, 2]), shift: 0)
        let solution = try solver(system).solve([0, 0, 1, 1], count: 2, in: system, parallel: parallel)
        #expect(Array(solution.vectors[0..<2]) == [0, 0])
        #expect(solution.residuals[0] == 0)
        #expect(Closeness.largestError(solution.vectors[2..<4], [1, 0.5]) < 1e-6)
        #expect(solution.converged.allSatisfy { $0 })
    }

    @Test(
        "several right-hand sides are solved as each alone, bit for bit, however many rounds each is refined",
        arguments: [1, 2, 3, 7, 8, 9, 17, 33])
    func several(count: Int) throws {
        let order = 30
        let curvature = RankOneCurvature(count: 200, scales: (0..<order).map { $0 < 15 ? 3 : 0.1 }, seed: 8)
        let system = DampedCurvature(curvature, shift: 0.01)
        var numbers = SeededNumbers(9)
        // Sizes far apart, zeros among them, and sides that live where the curvature is strong, which need fewer rounds.
        let sides = (0..<count).flatMap { side -> [Float] in
            let values = numbers.floats(order, scale: [1, 1e-12, 1e12, 0][side % 4])
            return side % 3 == 0 ? values.enumerated().map { $0.offset < 15 ? $0.element : 0 } : values
        }
        for factored in [0.01, 0.0101, 0.02] {
            let solver = try solver(DampedCurvature(curvature, shift: factored))
            let together = try solver.solve(sides, count: count, in: system, parallel: parallel)
            #expect(together.converged.count == count)
            for side in 0..<count {
                let part = Array(sides[side * order..<(side + 1) * order])
                #expect(try solver.solve(part, count: 1, in: system, parallel: Parallel(threads: 1)) == together[side])
            }
        }
    }

    @Test("which of several have converged is said of each")
    func convergedEach() throws {
        let curvature = RankOneCurvature(diagonal: [1, 1, 0.001, 1])
        // A factor so far off along one axis that no round helps there.
        let far = try solver(DampedCurvature(RankOneCurvature(diagonal: [1, 1, 1000, 1]), shift: 0.001))
        let system = DampedCurvature(curvature, shift: 0.001)
        let solution = try far.solve([1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], count: 3, in: system, parallel: parallel)
        #expect(solution.converged == [true, false, true])
        #expect(solution.residuals[0] < 1e-5 && solution.residuals[1] > 0.9 && solution.residuals[2] < 1e-5)
    }

    @Test("a factor kept from before solves the same, bit for bit")
    func kept() throws {
        let system = DampedCurvature(RankOneCurvature(count: 30, scales: [1, 2, 3, 4, 5], seed: 7), shift: 0.1)
        let first = try solver(system)
        let second = ExactSolver(factor: CholeskyFactor(packed: first.factor.packed))
        let side: [Float] = [1, -1, 2, -2, 3]
        let solutions = try [first, second].map { try $0.solve(side, count: 1, in: system, parallel: parallel).vectors }
        #expect(solutions[0] == solutions[1])
    }

    @Test("stops when interrupted, while building and while solving")
    func interrupted() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, 2, 3]), shift: 0.1)
        let raised = Interruption { true }
        #expect(throws: Interrupted()) {
            try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel, interruption: raised)
        }
        let solver = try solver(system)
        #expect(throws: Interrupted()) {
            try solver.solve([1, 1, 1], count: 1, in: system, parallel: parallel, interruption: raised)
        }
    }
}
