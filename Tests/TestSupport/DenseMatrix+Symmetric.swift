extension DenseMatrix {
    /// QΛQᵀ with Q a product of random reflections: a symmetric matrix whose spectrum is known.
    public static func symmetric(eigenvalues: [Double], random numbers: inout SeededNumbers) -> DenseMatrix {
        var result = DenseMatrix(diagonal: eigenvalues)
        let order = eigenvalues.count
        for _ in 0..<3 {
            let w = (0..<order).map { _ in numbers.normal() }
            let size = w.reduce(0) { $0 + $1 * $1 }
            var reflection = DenseMatrix(diagonal: [Double](repeating: 1, count: order))
            for i in 0..<order { for j in 0..<order { reflection[i, j] -= 2 * w[i] * w[j] / size } }
            result = reflection * result * reflection
        }
        for i in 0..<order { for j in 0..<i { result[i, j] = result[j, i] } }
        return result
    }

    /// The eigenvalues of a symmetric matrix, ascending, by Jacobi's cyclic rotations.
    public var symmetricEigenvalues: [Double] {
        var a = self
        let size = elements.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<60 {
            var off = 0.0
            for i in 0..<rows { for j in 0..<i { off += a[i, j] * a[i, j] } }
            guard off > 1e-28 * size else { break }
            for p in 0..<rows {
                for q in p + 1..<max(rows, p + 1) where a[p, q] != 0 { a.rotate(p, q) }
            }
        }
        return (0..<rows).map { a[$0, $0] }.sorted()
    }

    /// Makes the element (p, q) zero by a rotation of the plane (p, q).
    private mutating func rotate(_ p: Int, _ q: Int) {
        let theta = (self[q, q] - self[p, p]) / (2 * self[p, q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<rows { (self[k, p], self[k, q]) = (c * self[k, p] - s * self[k, q], s * self[k, p] + c * self[k, q]) }
        for k in 0..<rows { (self[p, k], self[q, k]) = (c * self[p, k] - s * self[q, k], s * self[p, k] + c * self[q, k]) }
    }
}
