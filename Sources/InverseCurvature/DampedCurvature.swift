public import LinearAlgebra

/// The system a solver solves: (D + λI)s = v, D a curvature of the data and λ = weight decay + damping (`lambda_effective`).
public struct DampedCurvature: Sendable {
    /// D, by its products.
    public let data: any CurvatureOperator
    /// λ.
    public let shift: Double

    /// p: the length of s and v.
    public var dimension: Int { data.dimension }

    /// The system of a curvature and its λ.
    public init(_ data: any CurvatureOperator, shift: Double) {
        self.data = data
        self.shift = shift
    }

    /// v − (D + λI)s over all examples, for each of `count` stacked vectors, as for each alone.
    /// - Throws: `Interrupted`.
    public func remainder(
        of rightHandSides: [Float], after solutions: [Float], count: Int, parallel: Parallel, interruption: Interruption
    ) throws -> [Float] {
        var image = [Float](repeating: 0, count: solutions.count)
        try solutions.withUnsafeBufferPointer { s in
            try image.withUnsafeMutableBufferPointer { image in
                try data.product(
                    of: s.baseAddress!, to: image.baseAddress!, vectorCount: count, parallel: parallel,
                    interruption: interruption)
            }
        }
        return remainder(of: rightHandSides, after: solutions, images: image)
    }

    /// The same where D·s is known.
    func remainder(of rightHandSides: [Float], after solutions: [Float], images: [Float]) -> [Float] {
        precondition(
            rightHandSides.count == solutions.count && images.count == solutions.count, "a right-hand side and an image for each")
        let shift = Float(shift)
        return images.indices.map { rightHandSides[$0] - images[$0] - shift * solutions[$0] }
    }

    /// ‖v − (D + λI)s‖/‖v‖ over all examples, for each of `count` stacked vectors; 0 where v = 0.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    func residuals(
        of solutions: [Float], for rightHandSides: [Float], count: Int, parallel: Parallel, interruption: Interruption
    ) throws -> [Double] {
        let remainders = try remainder(
            of: rightHandSides, after: solutions, count: count, parallel: parallel, interruption: interruption)
        let residuals = Self.relativeNorms(of: remainders, to: rightHandSides, count: count)
        guard residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        return residuals
    }

    /// ‖v − (D + λI)s‖/‖v‖ for each of the stacked vectors; 0 where v = 0.
    static func relativeNorms(of remainders: [Float], to rightHandSides: [Float], count: Int) -> [Double] {
        let length = rightHandSides.count / count
        return (0..<count).map { i in
            let size = norm(rightHandSides, i, length)
            return size == 0 ? 0 : norm(remainders, i, length) / size
        }
    }

    private static func norm(_ vectors: [Float], _ index: Int, _ length: Int) -> Double {
        vectors.withUnsafeBufferPointer { Vectors.norm($0.baseAddress! + index * length, length) }
    }
}
