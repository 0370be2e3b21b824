import Formats
import Foundation

/// A dataset that has been looked through and can be written.
struct DatasetDraft {
    let name: String
    let inputs: Tensor
    let divisor: Double
    let targets: Tensor
    let annotations: [ExampleAnnotation]

    /// Checks everything that can be checked before a byte is written.
    ///
    /// - Throws: ``StoreError/invalid(what:reason:change:)`` that names the part, and for values the row and the column.
    /// - Complexity: O(bytes) for floating-point inputs and targets, O(1) besides the annotations for others.
    init(
        name: String, inputs: Tensor, divisor: Double, targets: Tensor, annotations: [ExampleAnnotation]
    ) throws {
        self.name = name
        self.inputs = inputs
        self.divisor = divisor
        self.targets = targets
        self.annotations = annotations
        try Names.require(name, for: .dataset)
        try checkShapes()
        try Self.checkFinite(inputs, "inputs")
        try Self.checkFinite(targets, "targets")
        try checkAnnotations()
    }

    private func checkShapes() throws {
        for (part, tensor) in [("inputs", inputs), ("targets", targets)] {
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
        guard inputs.rowCount == targets.rowCount else {
            throw StoreError.invalid(
                what: "targets", reason: "there are \(targets.rowCount) targets for \(inputs.rowCount) inputs",
                change: "give one target for each input, in the same order")
        }
        guard targets.elementType == .int32 || targets.elementType == .float32 else {
            throw StoreError.invalid(
                what: "targets", reason: "they are \(targets.elementType.rawValue)",
                change: "convert labels to int32, and values to float32")
        }
        guard divisor.isFinite, divisor > 0 else {
            throw StoreError.invalid(what: "divisor", reason: "it is \(divisor)", change: "give a positive number")
        }
    }

    private func checkAnnotations() throws {
        var seen = Set<Int>(minimumCapacity: annotations.count)
        for annotation in annotations {
            let what = "annotation of example \(annotation.index)"
            guard annotation.index >= 0, annotation.index < inputs.rowCount else {
                throw StoreError.invalid(
                    what: what, reason: "there are \(inputs.rowCount) examples, numbered from 0", change: "correct its index")
            }
            guard seen.insert(annotation.index).inserted else {
                throw StoreError.invalid(what: what, reason: "it is given twice", change: "annotate each example once")
            }
            guard annotation.id?.utf8.contains(0) != true else {
                throw StoreError.invalid(what: what, reason: "its id contains a NUL character", change: "remove that character")
            }
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
