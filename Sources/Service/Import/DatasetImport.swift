public import Formats
internal import Foundation
internal import JSON
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
    /// Ids and metadata.
    public let annotations: [ExampleAnnotation]

    /// Reads files. Rows `rows` of each are kept; all by default. `divisor` is what inputs will be divided by.
    /// - Throws: `FormatError` naming the file and what is wrong with it.
    public init(
        inputs: Source, targets: Source, metadata: String? = nil, rows: Range<Int>? = nil, divisor: Double = 1
    ) throws {
        let allInputs = try TensorFile.read(path: inputs.path, part: inputs.part)
        let allTargets = try TensorFile.read(path: targets.path, part: targets.part)
        guard !allInputs.shape.isEmpty, !allTargets.shape.isEmpty else {
            throw FormatError(file: inputs.path, reason: "a dataset needs arrays whose first extent counts the examples")
        }
        guard allInputs.rowCount == allTargets.rowCount else {
            throw FormatError(
                file: targets.path,
                reason:
                    "has \(allTargets.rowCount) rows where \(inputs.path) has \(allInputs.rowCount); each example needs a target")
        }
        let kept = rows ?? 0..<allInputs.rowCount
        guard kept.upperBound <= allInputs.rowCount, !kept.isEmpty else {
            throw FormatError(
                file: inputs.path,
                reason: "rows \(kept.lowerBound):\(kept.upperBound) are not within its \(allInputs.rowCount) rows")
        }
        self.inputs = try allInputs.rows(kept)
        try Self.checkValues(of: self.inputs, divisor: divisor, firstRow: kept.lowerBound, file: inputs.path)
        self.targets = try Self.targets(allTargets.rows(kept), file: targets.path)
        annotations = try metadata.map { try Self.annotations(file: $0, rows: kept, count: allInputs.rowCount) } ?? []
    }

    /// Every value must be finite in single precision, before and after the division.
    private static func checkValues(of tensor: Tensor, divisor: Double, firstRow: Int, file: String) throws {
        let multiplier = Float(1 / divisor)
        guard multiplier.isFinite, multiplier > 0 else {
            throw FormatError(file: file, reason: "divided by \(divisor), its numbers are beyond single precision")
        }
        // Rows at a time: a file may be larger than memory.
        let step = max(1, (1 << 20) / max(1, tensor.rowWidth))
        for start in stride(from: 0, to: tensor.rowCount, by: step) {
            let rows = start..<min(start + step, tensor.rowCount)
            guard !areUsable(tensor, rows, multiplier) else { continue }
            // Found once, and so slowly: the row, then the column.
            let row = rows.first { !areUsable(tensor, $0..<$0 + 1, multiplier) } ?? start
            let values = try? tensor.rows(row..<row + 1).doubles().map { Float($0) * multiplier }
            let column = values?.firstIndex { !$0.isFinite }
            throw FormatError(
                file: file, part: "row \(firstRow + row)" + (column.map { ", column \($0)" } ?? firstNonFinite(tensor, row: row)),
                reason: values == nil
                    ? "the value is NaN or infinite; replace it, or leave the example out"
                    : "the value, divided by \(divisor), is beyond single precision")
        }
    }

    /// Whether all values of some rows are finite, as they are and divided.
    private static func areUsable(_ tensor: Tensor, _ rows: Range<Int>, _ multiplier: Float) -> Bool {
        guard let values = try? tensor.rows(rows).floats() else { return false }
        return values.allSatisfy { ($0 * multiplier).isFinite }
    }

    /// ", column C" of the first value of a row that is not finite.
    private static func firstNonFinite(_ tensor: Tensor, row: Int) -> String {
        let width = tensor.rowWidth
        let flat = try? tensor.rows(row..<row + 1).reshaped([width])
        let column = (0..<width).first { (try? flat?.rows($0..<$0 + 1).doubles()) == nil }
        return column.map { ", column \($0)" } ?? ""
    }

    private static func targets(_ tensor: Tensor, file: String) throws -> Tensor {
        do throws(TensorError) {
            let column = try tensor.singleColumn()
            if let integers = try? column.integers() {
                let labels = integers.compactMap { Int32(exactly: $0) }
                guard labels.count == integers.count else { throw TensorError("a label is beyond 32 bits") }
                return Tensor(copying: labels, as: .int32, shape: [labels.count])
            }
            let values = try column.floats()
            return Tensor(copying: values, as: .float32, shape: [values.count])
        } catch {
            throw FormatError(file: file, error)
        }
    }

    /// One JSON object a line and example: `id` is its name, the rest is its metadata.
    private static func annotations(file: String, rows: Range<Int>, count: Int) throws -> [ExampleAnnotation] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw FormatError(file: file, reason: "can't be read")
        }
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count == count else {
            throw FormatError(file: file, reason: "has \(lines.count) lines for \(count) examples; there must be one each")
        }
        return try rows.map { row in
            let line = "line \(row + 1)"
            do {
                guard var members = try JSON(parsing: [UInt8](lines[row])).objectValue else {
                    throw FormatError(file: file, part: line, reason: "must be a JSON object")
                }
                let id = members["id"]
                guard id == nil || id?.stringValue != nil else {
                    throw FormatError(file: file, part: line, reason: "its id must be a string")
                }
                members["id"] = nil
                return ExampleAnnotation(
                    index: row - rows.lowerBound, id: id?.stringValue, metadata: JSON.object(members).text)
            } catch let error as JSONSyntaxError {
                throw FormatError(file: file, part: line, reason: "is not JSON: \(error)")
            }
        }
    }
}

extension Tensor {
    /// A tensor of numbers in memory. `shape` describes `values`.
    init(copying values: [some BitwiseCopyable], as elementType: ElementType, shape: [Int]) {
        let bytes = values.withUnsafeBytes { Data($0) }
        guard let tensor = Tensor(elementType: elementType, shape: shape, bytes: bytes) else {
            preconditionFailure("the shape is of these values")
        }
        self = tensor
    }
}
