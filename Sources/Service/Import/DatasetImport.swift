public import Formats
public import Store

/// A dataset on its way from files into the store.
public struct DatasetImport: Sendable {
    /// One file, and which part of it is meant where it holds several arrays.
    public struct Source: Sendable {
        /// The file's path.
        public let path: String
        /// An array of an archive, or a column of a CSV file.
        public let part: String?

        /// A file, or a part of one.
        public init(path: String, part: String? = nil) {
            self.path = path
            self.part = part
        }
    }

    /// The examples' features, one row each.
    public let inputs: Tensor
    /// One number an example: int32 labels where all are whole, float32 values otherwise.
    public let targets: Tensor
    /// How much each example counts, float32; nil where all count the same.
    public let weights: Tensor?
    /// Ids and metadata.
    public let annotations: [ExampleAnnotation]

    /// Reads files. Rows `rows` of each are kept; all by default. `divisor` is what inputs will be divided by.
    /// - Throws: `FormatError` naming the file and what is wrong with it.
    public init(
        inputs: Source, targets: Source, weights: Source? = nil, metadata: String? = nil, rows: Range<Int>? = nil,
        divisor: Double = 1
    ) throws {
        let allInputs = try TensorFile.read(path: inputs.path, part: inputs.part)
        guard !allInputs.shape.isEmpty else {
            throw FormatError(file: inputs.path, reason: "a dataset needs an array whose first extent counts the examples")
        }
        let count = allInputs.rowCount
        let kept = rows ?? 0..<count
        guard kept.upperBound <= count, !kept.isEmpty else {
            throw FormatError(
                file: inputs.path, reason: "rows \(kept.lowerBound):\(kept.upperBound) are not within its \(count) rows")
        }
        let examples = ExampleFiles(count: count, kept: kept, countedIn: inputs.path)
        self.inputs = try allInputs.rows(kept)
        self.targets = try examples.targets(targets)
        self.weights = try weights.map(examples.weights)
        annotations = try metadata.map { try examples.notes($0) }?.annotations ?? []
        try ValueScan(divisor: divisor).check(self.inputs, firstRow: kept.lowerBound, file: inputs.path)
    }
}
