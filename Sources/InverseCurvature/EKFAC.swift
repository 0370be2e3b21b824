public import LinearAlgebra

/// An approximate curvature in Kronecker-factored eigenbases (EKFAC; George, Laurent, Bouthillier, Ballas & Vincent 2018, "Fast
/// approximate natural gradient descent in a Kronecker-factored eigenbasis"; for influence Grosse et al. 2023, section 3.1).
///
/// One block for each layer, or for each group of a convolution's channels; between blocks the curvature is taken as zero, and in a block
/// as diagonal in the basis of its factors (Martens & Grosse 2015). It inverts at the cost of four products of matrices, and is a
/// solver by itself where an approximation will do, and a preconditioner where it will not.
public struct EKFAC: Sendable {
    /// The blocks. Their parts make up θ.
    public let blocks: [CurvatureBlock]
    /// p: the length of θ.
    public let dimension: Int
    /// Examples that the blocks were estimated from.
    public let exampleCount: Int

    /// An approximation of its blocks, which are looked at: O(p + Σ D̃² + C²).
    /// - Throws: `EKFACFlaw` where something is not finite, an eigenvalue is negative, a basis vector is not of length 1, or the blocks' parts
    ///   do not make up a vector.
    public init(blocks: [CurvatureBlock], exampleCount: Int) throws(EKFACFlaw) {
        guard exampleCount > 0 else { throw EKFACFlaw("an approximation is estimated from at least one example") }
        for (index, block) in blocks.enumerated() {
            guard block.eigenvalues.elements.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw EKFACFlaw("block \(index) has an eigenvalue that is negative or not finite")
            }
            guard case .kronecker(let block) = block else { continue }
            guard Self.isNormal(block.inputVectors, block.order), Self.isNormal(block.outputVectors, block.outputs) else {
                throw EKFACFlaw("block \(index) has a basis vector that is not of length 1")
            }
        }
        var end = 0
        for part in blocks.flatMap(\.parameters).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard part.lowerBound == end, !part.isEmpty else {
                throw EKFACFlaw("the blocks' parts of the parameters overlap, or leave a gap, at \(min(end, part.lowerBound))")
            }
            end = part.upperBound
        }
        guard end > 0 else { throw EKFACFlaw("there are no blocks") }
        self.blocks = blocks
        self.exampleCount = exampleCount
        dimension = end
    }

    /// Whether each row is of length 1, but for rounding.
    private static func isNormal(_ vectors: AlignedMemory<Float>, _ order: Int) -> Bool {
        (0..<order).allSatisfy { abs(Vectors.norm(vectors.start + $0 * order, order) - 1) < 1e-4 }
    }

    /// Bytes that the numbers take.
    public var byteCount: Int {
        blocks.reduce(0) { sum, block in
            var count = block.eigenvalues.count
            if case .kronecker(let block) = block { count += block.inputVectors.count + block.outputVectors.count }
            return sum + count * MemoryLayout<Float>.stride
        }
    }

    /// trace: the sum of all eigenvalues.
    public var trace: Double { blocks.reduce(0) { $1.eigenvalues.elements.reduce($0) { $0 + Double($1) } } }
}

/// What is wrong with an approximation, or with its bytes.
public struct EKFACFlaw: Error, Equatable, Sendable, CustomStringConvertible {
    /// In words.
    public let description: String

    init(_ description: String) { self.description = description }
}
