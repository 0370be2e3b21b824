import InverseCurvature
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("conjugate gradients: companions, threads, interruptions")
struct ConjugateGradientIndependenceTests {
    @Test(
        "several right-hand sides are solved as each alone, bit for bit, however many steps each takes",
        arguments: [1, 2, 3, 7, 16, 33])
    func several(count: Int) throws {
        let order = 30
        let curvature = RankOneCurvature(count: 200, scales: (0..<order).map { $0 < 15 ? 3 : 0.1 }, seed: 1)
        let system = DampedCurvature(curvature, shift: 0.01)
        let diagonal = (0..<order).map { Float(curvature.dense[$0, $0]) }
        var numbers = SeededNumbers(2)
        // Sizes far apart, zeros among them, and sides that live where the curvature is strong, which need fewer steps.
        let sides = (0..<count).flatMap { side -> [Float] in
            let values = numbers.floats(order, scale: [1, 1e-12, 1e12, 0][side % 4])
            return side % 3 == 0 ? values.enumerated().map { $0.offset < 15 ? $0.element : 0 } : values
        }
        for preconditioner in [nil, DiagonalPreconditioner(diagonal: diagonal, shift: 0.01)] {
            for (maxIter, tol) in [(1000, 1e-4), (1000, 0), (7, 1e-3)] {
                let solver = ConjugateGradient(.init(maxIter: maxIter, tol: tol), preconditioner: preconditioner)
                let together = try solver.solve(sides, count: count, in: system, parallel: Parallel(threads: 2))
                for side in 0..<count {
                    let part = Array(sides[side * order..<(side + 1) * order])
                    let alone = try solver.solve(part, count: 1, in: system, parallel: Parallel(threads: 1))
                    #expect(alone == together[side])
                }
                #expect(count < 7 || Set(together.iterations).count > 1)
            }
        }
    }

    @Test("vectors longer than a piece of work have the same bits on any number of threads")
    func threads() throws {
        let length = 50_000
        let curvature = RankOneCurvature(count: 12, scales: (0..<length).map { $0 % 3 == 0 ? 0.05 : 0.01 }, seed: 3)
        let system = DampedCurvature(curvature, shift: 0.01)
        var numbers = SeededNumbers(4)
        let sides = numbers.floats(2 * length)
        let preconditioner = DiagonalPreconditioner(
            diagonal: (0..<length).map { $0 % 3 == 0 ? 0.0025 : 0.0001 }, shift: 0.01)
        let solver = ConjugateGradient(.init(maxIter: 6, tol: 0), preconditioner: preconditioner)
        let one = try solver.solve(sides, count: 2, in: system, parallel: Parallel(threads: 1))
        for threads in [2, 5] {
            #expect(try solver.solve(sides, count: 2, in: system, parallel: Parallel(threads: threads)) == one)
        }
        let alone = try solver.solve(
            Array(sides[length...]), count: 1, in: system, parallel: Parallel(threads: 3))
        #expect(alone == one[1])
    }

    @Test("a right-hand side times a power of two has the same solution, times it, as far as single precision reaches")
    func sizes() throws {
        let curvature = RankOneCurvature(count: 40, scales: [1, 0.5, 0.25, 0.125], seed: 5)
        let system = DampedCurvature(curvature, shift: 0.1)
        let solver = ConjugateGradient(.init(tol: 1e-5))
        let side: [Float] = [1, -2, 3, -0.5]
        let parallel = Parallel(threads: 1)
        let solution = try solver.solve(side, count: 1, in: system, parallel: parallel)
        for exponent in [-100, -60, -1, 1, 60, 120] {
            let factor = Float(sign: .plus, exponent: exponent, significand: 1)
            let scaled = try solver.solve(side.map { factor * $0 }, count: 1, in: system, parallel: parallel)
            #expect(scaled.vectors == solution.vectors.map { factor * $0 })
            #expect(scaled.residuals == solution.residuals)
            #expect(scaled.iterations == solution.iterations)
        }
        // The smallest numbers there are, of one bit.
        let smallest = [Float](repeating: .leastNonzeroMagnitude, count: 4)
        #expect(try solver.solve(smallest, count: 1, in: system, parallel: parallel).converged == [true])
    }

    @Test("stop wherever they are interrupted", arguments: [1, 2])
    func interrupted(threads: Int) throws {
        let curvature = RankOneCurvature(count: 50, scales: (0..<20).map { 1 / Double($0 + 1) }, seed: 6)
        let system = DampedCurvature(curvature, shift: 1e-3)
        var numbers = SeededNumbers(7)
        let sides = numbers.floats(40)
        let solver = ConjugateGradient(
            .init(maxIter: 1000, tol: 1e-5),
            preconditioner: DiagonalPreconditioner(diagonal: [Float](repeating: 1, count: 20), shift: 0))
        for limit in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
            let asked = Atomic(0)
            let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue > limit }
            #expect(throws: Interrupted()) {
                try solver.solve(
                    sides, count: 2, in: system, parallel: Parallel(threads: threads), interruption: interruption)
            }
            #expect(asked.load(ordering: .relaxed) <= limit + threads)
        }
    }
}
