/// The eigenvalues of a symmetric tridiagonal matrix, and what is wanted of its eigenvectors, by implicit QL steps with Wilkinson's
/// shift (Golub & Van Loan, Matrix Computations, 8.3.4 and 8.3.5; Dubrulle, Martin & Wilkinson 1968).
///
/// Done here rather than by LAPACK, because it can stop when told to, and its bits depend on nothing but the matrix.
enum TridiagonalEigensystem {
    /// The eigenvalues, ascending, and for each the component of its eigenvector along a given vector: O(m²).
    /// - Parameters:
    ///   - diagonal: m numbers.
    ///   - beside: the m − 1 beside it, and any more, which are not read.
    ///   - vector: what components are taken along, as long as the diagonal.
    /// - Throws: `Interrupted`.
    static func values(
        diagonal: [Double], beside: [Double], following vector: [Double], interruption: Interruption
    ) throws -> (values: [Double], components: [Double]) {
        var components = vector
        var reduction = Reduction(diagonal: diagonal, beside: beside)
        try reduction.run(interruption) { rotation in
            let (i, c, s) = (Int(rotation.row), rotation.cosine, rotation.sine)
            (components[i], components[i + 1]) =
                (c * components[i] - s * components[i + 1], s * components[i] + c * components[i + 1])
        }
        let order = reduction.order
        return (order.map { reduction.diagonal[$0] }, order.map { components[$0] })
    }

    /// The eigenvalues, ascending, and the eigenvectors, one after the other: about 5·m³ flops on all threads, and m² numbers.
    /// - Throws: `Interrupted`.
    static func vectors(
        diagonal: [Double], beside: [Double], parallel: Parallel, interruption: Interruption
    ) throws -> (values: [Double], vectors: [Double]) {
        let count = diagonal.count
        let vectors = AlignedMemory<Double>(repeating: 0, count: count * count)
        for i in 0..<count { vectors.start[i * count + i] = 1 }
        let pieces = Parallel.ranges(of: count, pieces: max(1, count / 64))
        // Each thread takes some components of all vectors through many rotations, while they are in its cache.
        var waiting: [Rotation] = []
        func apply() throws {
            let rotations = waiting
            waiting.removeAll(keepingCapacity: true)
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let range = pieces[piece]
                for rotation in rotations {
                    let lower = vectors.start + Int(rotation.row) * count
                    rotate(lower, lower + count, range, rotation.cosine, rotation.sine)
                }
            }
        }
        var reduction = Reduction(diagonal: diagonal, beside: beside)
        try reduction.run(interruption) { rotation in
            waiting.append(rotation)
            if waiting.count == 1 << 16 { try apply() }
        }
        try apply()
        let order = reduction.order
        return (order.map { reduction.diagonal[$0] }, order.flatMap { vectors.elements[$0 * count..<($0 + 1) * count] })
    }

    private static func rotate(
        _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ range: Range<Int>, _ c: Double, _ s: Double
    ) {
        var i = range.lowerBound
        while i + 8 <= range.upperBound {
            let (a, b) = (UnsafeMutableRawPointer(x + i), UnsafeMutableRawPointer(y + i))
            let (u, v) = (a.loadUnaligned(as: SIMD8<Double>.self), b.loadUnaligned(as: SIMD8<Double>.self))
            a.storeBytes(of: c * u - s * v, as: SIMD8<Double>.self)
            b.storeBytes(of: s * u + c * v, as: SIMD8<Double>.self)
            i += 8
        }
        while i < range.upperBound {
            (x[i], y[i]) = (c * x[i] - s * y[i], s * x[i] + c * y[i])
            i += 1
        }
    }

    /// A rotation of the rows `row` and `row` + 1.
    private struct Rotation: Sendable {
        let row: Int32
        let cosine: Double, sine: Double
    }

    /// A matrix on its way to its diagonal.
    private struct Reduction {
        var diagonal: [Double]
        private var beside: [Double]

        /// Steps for one eigenvalue at most: three are usual, and nothing finite is known to take thirty.
        private static let mostSteps = 100

        init(diagonal: [Double], beside: [Double]) {
            self.diagonal = diagonal
            self.beside = beside.prefix(max(0, diagonal.count - 1)) + [0]
        }

        /// Where the eigenvalues stand, in ascending order.
        var order: [Int] { diagonal.indices.sorted { (diagonal[$0], $0) < (diagonal[$1], $1) } }

        /// Reduces, and tells each rotation in order.
        mutating func run(_ interruption: Interruption, _ body: (Rotation) throws -> Void) throws {
            var pace = PacedInterruption(interruption)
            for first in diagonal.indices {
                for _ in 0..<Self.mostSteps {
                    let last = unreducedEnd(from: first)
                    if last == first { break }
                    try step(first, last, body)
                    try pace.check(after: 40 * (last - first))
                }
            }
        }

        /// The end of the block that begins at `first` and has nothing negligible beside its diagonal.
        private func unreducedEnd(from first: Int) -> Int {
            var last = first
            while last < diagonal.count - 1,
                abs(beside[last]) > Double.ulpOfOne * (abs(diagonal[last]) + abs(diagonal[last + 1]))
            {
                last += 1
            }
            return last
        }

        /// One implicit step: the shift enters at the lower end, and the bulge is chased up.
        private mutating func step(_ first: Int, _ last: Int, _ body: (Rotation) throws -> Void) throws {
            let half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first])
            let root = (half * half + 1).squareRoot()
            var g = diagonal[last] - diagonal[first] + beside[first] / (half + (half < 0 ? -root : root))
            var (s, c, shift) = (1.0, 1.0, 0.0)
            var i = last - 1
            while i >= first {
                let f = s * beside[i]
                let b = c * beside[i]
                let length = (f * f + g * g).squareRoot()
                beside[i + 1] = length
                guard length > 0 else {
                    // The block has come apart by itself.
                    diagonal[i + 1] -= shift
                    beside[last] = 0
                    return
                }
                s = f / length
                c = g / length
                let d = diagonal[i + 1] - shift
                let r = (diagonal[i] - d) * s + 2 * c * b
                shift = s * r
                diagonal[i + 1] = d + shift
                g = c * r - b
                try body(Rotation(row: Int32(i), cosine: c, sine: s))
                i -= 1
            }
            diagonal[first] -= shift
            beside[first] = g
            beside[last] = 0
        }
    }
}
