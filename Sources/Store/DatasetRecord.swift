public import Formats
public import Foundation

/// A stored dataset: what it holds, without the bytes.
public struct DatasetRecord: Hashable, Sendable {
    /// Its name, unique in the store.
    public let name: String
    /// How each input element is stored.
    public let elementType: ElementType
    /// The extents of one example's input; empty for one number per example, `[0]` where there are no inputs.
    public let exampleShape: [Int]
    /// What stored input elements are to be divided by when they are used; 1 leaves them as they are.
    public let divisor: Double
    /// Examples.
    public let rowCount: Int
    /// Bytes of one example's input; 0 where there are no inputs.
    public let rowByteCount: Int
    /// How targets are stored: `int32` for labels, `float32` for values.
    public let targetType: ElementType
    /// The extents of one example's target; empty for one number per example, `[0]` where there are no targets.
    public let targetShape: [Int]
    /// Bytes of one example's target; 0 where there are no targets.
    public let targetRowByteCount: Int
    /// Whether the examples have weights; if not, each counts as much as any other.
    public let hasWeights: Bool
    /// The identity of the examples: a digest over types, shapes, divisor, inputs, targets and, where there are any, weights, but
    /// neither names nor annotations.
    public let sha256: ContentDigest
    /// When it was imported, to the second.
    public let createdAt: Date

    let id: Int64

    /// Whether the examples have inputs; if not, they are known by gradients that were computed elsewhere.
    public var hasInputs: Bool { rowByteCount > 0 }

    /// Whether the examples have targets. Those with inputs do.
    public var hasTargets: Bool { targetRowByteCount > 0 }

    /// Bytes of one example's weight.
    static let weightByteCount = ElementType.float32.byteCount

    /// Bytes of all inputs, targets and weights.
    public var byteCount: Int { rowCount * (rowByteCount + targetRowByteCount + (hasWeights ? Self.weightByteCount : 0)) }
}

/// What is known of one example besides its input and target.
public struct ExampleAnnotation: Hashable, Sendable {
    /// The example's row, from 0.
    public let index: Int
    /// The example's name elsewhere; need not be unique.
    public let id: String?
    /// A JSON text, kept as it was given.
    public let metadata: String?

    /// An annotation of the example in row `index`.
    public init(index: Int, id: String? = nil, metadata: String? = nil) {
        self.index = index
        self.id = id
        self.metadata = metadata
    }
}
