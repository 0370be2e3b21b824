internal import CBLAS

/// A Lanczos recursion on its way: A·V = V·T + β·v·eᵀ with orthonormal rows V [steps, p] and T symmetric and tridiagonal.
///
/// Each new vector is made orthogonal to all before it, twice (Giraud et al. 2005: twice is enough, unless it vanishes), by products with
/// the whole of V over fixed pieces of the vectors' length: 8·p·j flops in step j, and V is read four times.
final class LanczosRecursion {
    /// What rounding leaves of a vector that should vanish, of the matrix's norm: products are of single precision.
    static let rounding = 1e-6

    /// Where a recursion starts.
    enum Start {
        /// At a normal vector.
        case normal(seed: UInt64)
        /// At a vector of random signs: probe `index`.
        case signs(seed: UInt64, index: Int)
    }

    /// p.
    let dimension: Int
    /// The most steps there may be.
    let capacity: Int
    /// T's diagonal.
    private(set) var diagonal: [Double] = []
    /// Beside it, and at last how the next vector is coupled: 0 where a space was exhausted.
    private(set) var beside: [Double] = []
    /// ‖remainder‖ of the last step.
    private(set) var remainder = 0.0

    private let basis: AlignedMemory<Float>
    private let pieces: [Range<Int>]
    private let parallel: Parallel
    private let interruption: Interruption
    private var size = 0.0
    private var starts: UInt64 = 0

    /// A recursion of up to `capacity` steps, or p where that is less; takes memory for one vector more.
    init(dimension: Int, capacity: Int, parallel: Parallel, interruption: Interruption) {
        precondition(dimension > 0 && capacity > 0, "a recursion needs a space and a step")
        self.dimension = dimension
        self.capacity = min(capacity, dimension)
        self.parallel = parallel
        self.interruption = interruption
        basis = AlignedMemory(uninitialized: (self.capacity + 1) * dimension)
        pieces = Parallel.ranges(of: dimension, pieces: dimension / 2048)
    }

    /// Steps done.
    var steps: Int { diagonal.count }
    /// Whether the space is exhausted: A maps the span of V into itself, up to rounding.
    var isInvariant: Bool { beside.last == 0 }

    /// The vectors, stacked: those of the steps done, and the next.
    var vectors: UnsafeMutablePointer<Float> { basis.start }

    // MARK: Steps

    /// Makes the first vector.
    /// - Throws: `Interrupted`.
    func start(_ start: Start) throws {
        let first = basis.start
        var pace = PacedInterruption(interruption)
        switch start {
        case .normal(let seed):
            var stream = RandomStream(seed: seed)
            for i in 0..<dimension {
                first[i] = Float(stream.nextNormal())
                try pace.check(after: 100)
            }
        case .signs(let seed, let index):
            var stream = RandomStream(seed: seed, index: UInt64(index))
            for i in 0..<dimension {
                first[i] = stream.next() >> 63 == 0 ? 1 : -1
                try pace.check(after: 20)
            }
        }
        try divide(0, by: try dot(0, 0).squareRoot())
    }

    /// One step.
    /// - Throws: `LanczosError.notFinite`, `Interrupted`, and what `multiply` throws.
    func advance(_ multiply: Lanczos.Multiply) throws {
        let step = steps
        precondition(step < capacity, "there is memory for so many steps only")
        try interruption.check()
        try multiply(vector(step), vector(step + 1))
        let value = try dot(step, step + 1)
        try orthogonalise(step + 1)
        let length = try dot(step + 1, step + 1).squareRoot()
        guard value.isFinite, length.isFinite else { throw LanczosError.notFinite }
        diagonal.append(value)
        remainder = length
        size = max(size, abs(value), length)
        guard length > Self.rounding * size else { return beside.append(0) }
        beside.append(length)
        try divide(step + 1, by: length)
    }

    /// After a space is exhausted: goes on at a new random vector orthogonal to it.
    /// - Returns: whether there is one.
    /// - Throws: `Interrupted`.
    func startAnew() throws -> Bool {
        guard steps < capacity else { return false }
        let next = vector(steps)
        starts += 1
        var stream = RandomStream(seed: 0x4c61_6e63_7a6f_7321, index: starts)
        var pace = PacedInterruption(interruption)
        for i in 0..<dimension {
            next[i] = Float(stream.nextNormal())
            try pace.check(after: 100)
        }
        try orthogonalise(steps)
        let length = try dot(steps, steps).squareRoot()
        // Two passes leave 1e-7 of a normal vector's length, √p, where nothing of it is outside the span.
        guard length > 1e-5 * Double(dimension).squareRoot() else { return false }
        try divide(steps, by: length)
        return true
    }

    private func vector(_ index: Int) -> UnsafeMutablePointer<Float> { basis.start + index * dimension }

    // MARK: Vectors

    /// x · y of two of the vectors.
    private func dot(_ x: Int, _ y: Int) throws -> Double {
        let sums = AlignedMemory<Double>(uninitialized: pieces.count)
        let (basis, pieces, dimension) = (basis, pieces, dimension)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let range = pieces[piece]
            sums.start[piece] = Vectors.dot(
                basis.start + x * dimension + range.lowerBound, basis.start + y * dimension + range.lowerBound, range.count)
        }
        return sums.copy.reduce(0, +)
    }

    /// Divides a vector, in double precision: a length may be one whose inverse single precision does not hold.
    private func divide(_ index: Int, by length: Double) throws {
        let (basis, pieces, dimension, factor) = (basis, pieces, dimension, 1 / length)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let vector = basis.start + index * dimension
            for i in pieces[piece] { vector[i] = Float(Double(vector[i]) * factor) }
        }
    }

    /// Takes from vector `count` what lies along the `count` before it.
    private func orthogonalise(_ count: Int) throws {
        guard count > 0 else { return }
        let (basis, pieces, dimension) = (basis, pieces, dimension)
        let partials = AlignedMemory<Float>(uninitialized: pieces.count * count)
        let coefficients = AlignedMemory<Float>(uninitialized: count)
        for _ in 0..<2 {
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let range = pieces[piece]
                cblas_sgemv(
                    CblasRowMajor, CblasNoTrans, Int32(count), Int32(range.count), 1, basis.start + range.lowerBound,
                    Int32(dimension), basis.start + count * dimension + range.lowerBound, 1, 0, partials.start + piece * count, 1)
            }
            for j in 0..<count {
                coefficients.start[j] = Float(pieces.indices.reduce(0.0) { $0 + Double(partials.start[$1 * count + j]) })
            }
            try parallel.forEach(pieces.count, interruption: interruption) { piece in
                let range = pieces[piece]
                cblas_sgemv(
                    CblasRowMajor, CblasTrans, Int32(count), Int32(range.count), -1, basis.start + range.lowerBound,
                    Int32(dimension), coefficients.start, 1, 1, basis.start + count * dimension + range.lowerBound, 1)
            }
        }
    }

    // MARK: What it shows

    /// The eigenvalues of T, ascending, each with its residual β·|last component|.
    /// - Throws: `Interrupted`.
    func ritzValues() throws -> [RitzValue] {
        var last = [Double](repeating: 0, count: steps)
        last[steps - 1] = 1
        let (values, components) = try TridiagonalEigensystem.values(
            diagonal: diagonal, beside: beside, following: last, interruption: interruption)
        return zip(values, components).map { RitzValue(value: $0, residual: remainder * abs($1)) }
    }

    /// Some of T's eigenvectors times V: the Ritz vectors [count, p].
    /// - Parameter weights: the eigenvectors, [count, steps].
    /// - Throws: `Interrupted`.
    func ritzVectors(_ weights: [Double]) throws -> AlignedMemory<Float> {
        let (steps, dimension, basis) = (steps, dimension, basis)
        let count = weights.count / steps
        let vectors = AlignedMemory<Float>(uninitialized: count * dimension)
        let factors = AlignedMemory<Float>(copying: weights.lazy.map { Float($0) })
        let pieces = Parallel.ranges(of: dimension, pieces: dimension / 512)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let range = pieces[piece]
            MatrixProduct.multiply(
                .none, .none, m: count, n: range.count, k: steps, alpha: 1, factors.start, steps,
                basis.start + range.lowerBound, dimension, beta: 0, vectors.start + range.lowerBound, dimension)
        }
        return vectors
    }
}
