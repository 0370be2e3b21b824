import Formats

extension Tensor {
    /// Whether both have the same elements, bit for bit.
    static func areSame(_ one: Tensor, _ other: Tensor) -> Bool {
        one.elementType == other.elementType && one.shape == other.shape && one.bytes == other.bytes
    }

    /// The tensor has the bytes that its shape takes, and what can be asked of it goes together.
    func requireConsistent() throws(Violation) {
        let isCountable = shape.allSatisfy { $0 >= 0 }
        let (product, hasOverflow) = shape.reduce((elementType.byteCount, false)) { partial, extent in
            let (product, overflow) = partial.0.multipliedReportingOverflow(by: extent)
            return (product, partial.1 || overflow)
        }
        try require(
            isCountable && !hasOverflow && product == bytes.count, "shape \(shape) of \(elementType) in \(bytes.count) bytes")
        try require(count * elementType.byteCount == bytes.count, "\(count) elements in \(bytes.count) bytes")
        try require(rowCount * rowByteCount == bytes.count, "\(rowCount) rows of \(rowByteCount) in \(bytes.count) bytes")
        try requireSameNumbers()
        guard !shape.isEmpty, rowCount > 0 else { return }
        guard let last = try? rows(rowCount - 1..<rowCount) else { throw Violation("there is no last row") }
        try require(last.bytes == bytes.suffix(rowByteCount), "the last row is \(Array(last.bytes))")
        try require((try? rows(0..<rowCount + 1)) == nil, "there is a row beyond the last")
    }

    /// Numbers come as many as there are elements, or a reason comes why not; and the three ways to ask agree.
    private func requireSameNumbers() throws(Violation) {
        var doubles: [Double]?
        do throws(TensorError) { doubles = try self.doubles() } catch { try Self.requireReason(error) }
        var floats: [Float]?
        do throws(TensorError) { floats = try self.floats() } catch { try Self.requireReason(error) }
        var integers: [Int]?
        do throws(TensorError) { integers = try self.integers() } catch { try Self.requireReason(error) }

        let counts = [doubles?.count, floats?.count, integers?.count].compactMap { $0 }
        try require(counts.allSatisfy { $0 == count }, "\(count) elements are \(counts) numbers")
        guard let doubles else {
            return try require(floats == nil && (integers == nil), "there are numbers, but not as doubles")
        }
        try require(doubles.allSatisfy(\.isFinite), "a number is not finite")
        // Integers beyond 2⁵³ are rounded twice on the way through Double.
        let isExact = elementType != .int64 && elementType != .uint64
        if let floats, isExact { try require(floats == doubles.map { Float($0) }, "as floats, the numbers are others") }
        if let integers { try require(integers.map { Double($0) } == doubles, "as integers, the numbers are others") }
    }

    private static func requireReason(_ error: TensorError) throws(Violation) {
        try require(error.reason.isReadable(atMost: 10_000), "an error says \(error.reason.debugDescription)")
    }
}
