import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("eigenpairs as bytes")
struct ArnoldiBytesTests {
    private func made() throws -> ArnoldiSolver {
        try ArnoldiSolver(
            of: RankOneCurvature(count: 30, scales: [3, 2, 1, 0.5, 0.2], seed: 1), rank: 3, memoryLimit: 1 << 20,
            parallel: Parallel(threads: 1))
    }

    private func read(_ bytes: [UInt8], dimension: Int = 5) throws -> ArnoldiSolver {
        try bytes.withUnsafeBytes { try ArnoldiSolver(bytes: $0, dimension: dimension) }
    }

    @Test("are what they were, and as many as foretold")
    func roundTrip() throws {
        let solver = try made()
        let bytes = solver.bytes
        #expect(bytes.count == ArnoldiSolver.byteCount(dimension: 5, rank: 3))
        let kept = try read(bytes)
        #expect(kept.pairs.values == solver.pairs.values)
        #expect(kept.pairs.residuals == solver.pairs.residuals)
        #expect(kept.pairs.vectors.copy == solver.pairs.vectors.copy)
        #expect(kept.pairs.ends == solver.pairs.ends)
        #expect(kept.trace == solver.trace)
        #expect(kept.bytes == bytes)
    }

    @Test("a changed bit anywhere, a missing or an additional byte is noticed")
    func damage() throws {
        let bytes = try made().bytes
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= UInt8(1 << (index % 8))
            #expect(throws: DamagedEigenpairs.self) { try read(damaged) }
        }
        for count in 0..<bytes.count { #expect(throws: DamagedEigenpairs.self) { try read(Array(bytes.prefix(count))) } }
        #expect(throws: DamagedEigenpairs.self) { try read(bytes + [0]) }
    }

    @Test("pairs of a curvature of another order are refused")
    func otherOrder() throws {
        let bytes = try made().bytes
        #expect(throws: DamagedEigenpairs(description: "eigenvectors of 5 numbers are not of 6")) {
            try read(bytes, dimension: 6)
        }
    }

    @Test("sizes that overflow have no count")
    func overflow() {
        #expect(ArnoldiSolver.byteCount(dimension: .max, rank: 2) == nil)
        #expect(ArnoldiSolver.byteCount(dimension: 1 << 61, rank: 1) == nil)
        #expect(ArnoldiSolver.byteCount(dimension: 1, rank: 1 << 60) == nil)
    }
}
