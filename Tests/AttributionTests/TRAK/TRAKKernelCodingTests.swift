import Attribution
import LinearAlgebra
import TestSupport
import Testing

@Suite("TRAK's kernel as bytes")
struct TRAKKernelCodingTests {
    private let parallel = Parallel(threads: 1)

    @Test("what was kept comes back, and solves to the same bits")
    func roundTrip() throws {
        let problem = TRAKProblem(count: 40, scale: 60)
        let kernel = try problem.kernel(damping: 0.5)
        let bytes = kernel.encoded
        #expect(bytes.count == TRAKKernel.encodedByteCount(exampleCount: 40, dimension: 6))
        let back = try TRAKKernel(decoding: bytes, exampleCount: 40, dimension: 6)
        #expect(back.exampleCount == 40 && back.dimension == 6 && back.damping == 0.5)
        #expect(back.meanEigenvalue == kernel.meanEigenvalue)
        #expect(back.unresolvedCount == kernel.unresolvedCount && back.unresolvedCount > 0)
        #expect(back.reciprocals.copy == kernel.reciprocals.copy)
        let sides = (0..<12).map { Float($0) - 5 }
        #expect(try back.directions(for: sides, parallel: parallel) == kernel.directions(for: sides, parallel: parallel))
        #expect(back.encoded == bytes)
    }

    @Test("a byte that changed, bytes too few or too many, and other sizes are refused")
    func damage() throws {
        let bytes = try TRAKProblem(count: 8, dimension: 3).kernel(damping: 1).encoded
        func isRefused(_ bytes: [UInt8], _ count: Int = 8, _ dimension: Int = 3) -> Bool {
            do {
                _ = try TRAKKernel(decoding: bytes, exampleCount: count, dimension: dimension)
                return false
            } catch {
                if case .damaged = error { return true }
                return false
            }
        }
        #expect(!isRefused(bytes))
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x10
            #expect(isRefused(changed), "byte \(place)")
        }
        for count in [0, 7, 47, 55, bytes.count - 1] { #expect(isRefused(Array(bytes.prefix(count)))) }
        #expect(isRefused(bytes + [0]) && isRefused(bytes, 7) && isRefused(bytes, 8, 4))
        #expect(isRefused(bytes, 0, 3) && isRefused(bytes, -1, 3) && isRefused(bytes, 8, .max))
        #expect(TRAKKernel.encodedByteCount(exampleCount: 1, dimension: .max) == nil)
        #expect(TRAKKernel.encodedByteCount(exampleCount: .max, dimension: 1) == nil)
    }
}
