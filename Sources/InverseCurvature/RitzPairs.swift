internal import LinearAlgebra

/// The eigenpairs of a curvature as far as a subspace holds them, by Rayleigh and Ritz (Golub & Van Loan 8.1.1): of a span of random vectors
/// that were multiplied by D a few times, this is randomized subspace iteration (Halko, Martinsson & Tropp 2011, section 4.5).
enum RitzPairs {
    /// Directions shorter than this part of the longest are lengthened by only so much in one turn, as single precision knows no more.
    private static let resolution = 1e-6
    private static let turns = 4
    /// Rows multiplied with the data at a time: a product takes many times their memory.
    private static let together = 32

    /// Pairs by falling magnitude, as many as the rows have dimensions. Takes the memory of the rows.
    ///
    /// One product with the data for each row, and about 12·p·d² + 36·d³ flops.
    /// - Parameter others: rows instead, where those all vanish.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    static func pairs(
        of curvature: any CurvatureOperator, inSpanOf rows: StackedRows, or others: StackedRows, parallel: Parallel,
        interruption: Interruption
    ) throws -> Eigenpairs {
        let isVanishing = (0..<rows.count * rows.dimension).allSatisfy { rows.start[$0] == 0 }
        let basis = try orthonormal(isVanishing ? others : rows, parallel, interruption)
        let images = StackedRows(
            AlignedMemory(uninitialized: basis.count * basis.dimension), count: basis.count, dimension: basis.dimension)
        for start in stride(from: 0, to: basis.count, by: Self.together) {
            let part = start..<min(start + Self.together, basis.count)
            try curvature.product(
                of: basis[part].start, to: images[part].start, vectorCount: part.count, parallel: parallel,
                interruption: interruption)
        }
        let quotients = try eigen(of: basis, with: images, parallel, interruption)
        let order = (0..<basis.count).sorted { abs(quotients.values.elements[$0]) > abs(quotients.values.elements[$1]) }
        let turn = order.flatMap { row in
            (0..<basis.count).map { Float(quotients.vectors.elements[row * basis.count + $0]) }
        }
        let vectors = try turned(basis, by: turn, count: order.count, parallel, interruption)
        let turnedImages = try turned(images, by: turn, count: order.count, parallel, interruption)
        let values = order.map { quotients.values.elements[$0] }
        let length = basis.dimension
        let residuals = try values.indices.map { row in
            try interruption.check()
            let (x, y) = (vectors.start + row * length, turnedImages.start + row * length)
            return (0..<length).reduce(0.0) {
                let difference = Double(y[$1]) - values[row] * Double(x[$1])
                return $0 + difference * difference
            }.squareRoot()
        }
        guard residuals.allSatisfy(\.isFinite), values.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        let ends = [values.indices.min { values[$0] < values[$1] }, values.indices.max { values[$0] < values[$1] }]
            .compactMap(\.self).map { RitzValue(value: values[$0], residual: residuals[$0]) }
        return Eigenpairs(
            dimension: length, values: values, residuals: residuals, vectors: vectors.memory,
            ends: SpectrumEnds(smallest: ends[0], largest: ends[1], steps: values.count))
    }

    /// An orthonormal basis of what rows span, by turns of (YYᵀ + shift)^−½, each of which takes three digits off the condition
    /// (shifted Cholesky QR, Fukaya, Kannan, Nakatsukasa, Yamamoto & Yanagisawa 2020, with eigenvalues, as ranks may fall short).
    private static func orthonormal(
        _ rows: StackedRows, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> StackedRows {
        var basis = rows
        for turn in 1...turns {
            let gram = try eigen(of: basis, with: basis, parallel, interruption)
            let values = gram.values.copy
            let largest = values.last ?? 0
            guard largest > 0 else { throw SolverError.notFinite }
            let isLast = turn == turns || values[0] > 0.5 * largest
            let kept = values.indices.filter { !isLast || values[$0] > 0.1 * largest }
            let weights = kept.flatMap { row in
                let factor = 1 / (max(0, values[row]) + (isLast ? 0 : resolution * largest)).squareRoot()
                return (0..<values.count).map { Float(factor * gram.vectors.elements[row * values.count + $0]) }
            }
            basis = try turned(basis, by: weights, count: kept.count, parallel, interruption)
            if isLast { break }
        }
        return basis
    }

    /// The eigenvalues and vectors of the symmetric part of XYᵀ.
    private static func eigen(
        of x: StackedRows, with y: StackedRows, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> SymmetricEigen {
        let (count, length) = (x.count, x.dimension)
        let products = AlignedMemory<Float>(uninitialized: count * count)
        let pieces = Parallel.ranges(of: count, pieces: (count + 15) / 16)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let part = pieces[piece]
            MatrixProduct.multiply(
                .none, .transposed, m: part.count, n: count, k: length, alpha: 1, x.start + part.lowerBound * length, length,
                y.start, length, beta: 0, products.start + part.lowerBound * count, count)
        }
        let matrix = AlignedMemory<Double>(uninitialized: count * count)
        for i in 0..<count {
            for j in 0..<count {
                matrix.start[i * count + j] =
                    0.5 * (Double(products.start[i * count + j]) + Double(products.start[j * count + i]))
            }
        }
        try interruption.check()
        do {
            return try SymmetricEigen(lower: matrix, order: count)
        } catch {
            throw SolverError.notFinite
        }
    }

    /// W·X for W [count, k], in memory of its own.
    private static func turned(
        _ x: StackedRows, by weights: [Float], count: Int, _ parallel: Parallel, _ interruption: Interruption
    ) throws -> StackedRows {
        let memory = AlignedMemory<Float>(uninitialized: count * x.dimension)
        try x.add(weights, beta: 0, to: memory.start, count: count, parallel: parallel, interruption: interruption)
        return StackedRows(memory, count: count, dimension: x.dimension)
    }
}
