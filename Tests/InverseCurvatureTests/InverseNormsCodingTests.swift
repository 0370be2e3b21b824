import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("norms as bytes")
struct InverseNormsCodingTests {
    private func norms(_ quantity: InverseNorms.Quantity, count: Int = 5) throws -> InverseNorms {
        let rows = DenseRows(count: count, scales: [1, 2], seed: 1)
        return try IdentitySolver().inverseNorms(
            of: rows, quantity, in: DampedCurvature(rows.curvature, shift: 1), memoryLimit: 1 << 20,
            parallel: Parallel(threads: 1), interruption: .never)
    }

    @Test("they come back as they were", arguments: InverseNorms.Quantity.allCases)
    func roundTrip(quantity: InverseNorms.Quantity) throws {
        let norms = try norms(quantity)
        #expect(norms.byteCount == (quantity == .both ? 80 : 40))
        #expect(try InverseNorms(decoding: norms.encoded, count: 5) == norms)
    }

    @Test("any byte that has changed shows, and so do bytes that are missing or too many")
    func damage() throws {
        let bytes = try norms(.both).encoded
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x10
            #expect(throws: DamagedNorms.self) { try InverseNorms(decoding: changed, count: 5) }
        }
        for length in 0..<bytes.count {
            #expect(throws: DamagedNorms.self) { try InverseNorms(decoding: Array(bytes[..<length]), count: 5) }
        }
        #expect(throws: DamagedNorms.self) { try InverseNorms(decoding: bytes + [0], count: 5) }
        for count in [0, 4, 6, .max] {
            #expect(throws: DamagedNorms.self) { try InverseNorms(decoding: bytes, count: count) }
        }
    }

    @Test("numbers that no norm has are refused, whatever the checksum", arguments: [-1, Double.nan, .infinity])
    func numbers(value: Double) throws {
        var bytes = try norms(.selfInfluence, count: 1).encoded
        // Of one number, the checksum of the whole is known from FNV-1a's definition.
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.replaceSubrange(24..<32, with: $0) }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in 0..<4 {
            let value = (0..<8).reduce(0 as UInt64) { $0 | UInt64(bytes[8 * word + $1]) << UInt64(8 * $1) }
            hash = (hash ^ value) &* 0x0000_0100_0000_01b3
        }
        withUnsafeBytes(of: hash.littleEndian) { bytes.replaceSubrange(32..<40, with: $0) }
        #expect {
            try InverseNorms(decoding: bytes, count: 1)
        } throws: {
            ($0 as? DamagedNorms)?.description == "there are numbers among them that no norm has"
        }
    }
}
