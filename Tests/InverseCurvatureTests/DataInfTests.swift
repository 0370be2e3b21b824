import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("DataInf")
struct DataInfTests {
    private let parallel = Parallel(threads: 2)

    private func solve(_ rows: DenseRows, _ sides: [Float], shift: Double, threads: Int = 2) throws -> Solution {
        try DataInf(rows: rows).solve(
            sides, count: sides.count / rows.dimension, in: DampedCurvature(rows.curvature, shift: shift),
            parallel: Parallel(threads: threads))
    }

    /// (1/n) Σᵢ (aᵢₗaᵢₗᵀ + λI)⁻¹vₗ, each inverse applied by elimination.
    private func reference(_ rows: DenseRows, _ v: [Float], shift: Double) -> [Double] {
        var result = [Double](repeating: 0, count: v.count)
        for block in rows.blocks {
            for example in 0..<rows.exampleCount {
                let a = Array(rows.row(example)[block])
                var matrix = DenseMatrix(rows: a.count, columns: a.count)
                for i in a.indices { for j in a.indices { matrix[i, j] = a[i] * a[j] + (i == j ? shift : 0) } }
                for (i, value) in matrix.solved(for: Array(v[block])).enumerated() {
                    result[block.lowerBound + i] += value / Double(rows.exampleCount)
                }
            }
        }
        return result
    }

    @Test("is the mean of the examples' inverses, layer by layer", arguments: [1, 2, 17, 100], [0.01, 1, 100])
    func formula(examples: Int, shift: Double) throws {
        let scales = (0..<9).map { 1 / Double($0 + 1) }
        for blocks in [[0..<9], [0..<4, 4..<5, 5..<9]] {
            let rows = DenseRows(count: examples, scales: scales, seed: 1, blocks: blocks)
            var numbers = SeededNumbers(2)
            let sides = numbers.floats(27)
            let solution = try solve(rows, sides, shift: shift)
            for i in 0..<3 {
                let part = Array(sides[9 * i..<9 * i + 9])
                let vector = solution.vectors[9 * i..<9 * i + 9]
                #expect(Closeness.relativeDistance(vector, reference(rows, part, shift: shift)) < 1e-5)
                let measured = rows.curvature.residual(vector, part, shift: shift)
                #expect(abs(solution.residuals[i] - measured) < 1e-4 * max(1, measured))
                #expect(solution.converged[i] == (solution.residuals[i] <= 1e-3))
            }
            #expect(solution.repeats.isEmpty && solution.iterations.isEmpty && solution.accuracies.isEmpty)
        }
    }

    @Test("is exact for a single example, and for examples of one gradient", arguments: [1, 5, 40])
    func exact(examples: Int) throws {
        var numbers = SeededNumbers(3)
        let gradient = numbers.floats(12)
        let rows = DenseRows((0..<examples).flatMap { _ in gradient }, width: 12)
        let side = numbers.floats(12)
        let solution = try solve(rows, side, shift: 0.5)
        let system = DampedCurvature(rows.curvature, shift: 0.5)
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel)
            .solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, exact.vectors) < 1e-5)
        #expect(solution.converged == [true])
    }

    @Test("does not claim to have converged where gradients differ, and comes closer the larger λ is")
    func approximate() throws {
        let rows = DenseRows(count: 40, scales: [2, 1, 1, 0.5, 0.1], seed: 4)
        var numbers = SeededNumbers(5)
        let side = numbers.floats(5)
        let solutions = try [0.1, 1, 10, 100, 10_000].map { try solve(rows, side, shift: $0) }
        #expect(solutions.map { $0.converged[0] } == [false, false, false, false, true])
        for (near, far) in zip(solutions.dropFirst(), solutions) { #expect(near.residuals[0] < far.residuals[0]) }
    }

    @Test("gradients of zero are v/λ, with a curvature that is zero then")
    func zeroGradients() throws {
        let rows = DenseRows([Float](repeating: 0, count: 12), width: 4, blocks: [0..<3, 3..<4])
        let solution = try solve(rows, [1, 2, 3, 4, 0, 0, 0, 0], shift: 0.5)
        #expect(solution.vectors == [2, 4, 6, 8, 0, 0, 0, 0])
        #expect(solution.residuals == [0, 0])
        #expect(solution.converged == [true, true])
        // D + λI is the identity.
        #expect(try solve(rows, [1, 2, 3, 4], shift: 1).vectors == [1, 2, 3, 4])
    }

    @Test("the residual is that of the curvature that is asked about, and not of the one that is inverted")
    func otherCurvature() throws {
        let rows = DenseRows([1, 2, 3, 1, 2, 3], width: 3)
        let other = RankOneCurvature(count: 20, scales: [1, 2, 3], seed: 6)
        let system = DampedCurvature(other, shift: 0.5)
        let solution = try DataInf(rows: rows).solve([1, 1, 1], count: 1, in: system, parallel: parallel)
        #expect(abs(solution.residuals[0] - other.residual(solution.vectors, [1, 1, 1] as [Float], shift: 0.5)) < 1e-4)
        #expect(solution.converged == [false])
    }

    @Test(
        "a λ that nothing can be divided by is refused, whatever the gradients are", arguments: [0, -1, 1e-45, Double.infinity])
    func noDamping(shift: Double) {
        let rows = DenseRows(count: 3, scales: [1, 1], seed: 7)
        #expect(throws: SolverError.notPositiveDefinite(shift: shift)) { try solve(rows, [1, 1], shift: shift) }
    }

    @Test("numbers that are not finite are refused", arguments: [Float.nan, .infinity])
    func notFinite(value: Float) {
        let good = DenseRows(count: 3, scales: [1, 1], seed: 8)
        #expect(throws: SolverError.notFinite) { try solve(good, [value, 1], shift: 0.1) }
        #expect(throws: SolverError.notFinite) { try solve(DenseRows([1, value, 1, 1], width: 2), [1, 1], shift: 0.1) }
    }

    @Test("several right-hand sides are solved as each alone, bit for bit, on any number of threads", arguments: [1, 2, 9, 40])
    func several(count: Int) throws {
        let rows = DenseRows(count: 70, scales: (0..<30).map { 1 / Double($0 + 1) }, seed: 9, blocks: [0..<11, 11..<30])
        var numbers = SeededNumbers(10)
        let sides = (0..<count).flatMap { numbers.floats(30, scale: [1, 1e-12, 1e12, 0][$0 % 4]) }
        let together = try solve(rows, sides, shift: 0.01, threads: 3)
        for side in 0..<count {
            let part = Array(sides[side * 30..<(side + 1) * 30])
            #expect(try solve(rows, part, shift: 0.01, threads: 1) == together[side])
        }
    }

    @Test("stops when interrupted")
    func interrupted() {
        let rows = DenseRows(count: 3, scales: [1, 1, 1, 1], seed: 11)
        #expect(throws: Interrupted()) {
            try DataInf(rows: rows).solve(
                [1, 1, 1, 1], count: 1, in: DampedCurvature(rows.curvature, shift: 1), parallel: parallel,
                interruption: Interruption { true })
        }
    }
}
