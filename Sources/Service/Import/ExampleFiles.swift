internal import Formats
internal import Foundation
internal import JSON
internal import Store

/// Files with a number or an object for each of some examples.
struct ExampleFiles {
    /// Rows that each file must have.
    let count: Int
    /// The rows that are kept of it.
    let kept: Range<Int>
    /// The file that says how many examples there are.
    let countedIn: String

    /// Targets: int32 labels where all are whole numbers, float32 values otherwise.
    /// - Throws: `FormatError`, as all of these do.
    func targets(_ source: DatasetImport.Source) throws -> Tensor {
        try column(source, "a target") { column throws(TensorError) in
            if let integers = try? column.integers() {
                if let row = integers.firstIndex(where: { Int32(exactly: $0) == nil }) {
                    throw TensorError("row \(kept.lowerBound + row) is \(integers[row]); a label has at most 32 bits")
                }
                return Tensor(copying: integers.map(Int32.init), as: .int32, shape: [integers.count])
            }
            let values = try column.floats()
            return Tensor(copying: values, as: .float32, shape: [values.count])
        }
    }

    /// Weights: float32, from 0 up.
    func weights(_ source: DatasetImport.Source) throws -> Tensor {
        try column(source, "a weight") { column throws(TensorError) in
            let values = try column.floats()
            if let row = values.firstIndex(where: { $0 < 0 }) {
                throw TensorError(
                    "row \(kept.lowerBound + row) is \(values[row]); a weight is a number from 0 up, and 0 leaves the example out"
                )
            }
            return Tensor(copying: values, as: .float32, shape: [values.count])
        }
    }

    /// One number a row, or several where there may be, as JSON that prints what the file holds.
    func values(_ source: DatasetImport.Source, _ unit: String, isSingle: Bool) throws -> [JSON] {
        let rows = try rows(source, unit)
        let numbers: [JSON]
        do throws(TensorError) {
            let doubles = try (isSingle ? rows.singleColumn() : rows).doubles()
            numbers = doubles.map { value in
                if let integer = Int(exactly: value) { return .integer(integer) }
                return rows.elementType == .float64 ? .double(value) : .float(Float(value))
            }
        } catch {
            throw FormatError(file: source.path, error)
        }
        guard rows.shape.count > 1, !isSingle else { return numbers }
        let width = rows.rowWidth
        return (0..<rows.rowCount).map { .array(Array(numbers[$0 * width..<($0 + 1) * width])) }
    }

    /// One JSON object a line and example: `id` is its name, the rest is its metadata.
    func notes(_ file: String) throws -> [ExampleNote] {
        var lines = try InputFile.read(path: file).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count == count else {
            throw FormatError(file: file, reason: "has \(lines.count) lines for \(count) examples; there must be one each")
        }
        return try kept.map { row in
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
                return ExampleNote(id: id?.stringValue, metadata: members)
            } catch let error as JSONSyntaxError {
                throw FormatError(file: file, part: line, reason: "is not JSON: \(error)")
            }
        }
    }

    /// The kept rows of a file that must have as many as there are examples.
    private func rows(_ source: DatasetImport.Source, _ unit: String) throws -> Tensor {
        let all = try TensorFile.read(path: source.path, part: source.part)
        guard !all.shape.isEmpty, all.rowCount == count else {
            throw FormatError(
                file: source.path,
                reason: "has \(all.rowCount) rows where \(countedIn) has \(count); each example needs \(unit)")
        }
        return try all.rows(kept)
    }

    /// The one column of a file, converted.
    private func column(
        _ source: DatasetImport.Source, _ unit: String, _ convert: (Tensor) throws(TensorError) -> Tensor
    ) throws -> Tensor {
        let rows = try rows(source, unit)
        // By the file's own rows, which are not all kept.
        try ValueScan().check(rows, firstRow: kept.lowerBound, file: source.path)
        do throws(TensorError) { return try convert(rows.singleColumn()) } catch {
            throw FormatError(file: source.path, error)
        }
    }
}

/// What is known of an example beside its numbers.
struct ExampleNote {
    var id: String?
    var metadata: JSONObject
}

extension [ExampleNote] {
    /// As the store takes them: one for each example in order.
    var annotations: [ExampleAnnotation] {
        enumerated().map { ExampleAnnotation(index: $0, id: $1.id, metadata: JSON.object($1.metadata).text) }
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
