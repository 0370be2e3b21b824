public import Formats
public import Foundation

/// A stored dataset: what it holds, without the bytes.
public struct DatasetRecord: Hashable, Sendable {
    /// Its name, unique in the store.
    public let name: String
    /// How each input element is stored.
    public let elementType: ElementType
    /// The extents of one example's input; empty for one number per example.
    public let exampleShape: [Int]
    /// What stored input elements are to be divided by when they are used; 1 leaves them as they are.
    public let divisor: Double
    /// Examples.
    public let rowCount: Int
    /// Bytes of one example's input.
    public let rowByteCount: Int
    /// How targets are stored: `int32` for labels, `float32` for values.
    public let targetType: ElementType
    /// The extents of one example's target; empty for one number per example.
    public let targetShape: [Int]
    /// Bytes of one example's target.
    public let targetRowByteCount: Int
    /// The identity of the examples: a digest over types, shapes, divisor, inputs and targets, but neither names nor annotations.
    public let sha256: ContentDigest
    /// When it was imported, to the second.
    public let createdAt: Date

    let id: Int64

    /// Bytes of all inputs and targets.
    public var byteCount: Int { rowCount * (rowByteCount + targetRowByteCount) }
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
