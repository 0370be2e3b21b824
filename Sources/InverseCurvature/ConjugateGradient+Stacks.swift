internal import LinearAlgebra

extension ConjugateGradient {
    /// The vectors of all sides that are not done, one side's after the other's, and what is done to them piece by piece.
    ///
    /// Where a piece begins depends on p alone, and sums are added in the pieces' order: no bit depends on threads or companions.
    struct Stacks: Sendable {
        /// s so far, r, the direction p, and what is multiplied with the curvature, then its image, then P⁻¹r.
        let s, r, p, q: AlignedMemory<Float>
        /// p: the length of one vector.
        let length: Int
        let parallel: Parallel
        let interruption: Interruption
        private let pieces: [Range<Int>]
        private let partials: AlignedMemory<Double>

        /// Numbers of a piece: a few microseconds' work, and all its vectors fit into the second-level cache.
        private static let pieceLength = 16_384

        init(length: Int, count: Int, parallel: Parallel, interruption: Interruption) {
            self.length = length
            self.parallel = parallel
            self.interruption = interruption
            pieces = Parallel.ranges(of: length, pieces: (length + Self.pieceLength - 1) / Self.pieceLength)
            s = AlignedMemory(repeating: 0, count: length * count)
            r = AlignedMemory(uninitialized: length * count)
            p = AlignedMemory(uninitialized: length * count)
            q = AlignedMemory(uninitialized: length * count)
            partials = AlignedMemory(uninitialized: pieces.count * count)
        }

        /// For each of `count` positions the sum of what `body` returns of its pieces.
        /// - Parameter body: is told the position in the stack, and where in its vectors the piece lies.
        func sums(
            _ count: Int, _ body: @escaping @Sendable (_ position: Int, _ piece: Range<Int>) -> Double
        ) throws -> [Double] {
            guard !pieces.isEmpty else { return Array(repeating: 0, count: count) }
            let (pieces, partials) = (pieces, partials)
            try parallel.forEach(count * pieces.count, interruption: interruption) { index in
                let (position, piece) = index.quotientAndRemainder(dividingBy: pieces.count)
                partials.start[index] = body(position, pieces[piece])
            }
            return (0..<count).map { position in
                pieces.indices.reduce(0) { $0 + partials.start[position * pieces.count + $1] }
            }
        }

        /// y ← x for a piece of a vector, and y·y.
        static func scaled(
            _ x: UnsafePointer<Float>, by factor: Float, to y: UnsafeMutablePointer<Float>, _ count: Int
        ) -> Double {
            for i in 0..<count { y[i] = factor * x[i] }
            return Vectors.dot(y, y, count)
        }

        /// q ← q + λp of a piece, and p·q.
        func shift(_ shift: Float, _ position: Int, _ piece: Range<Int>) -> Double {
            let offset = position * length + piece.lowerBound
            let (p, q) = (p.start + offset, q.start + offset)
            for i in 0..<piece.count { q[i] += shift * p[i] }
            return Vectors.dot(p, q, piece.count)
        }

        /// r ← v − q − λs of a piece, where q holds Ds and `v` is the piece's part of v; and r·r.
        func measure(
            _ shift: Float, _ v: UnsafePointer<Float>, by scale: Float, _ position: Int, _ piece: Range<Int>
        ) -> Double {
            let offset = position * length + piece.lowerBound
            let (s, r, q) = (s.start + offset, r.start + offset, q.start + offset)
            for i in 0..<piece.count { r[i] = scale * v[i] - q[i] - shift * s[i] }
            return Vectors.dot(r, r, piece.count)
        }

        /// s ← s + αp and r ← r − αq of a piece, and r·r.
        func step(_ alpha: Float, _ position: Int, _ piece: Range<Int>) -> Double {
            let offset = position * length + piece.lowerBound
            let (s, r, p, q) = (s.start + offset, r.start + offset, p.start + offset, q.start + offset)
            for i in 0..<piece.count { s[i] += alpha * p[i] }
            for i in 0..<piece.count { r[i] -= alpha * q[i] }
            return Vectors.dot(r, r, piece.count)
        }

        /// Makes r at each position orthogonal to all that was kept of it, and returns r·r.
        ///
        /// One after the other: each can only shorten r (in the norm of P⁻¹) then, even where rounding has left nothing of it but what was
        /// kept. All at once they could lengthen it.
        func orthogonalize(to kept: [[Kept]]) throws -> [Double] {
            let squares = AlignedMemory<Double>(uninitialized: kept.count)
            let (r, length, interruption) = (r, length, interruption)
            try parallel.forEach(kept.count, interruption: interruption) { position in
                let r = r.start + position * length
                for kept in kept[position] {
                    try interruption.check()
                    let factor = Vectors.dot(kept.z.start, r, length) / kept.rho
                    BLAS.add(length, alpha: Float(-factor), kept.r.start, to: r)
                }
                squares.start[position] = Vectors.dot(r, r, length)
            }
            return squares.copy
        }

        /// A copy of the vector at a position of a stack.
        func copy(_ stack: AlignedMemory<Float>, _ position: Int) -> AlignedMemory<Float> {
            let copy = AlignedMemory<Float>(uninitialized: length)
            copy.start.update(from: stack.start + position * length, count: length)
            return copy
        }

        /// p ← z + βp of a piece.
        func turn(to z: AlignedMemory<Float>, _ momentum: Float?, _ position: Int, _ piece: Range<Int>) {
            let offset = position * length + piece.lowerBound
            let (z, p) = (z.start + offset, p.start + offset)
            guard let momentum else { return p.update(from: z, count: piece.count) }
            for i in 0..<piece.count { p[i] = z[i] + momentum * p[i] }
        }

        /// Moves s, r and p of one position to an earlier one.
        func move(_ position: Int, to earlier: Int) {
            for stack in [s, r, p] {
                (stack.start + earlier * length).update(from: stack.start + position * length, count: length)
            }
        }
    }
}
