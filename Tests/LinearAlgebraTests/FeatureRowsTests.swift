import LinearAlgebra
import TestSupport
import Testing

@Suite("feature rows")
struct FeatureRowsTests {
    static let widths = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 784]

    /// The same rows stored in all ways.
    private func all(count: Int, width: Int, multiplier: Float = 1) throws -> (
        bytes: FeatureRows, halves: FeatureRows, floats: FeatureRows, numbers: [UInt8]
    ) {
        var random = SeededNumbers(UInt64(width))
        var numbers = random.bytes(count * width)
        numbers[0] = 0
        numbers[numbers.count - 1] = 255
        let memory = AlignedMemory<UInt8>(uninitialized: numbers.count)
        _ = memory.elements.initialize(from: numbers)
        return (
            FeatureRows(.uint8(memory), count: count, width: width, multiplier: multiplier),
            try FeatureRows(halves: numbers.map { Float($0) }, width: width, multiplier: multiplier),
            FeatureRows(numbers.map { Float($0) }, width: width, multiplier: multiplier), numbers
        )
    }

    @Test("ranges of rows are the stored numbers, from bytes, halves and floats", arguments: widths)
    func ranges(width: Int) throws {
        let (bytes, halves, floats, numbers) = try all(count: 13, width: width)
        for range in [0..<13, 0..<1, 4..<9, 12..<13, 5..<5] {
            let expected = numbers[range.lowerBound * width..<range.upperBound * width].map { Float($0) }
            for rows in [bytes, halves, floats] {
                var scratch = [Float](repeating: -1, count: 13 * width + 1)
                let seen = rows.withRows(range, scratch: &scratch) {
                    Array(UnsafeBufferPointer(start: $0, count: expected.count))
                }
                #expect(seen == expected)
                #expect(scratch[expected.count] == -1, "wrote beyond the range")
            }
        }
    }

    @Test("squared norms and values carry the multiplier", arguments: widths, [1, 1 / 255] as [Float])
    func values(width: Int, multiplier: Float) throws {
        let (bytes, halves, floats, numbers) = try all(count: 5, width: width, multiplier: multiplier)
        for row in 0..<5 {
            let stored = numbers[row * width..<(row + 1) * width]
            let expected = stored.reduce(0.0) { $0 + Double($1) * Double($1) } * Double(multiplier) * Double(multiplier)
            for rows in [bytes, halves, floats] {
                #expect(rows.values(of: row) == stored.map { Float($0) * multiplier })
                #expect(abs(rows.squaredNorm(of: row) - expected) <= 1e-12 * expected)
            }
        }
    }

    @Test("all rows' squared norms are each row's, found once and by any number of threads", arguments: [1, 3, 784])
    func norms(width: Int) throws {
        let (bytes, halves, floats, _) = try all(count: 70, width: width, multiplier: 0.5)
        for rows in [bytes, halves, floats] {
            let norms = try rows.squaredNorms(parallel: Parallel(threads: 3), interruption: .never)
            #expect(norms.copy == (0..<70).map { rows.squaredNorm(of: $0) })
            #expect(try rows.squaredNorms(parallel: Parallel(threads: 1), interruption: .never) === norms)
        }
        let others = try all(count: 70, width: width).halves
        let raised = Interruption { true }
        #expect(throws: Interrupted.self) { try others.squaredNorms(parallel: Parallel(threads: 2), interruption: raised) }
    }

    @Test("halves are read as what they stand for: subnormal numbers, the largest, and signs")
    func halfValues() throws {
        let bits: [UInt16] = [0, 0x8000, 1, 0x03ff, 0x0400, 0x3c00, 0xbc01, 0x7bff, 0xfbff]
        let expected: [Float] = [0, -0.0, 0x1p-24, 0x1.ff8p-15, 0x1p-14, 1, -0x1.004p0, 65504, -65504]
        // Beside whole registers of them, and behind.
        for width in [9, 27, 45] {
            let all = (0..<width).map { bits[$0 % 9] }
            let rows = FeatureRows(.float16(AlignedMemory(copying: all)), count: 1, width: width)
            #expect(rows.values(of: 0).map(\.bitPattern) == (0..<width).map { expected[$0 % 9].bitPattern })
        }
    }

    @Test("say how large they are")
    func sizes() throws {
        let (bytes, halves, floats, _) = try all(count: 4, width: 6)
        #expect(bytes.byteCount == 24)
        #expect(halves.byteCount == 48)
        #expect(floats.byteCount == 96)
        #expect((floats.count, floats.width) == (4, 6))
        #expect(FeatureRows([], width: 0).count == 0)
    }

    @Test("memory of another size is a programmer's error")
    func wrongSize() async {
        await #expect(processExitsWith: .failure) { _ = FeatureRows([1, 2, 3], width: 2) }
    }

    @Test("memory is aligned to cache lines and there is an address for nothing at all", arguments: [0, 1, 3, 100])
    func alignment(count: Int) {
        let memory = AlignedMemory<Float>(repeating: 2, count: count)
        #expect(Int(bitPattern: memory.start) % 64 == 0)
        #expect(Array(memory.elements) == [Float](repeating: 2, count: count))
    }
}
