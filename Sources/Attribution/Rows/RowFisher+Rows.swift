public import LinearAlgebra

extension RowFisher: FisherRows {
    /// One: what a row's layers are is not known of it.
    public var blocks: [Range<Int>] { [0..<dimension] }
    /// A row's numbers.
    public var factors: [RowFactor] { [.plain(dimension)] }

    /// See `FisherRows`. Rows are read once for all vectors.
    /// - Throws: `Interrupted`, what `body` throws, and what reading the rows may throw.
    public func visit(
        _ range: Range<Int>, along x: UnsafePointer<Float>?, addingTo y: UnsafeMutablePointer<Float>?, vectorCount: Int,
        needsNorms: Bool, interruption: Interruption, _ body: (RowProducts) throws -> Void
    ) throws {
        let capacity = Self.rowsAtATime
        let values = AlignedMemory<Float>(repeating: 0, count: vectorCount * capacity)
        let norms = AlignedMemory<Double>(uninitialized: capacity)
        let decoded = AlignedMemory<Float>(uninitialized: needsNorms ? dimension : 0)
        var first = range.lowerBound
        func scale(_ count: Int) {
            guard let roots else { return }
            for vector in 0..<vectorCount {
                for i in 0..<count { values.start[vector * capacity + i] *= roots[first + i] }
            }
        }
        try rows.forEachPart(of: range, length: capacity, interruption: interruption) { view in
            let count = view.count
            if let x {
                try view.score(
                    0..<count, along: x, vectorCount: vectorCount, into: values.start, stride: capacity,
                    interruption: interruption)
                scale(count)
            }
            if needsNorms {
                for i in 0..<count {
                    view.decode(i..<i + 1, into: decoded.start)
                    let root = Double(roots?[first + i] ?? 1)
                    norms.start[i] = Vectors.dot(decoded.start, decoded.start, dimension) * root * root
                }
            }
            try body(
                RowProducts(
                    block: 0, rows: first..<first + count, squaredNorms: needsNorms ? UnsafePointer(norms.start) : nil,
                    values: values.start, stride: capacity))
            if let y {
                scale(count)
                try view.accumulate(
                    0..<count, coefficients: values.start, stride: capacity, vectorCount: vectorCount, into: y,
                    interruption: interruption)
            }
            first += count
        }
    }

    /// See `FisherRows`.
    /// - Throws: `Interrupted`, and what reading the rows may throw.
    public func write(_ stripe: RowStripe, parallel: Parallel, interruption: Interruption) throws {
        let length = 256
        let pieces = stride(from: stripe.rows.lowerBound, to: stripe.rows.upperBound, by: length).map {
            $0..<min($0 + length, stripe.rows.upperBound)
        }
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            var row = pieces[piece].lowerBound
            try rows.forEachPart(of: pieces[piece], length: 32, interruption: interruption) { view in
                let target = stripe.inputs(0, row: row)
                view.decode(0..<view.count, into: target)
                if let roots {
                    for i in 0..<view.count { BLAS.scale(dimension, by: roots[row + i], target + i * dimension) }
                }
                row += view.count
            }
        }
    }
}
