import LinearAlgebra
import TestSupport
import Testing

@Suite("feature rows")
struct FeatureRowsTests {
    static let widths = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 784]

    /// The same rows stored both ways.
    private func both(count: Int, width: Int, multiplier: Float = 1) -> (
        bytes: FeatureRows, floats: FeatureRows, numbers: [UInt8]
    ) {
        var random = SeededNumbers(UInt64(width))
        var numbers = random.bytes(count * width)
        numbers[0] = 0
        numbers[numbers.count - 1] = 255
        let memory = AlignedMemory<UInt8>(uninitialized: numbers.count)
        _ = memory.elements.initialize(from: numbers)
        return (
            FeatureRows(.uint8(memory), count: count, width: width, multiplier: multiplier),
            FeatureRows(numbers.map { Float($0) }, width: width, multiplier: multiplier), numbers
        )
    }

    @Test("ranges of rows are the stored numbers, from bytes and from floats", arguments: widths)
    func ranges(width: Int) {
        let (bytes, floats, numbers) = both(count: 13, width: width)
        for range in [0..<13, 0..<1, 4..<9, 12..<13, 5..<5] {
            let expected = numbers[range.lowerBound * width..<range.upperBound * width].map { Float($0) }
            for rows in [bytes, floats] {
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
    func values(width: Int, multiplier: Float) {
        let (bytes, floats, numbers) = both(count: 5, width: width, multiplier: multiplier)
        for row in 0..<5 {
            let stored = numbers[row * width..<(row + 1) * width]
            let expected = stored.reduce(0.0) { $0 + Double($1) * Double($1) } * Double(multiplier) * Double(multiplier)
            for rows in [bytes, floats] {
                #expect(rows.values(of: row) == stored.map { Float($0) * multiplier })
                #expect(abs(rows.squaredNorm(of: row) - expected) <= 1e-12 * expected)
            }
        }
    }

    @Test("say how large they are")
    func sizes() {
        let (bytes, floats, _) = both(count: 4, width: 6)
        #expect(bytes.byteCount == 24)
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
