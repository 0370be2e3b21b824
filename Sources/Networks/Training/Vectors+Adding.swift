internal import LinearAlgebra

extension Vectors {
    /// y ← y + factor·x, of two arrays of one length.
    static func add(_ factor: Double, _ x: [Float], to y: inout [Float]) {
        precondition(x.count == y.count, "vectors of different lengths")
        x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                guard let from = x.baseAddress, let to = y.baseAddress else { return }
                BLAS.add(x.count, alpha: Float(factor), from, to: to)
            }
        }
    }
}
