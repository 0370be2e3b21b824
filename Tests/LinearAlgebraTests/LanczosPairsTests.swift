import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("Lanczos's eigenpairs")
struct LanczosPairsTests {
    private func pairs(
        _ matrix: DenseMatrix, count: Int, steps: Int, tolerance: Double = 0, threads: Int = 2
    ) throws -> Eigenpairs {
        try Lanczos.leadingPairs(
            count, dimension: matrix.rows, steps: steps, tolerance: tolerance, parallel: Parallel(threads: threads)
        ) { x, y in matrix.multiply(x, y) }
    }

    private func decaying(from first: Double, by factor: Double, count: Int) -> [Double] {
        var value = first
        return (0..<count).map { _ in
            defer { value *= factor }
            return value
        }
    }

    /// max ‖Aq − θq‖, less the residual told, and max |qᵢ·qⱼ − δᵢⱼ|.
    private func errors(_ pairs: Eigenpairs, of matrix: DenseMatrix) -> (excess: Double, angle: Double) {
        let order = matrix.rows
        let vectors = (0..<pairs.count).map { Array(pairs.vectors.elements[$0 * order..<($0 + 1) * order]) }
        var (excess, angle) = (-Double.infinity, 0.0)
        for (j, q) in vectors.enumerated() {
            var squares = 0.0
            for (image, component) in zip(matrix.times(q), q) {
                let distance: Double = image - pairs.values[j] * Double(component)
                squares += distance * distance
            }
            excess = max(excess, squares.squareRoot() - pairs.residuals[j])
            for i in 0...j { angle = max(angle, abs(Vectors.dot(vectors[i], q) - (i == j ? 1 : 0))) }
        }
        return (excess, angle)
    }

    @Test("finds the leading ones of a decaying spectrum, orthonormal, with their residuals", arguments: [1, 2, 5, 10])
    func decaying(count: Int) throws {
        var numbers = SeededNumbers(1)
        let spectrum = decaying(from: 10, by: 0.85, count: 80)
        let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        let pairs = try pairs(matrix, count: count, steps: 50)
        #expect(Closeness.largestError(pairs.values, spectrum.prefix(count)) < 1e-5)
        let errors = errors(pairs, of: matrix)
        #expect(errors.excess < 2e-5)
        #expect(errors.angle < 5e-6)
    }

    @Test("told residuals are those of pairs that are still far from converged")
    func unconverged() throws {
        var numbers = SeededNumbers(2)
        let matrix = DenseMatrix.symmetric(eigenvalues: (1...100).map { Double($0) }, random: &numbers)
        let pairs = try pairs(matrix, count: 8, steps: 12)
        #expect(pairs.residuals.contains { $0 > 1 })
        let errors = errors(pairs, of: matrix)
        #expect(abs(errors.excess) < 1e-3)
        #expect(errors.angle < 5e-6)
    }

    @Test(
        "of as many steps as dimensions, all pairs are exact: of repeated, clustered, missing and negative eigenvalues",
        arguments: [1, 2, 3, 12, 40])
    func complete(order: Int) throws {
        var numbers = SeededNumbers(3)
        let spectra: [[Double]] = [
            (0..<order).map { Double($0 % 3) },
            (0..<order).map { Double(1 + 1e-7 * Double($0)) },
            [Double](repeating: 5, count: min(2, order)) + [Double](repeating: 0, count: max(0, order - 2)),
            (1...order).map { Double($0 % 2 == 0 ? $0 : -$0) },
            [Double](repeating: 0, count: order),
            [Double](repeating: 7, count: order),
        ]
        for spectrum in spectra {
            let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
            let pairs = try pairs(matrix, count: order + 3, steps: order + 3)
            let size = spectrum.map { abs($0) }.max() ?? 0
            #expect(pairs.count == order)
            #expect(zip(pairs.values.sorted(), spectrum.sorted()).allSatisfy { abs($0 - $1) <= 1e-5 * size })
            let errors = errors(pairs, of: matrix)
            #expect(errors.excess <= 1e-5 * size)
            #expect(errors.angle < 1e-5)
        }
    }

    @Test("those of largest magnitude come first, whatever their sign")
    func magnitude() throws {
        let pairs = try pairs(DenseMatrix(diagonal: [1, -9, 4, 0.5, -2, 8]), count: 4, steps: 6)
        #expect(Closeness.largestError(pairs.values, [-9, 8, 4, -2]) < 1e-5)
        #expect(abs(pairs.ends.smallest.value + 9) < 1e-4)
        #expect(abs(pairs.ends.largest.value - 8) < 1e-4)
    }

    @Test("stops once all are within the tolerance, and not before")
    func tolerance() throws {
        var numbers = SeededNumbers(4)
        let spectrum = decaying(from: 1, by: 0.8, count: 120)
        let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        let loose = try pairs(matrix, count: 6, steps: 120, tolerance: 1e-2)
        let tight = try pairs(matrix, count: 6, steps: 120, tolerance: 1e-5)
        #expect(loose.residuals.allSatisfy { $0 <= 1e-2 })
        #expect(tight.residuals.allSatisfy { $0 <= 1e-5 })
        #expect(loose.ends.steps < tight.ends.steps)
        #expect(tight.ends.steps < 120)
    }

    @Test("have the same bits on any number of threads, where vectors are cut into pieces")
    func threads() throws {
        let dimension = 9000
        let runs = try [1, 2, 5].map { threads in
            try Lanczos.leadingPairs(5, dimension: dimension, steps: 12, parallel: Parallel(threads: threads)) { x, y in
                for i in 0..<dimension { y[i] = x[i] * Float(i % 50 + 1) / 50 + 0.1 * x[(i + 1) % dimension] }
                for i in 0..<dimension { y[(i + 1) % dimension] += 0.1 * x[i] }
            }
        }
        for run in runs.dropFirst() {
            #expect(run.values == runs[0].values)
            #expect(run.residuals == runs[0].residuals)
            #expect(run.vectors.copy == runs[0].vectors.copy)
        }
    }

    @Test("what is done beside the products asks whether to stop")
    func interruption() {
        let dimension = 20_000
        for most in [0, 1, 5, 40, 200] {
            let asked = Atomic(0)
            var products = 0
            #expect(throws: Interrupted()) {
                try Lanczos.leadingPairs(
                    20, dimension: dimension, steps: 40, parallel: Parallel(threads: 2),
                    interruption: Interruption { asked.add(1, ordering: .relaxed).oldValue >= most }
                ) { x, y in
                    products += 1
                    for i in 0..<dimension { y[i] = Float(i) * x[i] }
                }
            }
            #expect(products <= most)
        }
    }

    @Test("the quadrature of a probe has the matrix's moments as the probe sees them")
    func quadrature() throws {
        var numbers = SeededNumbers(6)
        let matrix = DenseMatrix.symmetric(eigenvalues: (0..<30).map { Double($0 % 10) - 2 }, random: &numbers)
        // Ten different eigenvalues are all that there is to see.
        let quadrature = try Lanczos.quadrature(probe: 3, dimension: 30, steps: 30, parallel: Parallel(threads: 1)) { x, y in
            matrix.multiply(x, y)
        }
        #expect(abs(quadrature.weights.reduce(0, +) - 1) < 1e-6)
        for (node, weight) in zip(quadrature.nodes, quadrature.weights) where weight > 1e-4 {
            #expect(abs(node - node.rounded()) < 1e-3)
        }
    }
}
