import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("the diagonal preconditioner")
struct DiagonalPreconditionerTests {
    private let parallel = Parallel(threads: 2)

    private func applied(_ preconditioner: some Preconditioner, _ vectors: [Float], threads: Int = 2) throws -> [Float] {
        var result = [Float](repeating: .nan, count: vectors.count)
        try result.withUnsafeMutableBufferPointer {
            try preconditioner.apply(
                vectors, to: $0.baseAddress!, count: vectors.count / preconditioner.dimension,
                parallel: Parallel(threads: threads), interruption: .never)
        }
        return result
    }

    @Test("divides by the diagonal and λ, each of several vectors")
    func division() throws {
        let preconditioner = DiagonalPreconditioner(diagonal: [1, 3, 7], shift: 1)
        #expect(preconditioner.dimension == 3)
        #expect(try applied(preconditioner, [2, 4, 8, -1, 0, 16]) == [1, 1, 1, -0.5, 0, 2])
    }

    @Test("solves a diagonal curvature in one step, whatever its range")
    func oneStep() throws {
        let eigenvalues = [1e4, 1e2, 1, 1e-2, 1e-4]
        let curvature = RankOneCurvature(diagonal: eigenvalues)
        let system = DampedCurvature(curvature, shift: 1e-4)
        let preconditioner = DiagonalPreconditioner(diagonal: eigenvalues.map { Float($0) }, shift: 1e-4)
        let side: [Float] = [1, 1, 1, 1, 1]
        let solution = try ConjugateGradient(.init(tol: 1e-5), preconditioner: preconditioner)
            .solve(side, count: 1, in: system, parallel: parallel)
        #expect(solution.converged == [true])
        #expect(solution.iterations == [1])
        for (s, eigenvalue) in zip(solution.vectors, eigenvalues) {
            #expect(abs(Double(s) * (eigenvalue + 1e-4) - 1) < 1e-4)
        }
    }

    @Test("is positive definite and finite of any numbers at all")
    func anyNumbers() throws {
        let numbers: [Float] = [.nan, .infinity, -.infinity, -5, -0.1, 0, 1, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
        let ones = [Float](repeating: 1, count: numbers.count)
        for shift in [0, 1e-3, 1, 1e30, -2, .nan, .infinity, -.infinity, 1e300, -1e300, 1e-300] {
            for diagonal in [numbers, numbers.map { _ in .nan }, numbers.map { _ in 0 }, numbers.map { _ in -1 }] {
                let inverse = try applied(DiagonalPreconditioner(diagonal: diagonal, shift: shift), ones)
                #expect(inverse.allSatisfy { $0 > 0 && $0.isFinite }, "\(diagonal) + \(shift)")
            }
        }
        // Below λ: λ. Not finite: the largest.
        let inverse = try applied(DiagonalPreconditioner(diagonal: [3, -1, -0.25, .nan, .infinity], shift: 1), [1, 1, 1, 1, 1])
        #expect(inverse == [0.25, 1, 1, 0.25, 0.25])
    }

    @Test("of a wrong diagonal slows down, and leads to the same solution")
    func wrong() throws {
        let curvature = RankOneCurvature(count: 40, scales: [2, 1, 0.5, 0.25], seed: 1)
        let system = DampedCurvature(curvature, shift: 0.1)
        let side: [Float] = [1, 2, -1, 3]
        let expected = curvature.dense.plus(diagonal: 0.1).solved(for: side)
        for diagonal in [[0, 5, .nan, 3], [-1, -1, -1, -1], [.infinity, 0, 0, 0]] as [[Float]] {
            let solution = try ConjugateGradient(
                .init(tol: 1e-5), preconditioner: DiagonalPreconditioner(diagonal: diagonal, shift: 0.1)
            )
            .solve(side, count: 1, in: system, parallel: parallel)
            #expect(solution.converged == [true])
            #expect(Closeness.relativeDistance(solution.vectors, expected) < 1e-3)
        }
    }

    /// z = c·r, of any c.
    private struct Multiple: Preconditioner {
        let dimension: Int
        let factor: Float

        func apply(
            _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel,
            interruption: Interruption
        ) {
            for i in 0..<count * dimension { z[i] = factor * r[i] }
        }
    }

    @Test(
        "preconditioners that are not positive definite, or not finite, are passed over",
        arguments: [-1, 0, Float.nan, .infinity])
    func unusable(factor: Float) throws {
        let curvature = RankOneCurvature(count: 40, scales: [2, 1, 0.5, 0.25], seed: 2)
        let system = DampedCurvature(curvature, shift: 0.1)
        let side: [Float] = [1, 2, -1, 3]
        let solution = try ConjugateGradient(.init(tol: 1e-3), preconditioner: Multiple(dimension: 4, factor: factor))
            .solve(side, count: 1, in: system, parallel: parallel)
        #expect(solution.converged == [true])
        #expect(curvature.residual(solution.vectors, side, shift: 0.1) < 1.1e-3)
    }

    @Test("long vectors, of more than a piece, have the same bits on any number of threads, and stop when interrupted")
    func pieces() throws {
        let length = 150_001
        var numbers = SeededNumbers(3)
        let diagonal = (0..<length).map { _ in Float(numbers.uniform()) }
        let preconditioner = DiagonalPreconditioner(diagonal: diagonal, shift: 0.01)
        let vectors = numbers.floats(2 * length)
        let one = try applied(preconditioner, vectors, threads: 1)
        #expect(try applied(preconditioner, vectors, threads: 3) == one)
        #expect(one.indices.allSatisfy { abs(one[$0] * (diagonal[$0 % length] + 0.01) - vectors[$0]) <= 1e-5 * abs(vectors[$0]) })
        var result = vectors
        _ = result.withUnsafeMutableBufferPointer { result in
            #expect(throws: Interrupted()) {
                try preconditioner.apply(
                    vectors, to: result.baseAddress!, count: 2, parallel: parallel, interruption: Interruption { true })
            }
        }
    }
}
