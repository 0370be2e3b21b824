import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("RelatIF's denominators by EKFAC")
struct EKFACNormsTests {
    private let parallel = Parallel(threads: 2)

    private func norms(
        _ approximation: EKFAC, _ rows: any FisherRows, shift: Double, memoryLimit: Int = 1 << 24, threads: Int = 2
    ) throws -> InverseNorms {
        // The curvature itself is not asked.
        let system = DampedCurvature(
            RankOneCurvature([Float](repeating: 0, count: approximation.dimension), width: approximation.dimension), shift: shift)
        return try approximation.inverseNorms(
            of: rows, .both, in: system, memoryLimit: memoryLimit, parallel: Parallel(threads: threads), interruption: .never)
    }

    /// A layer of outer products, and behind it two blocks and a diagonal that share gradients which are written out.
    private func mixed() throws -> EKFAC {
        var numbers = SeededNumbers(2)
        return try EKFAC(
            blocks: [
                .kronecker(try EKFACProblem.block(outputs: 2, inputs: 3, weights: 18, biases: 24, random: &numbers)),
                .diagonal(offset: 28, values: AlignedMemory(copying: [0.5, 0, 2])),
                .kronecker(try EKFACProblem.block(outputs: 3, inputs: 5, weights: 0, biases: 15, random: &numbers)),
                .kronecker(try EKFACProblem.block(outputs: 1, inputs: 2, weights: 26, biases: nil, random: &numbers)),
            ], exampleCount: 1)
    }

    @Test(
        "gradients that are written out agree with the approximation's matrix, solved in double precision", arguments: [0.01, 3])
    func written(shift: Double) throws {
        let problem = try EKFACProblem()
        let approximation = try EKFAC(blocks: problem.blocks, exampleCount: 1)
        let rows = DenseRows(count: 12, scales: (0..<37).map { 3 / Double($0 % 5 + 1) }, seed: 1)
        let reference = NormReference(rows, problem.dense.plus(diagonal: shift))
        #expect(try reference.error(norms(approximation, rows, shift: shift)) < 1e-5)
    }

    @Test("gradients that are outer products have the norms that they have written out", arguments: [1, 5, 300])
    func outer(count: Int) throws {
        let approximation = try mixed()
        let rows = OuterRows(count: count, inputs: 5, outputs: 3, plain: 13, seed: 3)
        let factored = try norms(approximation, rows, shift: 0.1)
        let written = try norms(approximation, rows.written, shift: 0.1)
        for i in 0..<count {
            #expect(abs(factored.selfInfluence[i] / written.selfInfluence[i] - 1) < 1e-5)
            #expect(abs((factored.squaredSteps?[i] ?? 0) / (written.squaredSteps?[i] ?? 0) - 1) < 1e-5)
        }
        let solutions = try (0..<count).prefix(5).map { i in
            var solution = [Float](repeating: 0, count: 31)
            try approximation.inverse(shift: 0.1).apply(
                Array(rows.written.numbers[i * 31..<(i + 1) * 31]), to: &solution, count: 1, parallel: parallel,
                interruption: .never)
            return solution
        }
        for (i, solution) in solutions.enumerated() {
            #expect(abs((factored.squaredSteps?[i] ?? 0) / Vectors.dot(solution, solution) - 1) < 1e-5)
        }
    }

    @Test("they have the same bits whatever the memory and the number of threads")
    func determinism() throws {
        let approximation = try mixed()
        let rows = OuterRows(count: 300, inputs: 5, outputs: 3, plain: 13, seed: 4)
        let all = try norms(approximation, rows, shift: 0.1, threads: 3)
        for memoryLimit in [1, 5000] {
            #expect(try norms(approximation, rows, shift: 0.1, memoryLimit: memoryLimit, threads: 1) == all)
        }
    }

    @Test("squares of very small and very large gradients are not lost", arguments: [1e-30, 1e-20, 1e15, 1e30])
    func sizes(scale: Double) throws {
        let approximation = try mixed()
        let usual = try norms(approximation, OuterRows(count: 6, inputs: 5, outputs: 3, plain: 13, seed: 5), shift: 0.1)
        let scaled = try norms(
            approximation, OuterRows(count: 6, inputs: 5, outputs: 3, plain: 13, seed: 5, scale: scale), shift: 0.1)
        for i in 0..<6 {
            #expect(abs(scaled.selfInfluence[i] / usual.selfInfluence[i] / scale / scale - 1) < 1e-5)
            #expect(abs((scaled.squaredSteps?[i] ?? 0) / (usual.squaredSteps?[i] ?? 1) / scale / scale - 1) < 1e-5)
        }
    }

    @Test("a zero gradient has zeros, and one that is not finite is refused")
    func zeros() throws {
        let approximation = try mixed()
        let none = try norms(approximation, DenseRows([Float](repeating: 0, count: 62), width: 31), shift: 0.1)
        #expect(none.selfInfluence == [0, 0] && none.squaredSteps == [0, 0])
        for value in [Float.nan, .infinity] {
            var numbers = [Float](repeating: 1, count: 31)
            numbers[20] = value
            #expect(throws: SolverError.notFinite) {
                try norms(approximation, DenseRows(numbers, width: 31), shift: 0.1)
            }
            #expect(throws: SolverError.notFinite) {
                try norms(
                    approximation, OuterRows(count: 2, inputs: 5, outputs: 3, plain: 13, seed: 6, scale: Double(value)),
                    shift: 0.1)
            }
        }
    }

    @Test("no damping is refused where an eigenvalue is zero, and interruption stops it")
    func refusals() throws {
        let approximation = try mixed()
        let rows = OuterRows(count: 6, inputs: 5, outputs: 3, plain: 13, seed: 7)
        #expect(throws: SolverError.notPositiveDefinite(shift: 0)) { try norms(approximation, rows, shift: 0) }
        let system = DampedCurvature(RankOneCurvature([Float](repeating: 0, count: 31), width: 31), shift: 1)
        #expect(throws: Interrupted.self) {
            try approximation.inverseNorms(
                of: rows, .both, in: system, memoryLimit: 1 << 20, parallel: parallel, interruption: Interruption { true })
        }
    }
}
