import Formats
import Foundation

/// A dataset that has been looked through and can be written.
struct DatasetDraft {
    let name: String
    let inputs: Tensor
    let divisor: Double
    let targets: Tensor
    let weights: Tensor?
    let annotations: [ExampleAnnotation]

    /// Examples.
    var rowCount: Int { inputs.rowCount }

    /// Checks everything that can be checked before a byte is written.
    ///
    /// - Throws: ``StoreError/invalid(what:reason:change:)`` that names the part, and for values the row and the column.
    /// - Complexity: O(bytes) for floating-point inputs and targets, O(1) besides weights and annotations for others.
    init(
        name: String, inputs: Tensor, divisor: Double, targets: Tensor, weights: Tensor?, annotations: [ExampleAnnotation]
    ) throws {
        self.name = name
        self.inputs = inputs
        self.divisor = divisor
        self.targets = targets
        self.weights = weights
        self.annotations = annotations
        try Names.require(name, for: .dataset)
        try Self.checkShape(inputs, "inputs")
        try checkTargets()
        try checkDivisor()
        try Self.checkFinite(inputs, "inputs")
        try checkWeights()
        try checkAnnotations()
    }

    /// Checks `count` examples without inputs.
    ///
    /// - Throws: As the other initializer.
    init(name: String, count: Int, targets: Tensor?, weights: Tensor?, annotations: [ExampleAnnotation]) throws {
        try Names.require(name, for: .dataset)
        // A shape that overflows makes no tensor, even where it is empty.
        guard count > 0, let nothing = Tensor(elementType: .float32, shape: [count, 0], bytes: Data()) else {
            throw StoreError.invalid(
                what: "examples", reason: "their number is \(count)", change: "give the number of examples, which is at least 1")
        }
        self.name = name
        inputs = nothing
        divisor = 1
        self.targets = targets ?? nothing
        self.weights = weights
        self.annotations = annotations
        if targets != nil { try checkTargets() }
        try checkWeights()
        try checkAnnotations()
    }

    private func checkTargets() throws {
        try Self.checkShape(targets, "targets")
        guard targets.rowCount == rowCount else {
            throw StoreError.invalid(
                what: "targets", reason: "there are \(targets.rowCount) targets for \(rowCount) \(unit)",
                change: "give one target for each, in the same order")
        }
        guard targets.elementType == .int32 || targets.elementType == .float32 else {
            throw StoreError.invalid(
                what: "targets", reason: "they are \(targets.elementType.rawValue)",
                change: "convert labels to int32, and values to float32")
        }
        try Self.checkFinite(targets, "targets")
    }

    private func checkDivisor() throws {
        guard divisor.isFinite, divisor > 0 else {
            throw StoreError.invalid(what: "divisor", reason: "it is \(divisor)", change: "give a positive number")
        }
    }

    private func checkWeights() throws {
        guard let weights else { return }
        guard weights.elementType == .float32 else {
            throw StoreError.invalid(
                what: "weights", reason: "they are \(weights.elementType.rawValue)", change: "convert them to float32")
        }
        guard !weights.shape.isEmpty, weights.rowCount == rowCount, weights.rowWidth == 1 else {
            throw StoreError.invalid(
                what: "weights", reason: "shape \(weights.shape) is not one number for each of \(rowCount) \(unit)",
                change: "give an array of shape [\(rowCount)]")
        }
        if let row = weights.bytes.withUnsafeBytes(WeightScan.firstUnusable) {
            throw StoreError.invalid(
                what: "weights, row \(row)", reason: "the weight is negative, NaN or infinite",
                change: "give 0 to leave an example out, and a positive number to count it")
        }
        guard weights.bytes.withUnsafeBytes(WeightScan.hasPositive) else {
            throw StoreError.invalid(what: "weights", reason: "all are 0", change: "give some example a weight above 0")
        }
    }

    private func checkAnnotations() throws {
        var seen = Set<Int>(minimumCapacity: annotations.count)
        for annotation in annotations {
            let what = "annotation of example \(annotation.index)"
            guard annotation.index >= 0, annotation.index < rowCount else {
                throw StoreError.invalid(
                    what: what, reason: "there are \(rowCount) examples, numbered from 0", change: "correct its index")
            }
            guard seen.insert(annotation.index).inserted else {
                throw StoreError.invalid(what: what, reason: "it is given twice", change: "annotate each example once")
            }
            guard annotation.id?.utf8.contains(0) != true else {
                throw StoreError.invalid(what: what, reason: "its id contains a NUL character", change: "remove that character")
            }
        }
    }

    /// What targets and weights are counted against, for messages.
    private var unit: String { inputs.bytes.isEmpty ? "examples" : "inputs" }

    private static func checkShape(_ tensor: Tensor, _ part: String) throws {
        guard !tensor.shape.isEmpty, tensor.rowCount > 0, tensor.rowByteCount > 0 else {
            throw StoreError.invalid(
                what: part, reason: "shape \(tensor.shape) holds no examples",
                change: "give an array whose first extent counts the examples, with no extent of 0")
        }
        guard tensor.rowByteCount <= BlockSequence.maximumBlockByteCount else {
            throw StoreError.invalid(
                what: part, reason: "one example takes \(tensor.rowByteCount) bytes",
                change: "store at most \(BlockSequence.maximumBlockByteCount) bytes for each")
        }
    }

    private static func checkFinite(_ tensor: Tensor, _ part: String) throws {
        let position = tensor.bytes.withUnsafeBytes { FiniteScan.firstNonFinite(in: $0, tensor.elementType) }
        guard let position else { return }
        throw StoreError.invalid(
            what: "\(part), row \(position / tensor.rowWidth), column \(position % tensor.rowWidth)",
            reason: "the value is NaN or infinite", change: "replace it or leave the example out")
    }
}
