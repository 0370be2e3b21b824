import LinearAlgebra
import TestSupport

/// Rows of written-out gradients, by their definition: sums in double precision, rounded once for every few examples.
struct DenseRows: FisherRows {
    let numbers: [Float]
    let dimension: Int
    let blocks: [Range<Int>]

    init(_ numbers: [Float], width: Int, blocks: [Range<Int>]? = nil) {
        self.numbers = numbers
        dimension = width
        self.blocks = blocks ?? [0..<width]
    }

    /// Rows of normal numbers, the j-th column `scales[j]` times as wide.
    init(count: Int, scales: [Double], seed: UInt64, blocks: [Range<Int>]? = nil) {
        var numbers = SeededNumbers(seed)
        self.init(
            (0..<count).flatMap { _ in scales.map { Float($0 * numbers.normal()) } }, width: scales.count, blocks: blocks)
    }

    var exampleCount: Int { numbers.count / dimension }
    var factors: [RowFactor] { [.plain(dimension)] }

    /// The empirical Fisher matrix of the rows.
    var curvature: RankOneCurvature { RankOneCurvature(numbers, width: dimension) }

    func row(_ index: Int) -> [Double] { numbers[index * dimension..<(index + 1) * dimension].map { Double($0) } }

    func visit(
        _ rows: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void
    ) throws {
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 3) {
            try interruption.check()
            let few = start..<min(start + 3, rows.upperBound)
            for (block, part) in blocks.enumerated() {
                let norms = few.map { i in part.reduce(0.0) { $0 + row(i)[$1] * row(i)[$1] } }
                // Nothing to be relied on where products are not asked for.
                var values = [Float](repeating: .nan, count: vectorCount * 5)
                if let x {
                    for k in 0..<vectorCount {
                        for i in few {
                            values[k * 5 + i - start] = Float(
                                part.reduce(0.0) { $0 + row(i)[$1] * Double(x[k * dimension + $1]) })
                        }
                    }
                }
                try values.withUnsafeMutableBufferPointer { values in
                    guard let values = values.baseAddress else { return }
                    try norms.withUnsafeBufferPointer {
                        try body(
                            RowProducts(
                                block: block, rows: few, squaredNorms: needsNorms ? $0.baseAddress : nil, values: values,
                                stride: 5))
                    }
                    guard let y else { return }
                    for k in 0..<vectorCount {
                        for j in part {
                            y[k * dimension + j] += Float(
                                few.reduce(0.0) { $0 + Double(values[k * 5 + $1 - start]) * row($1)[j] })
                        }
                    }
                }
            }
        }
    }

    func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws {
        try interruption.check()
        stripe.inputs(0, row: stripe.rows.lowerBound).update(
            from: Array(numbers[stripe.rows.lowerBound * dimension..<stripe.rows.upperBound * dimension]),
            count: stripe.rows.count * dimension)
    }
}
