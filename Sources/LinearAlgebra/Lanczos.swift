internal import CLAPACK

/// The largest eigenvalue of a symmetric positive semi-definite operator by the Lanczos recursion with full
/// reorthogonalisation (Golub & Van Loan, Matrix Computations, 10.3): one product with the operator a step.
public enum Lanczos {
    /// - Parameters:
    ///   - dimension: p.
    ///   - steps: products to spend; 16 give the largest eigenvalue of the curvatures met here to well under 1 %.
    ///   - seed: of the start vector.
    ///   - multiply: y ← A·x.
    /// - Returns: the largest Ritz value, which is never above the largest eigenvalue but for rounding.
    public static func largestEigenvalue(
        dimension: Int, steps: Int = 16, seed: UInt64 = 0,
        multiply: (_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) throws -> Void
    ) rethrows -> Double {
        var stream = RandomStream(seed: seed)
        var vector = (0..<dimension).map { _ in Float(stream.nextNormal()) }
        normalise(&vector, by: Vectors.norm(vector))
        var basis = [vector]
        var diagonal: [Double] = []
        var offDiagonal: [Double] = []
        var image = [Float](repeating: 0, count: dimension)
        for _ in 0..<min(steps, dimension) {
            try basis.last!.withUnsafeBufferPointer { x in
                try image.withUnsafeMutableBufferPointer { y in try multiply(x.baseAddress!, y.baseAddress!) }
            }
            diagonal.append(Vectors.dot(basis.last!, image))
            // Twice is enough (Kahan, Parlett): single precision loses orthogonality within a few steps otherwise.
            for _ in 0..<2 {
                for q in basis { subtract(Vectors.dot(q, image), times: q, from: &image) }
            }
            let length = Vectors.norm(image)
            guard length > 1e-6 * abs(diagonal[0]), basis.count < min(steps, dimension) else { break }
            offDiagonal.append(length)
            var next = image
            normalise(&next, by: length)
            basis.append(next)
        }
        return largestTridiagonalEigenvalue(diagonal: diagonal, offDiagonal: offDiagonal)
    }

    private static func normalise(_ x: inout [Float], by length: Double) {
        guard length > 0 else { return }
        let factor = Float(1 / length)
        for i in x.indices { x[i] *= factor }
    }

    private static func subtract(_ factor: Double, times q: [Float], from x: inout [Float]) {
        let factor = Float(-factor)
        q.withUnsafeBufferPointer { q in
            x.withUnsafeMutableBufferPointer { x in BLAS.add(q.count, alpha: factor, q.baseAddress!, to: x.baseAddress!) }
        }
    }

    private static func largestTridiagonalEigenvalue(diagonal: [Double], offDiagonal: [Double]) -> Double {
        var values = diagonal
        var beside = offDiagonal + [0]
        var count = CInt(values.count)
        var info: CInt = 0
        var unused = 0.0
        var leading: CInt = 1
        var work = 0.0
        dstev_("N", &count, &values, &beside, &unused, &leading, &work, &info, 1)
        // dstev fails only where its iteration does not converge, which leaves the diagonal's largest as a lower bound.
        return info == 0 ? values[values.count - 1] : diagonal.max() ?? 0
    }
}
