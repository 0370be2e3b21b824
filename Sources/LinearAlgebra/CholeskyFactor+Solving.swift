internal import CKernels

extension CholeskyFactor {
    /// Columns or rows of the factor that are eliminated at a step.
    private static let panel = 8

    /// Solves A·x = b in place for `count` right-hand sides, each `order` long and stacked one after the other: 2·n² flops each, by
    /// substitution through L and then through Lᵀ.
    ///
    /// Sixteen at a time go through the factor side by side, one in each lane of a vector, and lanes never meet: a solution has the
    /// same bits alone as among others, whichever they are and wherever it stands. Up to sixteen take as long as one, which waits
    /// for the factor to come from memory.
    /// - Throws: `Interrupted`; the right-hand sides are destroyed then.
    public func solve(
        _ rightHandSides: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel = Parallel(threads: 1),
        interruption: Interruption = .never
    ) throws {
        let lanes = Int(influenced_lanes)
        // Each piece reads and writes its own.
        nonisolated(unsafe) let rightHandSides = rightHandSides
        try parallel.forEach((count + lanes - 1) / lanes, interruption: interruption) { piece in
            let sides = piece * lanes..<min((piece + 1) * lanes, count)
            let x = AlignedMemory<Float>(repeating: 0, count: order * lanes)
            for side in sides {
                for i in 0..<order { x.start[i * lanes + side - sides.lowerBound] = rightHandSides[side * order + i] }
            }
            var pace = PacedInterruption(interruption)
            try substituteForward(x.start, lanes, &pace)
            try substituteBackward(x.start, lanes, &pace)
            for side in sides {
                for i in 0..<order { rightHandSides[side * order + i] = x.start[i * lanes + side - sides.lowerBound] }
            }
        }
    }

    /// x ← L⁻¹x. The first h columns of L lie column by column, so that an unknown is taken out of all below it; the rest lies row by
    /// row, so that all above it are taken out of an unknown.
    private func substituteForward(
        _ x: UnsafeMutablePointer<Float>, _ lanes: Int, _ pace: inout PacedInterruption
    ) throws {
        let (h, stride) = (packed.leftColumns, packed.leading)
        for j in panels(of: h) {
            let corner = packed.left + j.lowerBound * stride + j.lowerBound
            let (unknowns, below) = (x + j.lowerBound * lanes, x + j.upperBound * lanes)
            influenced_lanes_solve(corner, 1, stride, j.count, false, unknowns)
            influenced_lanes_eliminate(corner + j.count, stride, j.count, order - j.upperBound, unknowns, below)
            try pace.check(after: 2 * j.count * (order - j.lowerBound) * lanes)
        }
        let rest = x + h * lanes
        for j in panels(of: order - h) {
            let rows = packed.right + j.lowerBound * stride
            let unknowns = rest + j.lowerBound * lanes
            influenced_lanes_collect(rows, stride, j.count, j.lowerBound, rest, unknowns)
            influenced_lanes_solve(rows + j.lowerBound, stride, 1, j.count, false, unknowns)
            try pace.check(after: 2 * j.count * j.upperBound * lanes)
        }
    }

    /// x ← L⁻ᵀx: the same from the end, columns and rows having changed places.
    private func substituteBackward(
        _ x: UnsafeMutablePointer<Float>, _ lanes: Int, _ pace: inout PacedInterruption
    ) throws {
        let (h, stride) = (packed.leftColumns, packed.leading)
        let rest = x + h * lanes
        for j in panels(of: order - h).reversed() {
            let rows = packed.right + j.lowerBound * stride
            let unknowns = rest + j.lowerBound * lanes
            influenced_lanes_solve(rows + j.lowerBound, stride, 1, j.count, true, unknowns)
            influenced_lanes_eliminate(rows, stride, j.count, j.lowerBound, unknowns, rest)
            try pace.check(after: 2 * j.count * j.upperBound * lanes)
        }
        for j in panels(of: h).reversed() {
            let corner = packed.left + j.lowerBound * stride + j.lowerBound
            let (unknowns, below) = (x + j.lowerBound * lanes, x + j.upperBound * lanes)
            influenced_lanes_collect(corner + j.count, stride, j.count, order - j.upperBound, below, unknowns)
            influenced_lanes_solve(corner, 1, stride, j.count, true, unknowns)
            try pace.check(after: 2 * j.count * (order - j.lowerBound) * lanes)
        }
    }

    private func panels(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: Self.panel).map { $0..<min($0 + Self.panel, count) }
    }
}
