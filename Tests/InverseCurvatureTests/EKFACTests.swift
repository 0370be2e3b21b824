import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("EKFAC")
struct EKFACTests {
    private func applied(
        _ approximation: EKFAC, _ vectors: [Float], shift: Double, threads: Int = 2, interruption: Interruption = .never
    ) throws -> [Float] {
        let inverse = try approximation.inverse(shift: shift)
        var images = [Float](repeating: .nan, count: vectors.count)
        try inverse.apply(
            vectors, to: &images, count: vectors.count / approximation.dimension, parallel: Parallel(threads: threads),
            interruption: interruption)
        return images
    }

    @Test("the inverse is that of the matrix written out, biases, groups and diagonals in their places")
    func inverse() throws {
        let problem = try EKFACProblem()
        let approximation = try EKFAC(blocks: problem.blocks, exampleCount: 10)
        #expect(approximation.dimension == 37)
        #expect(abs(approximation.trace - (0..<37).reduce(0) { $0 + problem.dense[$1, $1] }) < 1e-5)
        var numbers = SeededNumbers(9)
        for shift in [0.01, 1] {
            let v = numbers.floats(37)
            let expected = problem.dense.plus(diagonal: shift).solved(for: v)
            #expect(Closeness.relativeDistance(try applied(approximation, v, shift: shift), expected) < 1e-5)
        }
    }

    @Test("it is symmetric and positive definite, as a preconditioner must be")
    func symmetry() throws {
        let approximation = try EKFAC(blocks: EKFACProblem().blocks, exampleCount: 10)
        var units = [Float](repeating: 0, count: 37 * 37)
        for i in 0..<37 { units[i * 37 + i] = 1 }
        let images = try applied(approximation, units, shift: 0.1)
        let matrix = DenseMatrix(rows: 37, columns: 37, elements: images.map { Double($0) })
        #expect(Closeness.largestError(matrix.elements, matrix.transposed.elements) < 1e-6)
        #expect(matrix.symmetricEigenvalues[0] > 0)
    }

    @Test("each right-hand side has the bits that it has alone, on any number of threads")
    func independence() throws {
        var numbers = SeededNumbers(4)
        let block = try EKFACProblem.block(outputs: 20, inputs: 150, weights: 0, biases: 3000, random: &numbers)
        let approximation = try EKFAC(blocks: [.kronecker(block)], exampleCount: 1)
        let p = approximation.dimension
        let vectors = numbers.floats(9 * p)
        let together = try applied(approximation, vectors, shift: 0.05, threads: 3)
        for i in 0..<9 {
            let alone = try applied(approximation, Array(vectors[i * p..<(i + 1) * p]), shift: 0.05, threads: 1)
            #expect(alone.map(\.bitPattern) == together[i * p..<(i + 1) * p].map(\.bitPattern))
        }
    }

    @Test("it solves exactly where the curvature is what it says, and otherwise says by the residual how far off it is")
    func solving() throws {
        let eigenvalues = (0..<6).map { Double($0) + 0.5 }
        let system = DampedCurvature(RankOneCurvature(diagonal: eigenvalues), shift: 0.1)
        let exact = try EKFAC(
            blocks: [.diagonal(offset: 0, values: AlignedMemory(copying: eigenvalues.map { Float($0) }))], exampleCount: 6)
        let v: [Float] = [1, -2, 3, 0.5, 0, 7, 0, 0, 0, 0, 0, 0]
        let solution = try exact.solve(v, count: 2, in: system, parallel: Parallel(threads: 2))
        #expect(
            Closeness.relativeDistance(solution.vectors[..<6], (0..<6).map { Double(v[$0]) / (eigenvalues[$0] + 0.1) }) < 1e-6)
        #expect(solution.residuals.allSatisfy { $0 < 1e-6 } && solution.converged == [true, true])
        #expect(solution.vectors[6...].allSatisfy { $0 == 0 })

        let wrong = try EKFAC(blocks: [.diagonal(offset: 0, values: AlignedMemory(repeating: 9.9, count: 6))], exampleCount: 6)
        let other = try wrong.solve([1, 0, 0, 0, 0, 0], count: 1, in: system, parallel: Parallel(threads: 2))
        #expect(abs(other.residuals[0] - 0.94) < 1e-5 && other.converged == [false])
    }

    @Test("numbers that are not finite, and a curvature that is not positive definite with its λ, are errors that say so")
    func badNumbers() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, 2]), shift: 0.1)
        let approximation = try EKFAC(blocks: [.diagonal(offset: 0, values: AlignedMemory(copying: [1, 0]))], exampleCount: 1)
        for bad in [Float.nan, .infinity] {
            #expect(throws: SolverError.notFinite) {
                try approximation.solve([1, bad], count: 1, in: system, parallel: Parallel(threads: 1))
            }
        }
        #expect(throws: SolverError.notPositiveDefinite(shift: 0)) { try approximation.inverse(shift: 0) }
        #expect(throws: SolverError.notPositiveDefinite(shift: -0.5)) { try approximation.inverse(shift: -0.5) }
        #expect(throws: SolverError.notPositiveDefinite(shift: 1e-60)) { try approximation.inverse(shift: 1e-60) }
    }

    @Test("it stops when it is told to")
    func interruption() throws {
        let approximation = try EKFAC(blocks: EKFACProblem().blocks, exampleCount: 10)
        #expect(throws: Interrupted()) {
            try applied(approximation, [Float](repeating: 1, count: 37), shift: 1, interruption: Interruption { true })
        }
    }

    @Test("bytes bring back every bit")
    func roundTrip() throws {
        let problem = try EKFACProblem()
        let approximation = try EKFAC(blocks: problem.blocks, exampleCount: 10)
        let bytes = approximation.encoded
        let back = try EKFAC(decoding: bytes)
        #expect(back.dimension == 37 && back.exampleCount == 10 && back.byteCount == approximation.byteCount)
        #expect(EKFACProblem.fingerprint(back.blocks) == EKFACProblem.fingerprint(problem.blocks))
        #expect(back.encoded == bytes)
    }

    @Test("bytes that are cut off, changed or too many are errors, and none is a crash")
    func damage() throws {
        let bytes = try EKFAC(blocks: EKFACProblem().blocks, exampleCount: 10).encoded
        for length in stride(from: 0, to: bytes.count, by: 3) {
            #expect(throws: EKFACFlaw.self) { try EKFAC(decoding: Array(bytes[..<length])) }
        }
        #expect(throws: EKFACFlaw.self) { try EKFAC(decoding: bytes + [0]) }
        // The header's and the first block's words, and a basis vector: any of their bytes counts.
        for place in Array(0..<8) + Array(16..<64) {
            var damaged = bytes
            damaged[place] ^= 0xff
            #expect(throws: EKFACFlaw.self, "byte \(place)") { try EKFAC(decoding: damaged) }
        }
        var numbers = SeededNumbers(1)
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<3 { damaged[Int.random(in: 0..<bytes.count, using: &numbers)] = numbers.bytes(1)[0] }
            // Also where it is accepted, it must be usable.
            guard let read = try? EKFAC(decoding: damaged) else { continue }
            _ = try applied(read, [Float](repeating: 1, count: read.dimension), shift: 1)
        }
    }

    @Test("blocks that do not make up a vector, or whose numbers are impossible, are refused")
    func flaws() throws {
        func diagonal(_ offset: Int, _ values: [Float]) -> CurvatureBlock {
            .diagonal(offset: offset, values: AlignedMemory(copying: values))
        }
        for blocks in [
            [], [diagonal(1, [1])], [diagonal(0, [1, 1]), diagonal(1, [1])], [diagonal(0, [1]), diagonal(2, [1])],
            [diagonal(0, [-1])], [diagonal(0, [.nan])], [diagonal(0, [.infinity])], [diagonal(0, [])],
        ] {
            #expect(throws: EKFACFlaw.self) { try EKFAC(blocks: blocks, exampleCount: 1) }
        }
        #expect(throws: EKFACFlaw.self) { try EKFAC(blocks: [diagonal(0, [1])], exampleCount: 0) }
        let long = KroneckerBlock(
            outputs: 1, inputs: 1, weights: 0, biases: nil, inputVectors: AlignedMemory(copying: [1.1]),
            outputVectors: AlignedMemory(copying: [1]), eigenvalues: AlignedMemory(copying: [1]))
        #expect(throws: EKFACFlaw.self) { try EKFAC(blocks: [.kronecker(long)], exampleCount: 1) }
    }
}
