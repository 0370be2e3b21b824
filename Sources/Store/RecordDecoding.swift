import Formats
import Foundation
import GRDB

/// Reads the columns of one row, and refuses what no version of this code writes, so that damaged files surface as errors.
struct RecordDecoder {
    let row: Row
    /// What the row is about, for messages.
    let what: String

    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: String) throws -> Value {
        try row.decode(Value.self, forColumn: column)
    }

    func optional<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: String) throws -> Value? {
        try row.decode(Value?.self, forColumn: column)
    }

    /// A yes or no; `missing` in a store of a version that had no such column yet.
    func flag(_ column: String, missing: Bool) throws -> Bool {
        guard row.hasColumn(column) else { return missing }
        return try value(column)
    }

    func digest(_ column: String) throws -> ContentDigest {
        guard let digest = ContentDigest(bytes: try value(column)) else { throw corrupt("\(column) is not 32 bytes long") }
        return digest
    }

    func elementType(_ column: String) throws -> ElementType {
        let name: String = try value(column)
        guard let type = ElementType(rawValue: name) else { throw corrupt("\(column) '\(name)' is unknown") }
        return type
    }

    func shape(_ column: String) throws -> [Int] {
        let text: String = try value(column)
        guard let shape = ShapeText.decode(text) else { throw corrupt("\(column) '\(text)' is not a list of extents") }
        return shape
    }

    func date(_ column: String) throws -> Date {
        Date(timeIntervalSince1970: Double(try value(column) as Int64))
    }

    func corrupt(_ reason: String) -> StoreError { .corrupt(what: what, reason: reason) }
}

extension DatasetRecord {
    /// From a row of `dataset`.
    init(_ row: Row) throws {
        name = try row.decode(String.self, forColumn: "name")
        let decoder = RecordDecoder(row: row, what: "dataset '\(name)'")
        id = try decoder.value("id")
        elementType = try decoder.elementType("element_type")
        exampleShape = try decoder.shape("example_shape")
        divisor = try decoder.value("divisor")
        rowCount = try decoder.value("row_count")
        rowByteCount = try decoder.value("row_bytes")
        targetType = try decoder.elementType("target_type")
        targetShape = try decoder.shape("target_shape")
        targetRowByteCount = try decoder.value("target_row_bytes")
        hasWeights = try decoder.flag("has_weights", missing: false)
        sha256 = try decoder.digest("sha256")
        createdAt = try decoder.date("created_at")
        // All are counted with weights, so that there is room for them whether they are there or not.
        guard rowCount > 0, rowByteCount > 0 || exampleShape == [0], targetRowByteCount > 0 || targetShape == [0],
            Tensor.byteCount(of: exampleShape, elementType) == rowByteCount,
            Tensor.byteCount(of: targetShape, targetType) == targetRowByteCount,
            case let (width, tooWide) = rowByteCount.addingReportingOverflow(targetRowByteCount), !tooWide,
            case let (weighted, tooWideWeighted) = width.addingReportingOverflow(Self.weightByteCount), !tooWideWeighted,
            !rowCount.multipliedReportingOverflow(by: weighted).overflow
        else { throw decoder.corrupt("its shapes and its counts of rows and bytes do not agree") }
    }

    /// Where the inputs are.
    var inputs: BlockSequence {
        BlockSequence(
            table: .inputs, owner: id, what: "inputs of dataset '\(name)'", rowCount: rowCount, rowByteCount: rowByteCount)
    }

    /// Where the targets are.
    var targets: BlockSequence {
        BlockSequence(
            table: .targets, owner: id, what: "targets of dataset '\(name)'", rowCount: rowCount, rowByteCount: targetRowByteCount
        )
    }

    /// Where the weights are, if there are any.
    var weights: BlockSequence {
        BlockSequence(
            table: .weights, owner: id, what: "weights of dataset '\(name)'", rowCount: rowCount,
            rowByteCount: Self.weightByteCount)
    }
}

extension ModelRecord {
    /// The columns of `model` with the name of its dataset.
    static let select = "SELECT model.*, dataset.name AS dataset_name FROM model LEFT JOIN dataset ON dataset.id = model.dataset"

    /// From a row of ``select``.
    init(_ row: Row) throws {
        name = try row.decode(String.self, forColumn: "name")
        let decoder = RecordDecoder(row: row, what: "model '\(name)'")
        id = try decoder.value("id")
        spec = try decoder.value("spec")
        createdAt = try decoder.date("created_at")
        guard let dataset: String = try decoder.optional("dataset_name") else {
            throw decoder.corrupt("the dataset it was trained on is not there")
        }
        self.dataset = dataset
    }
}

extension CheckpointRecord {
    /// The columns of `checkpoint` with the name of its model.
    static let select =
        "SELECT checkpoint.*, model.name AS model_name FROM checkpoint LEFT JOIN model ON model.id = checkpoint.model"

    /// From a row of ``select``.
    init(_ row: Row) throws {
        name = try row.decode(String.self, forColumn: "name")
        let decoder = RecordDecoder(row: row, what: "checkpoint '\(name)'")
        id = try decoder.value("id")
        sequence = try decoder.value("sequence")
        training = TrainingState(
            step: try decoder.optional("step"), epoch: try decoder.optional("epoch"),
            learningRate: try decoder.optional("learning_rate"), trainLoss: try decoder.optional("train_loss"))
        hasTensors = try decoder.flag("has_tensors", missing: true)
        sha256 = try decoder.digest("sha256")
        createdAt = try decoder.date("created_at")
        guard let model: String = try decoder.optional("model_name") else {
            throw decoder.corrupt("the model it belongs to is not there")
        }
        self.model = model
    }

    /// The checkpoint as messages name it.
    var what: String { "checkpoint '\(name)' of model '\(model)'" }
}

extension TensorRecord {
    /// From a row of `tensor`.
    init(_ row: Row) throws {
        name = try row.decode(String.self, forColumn: "name")
        let decoder = RecordDecoder(row: row, what: "tensor '\(name)'")
        id = try decoder.value("id")
        elementType = try decoder.elementType("element_type")
        shape = try decoder.shape("shape")
        guard let byteCount = Tensor.byteCount(of: shape, elementType) else {
            throw decoder.corrupt("its shape \(shape) is too large to exist")
        }
        count = byteCount / elementType.byteCount
    }

    /// Where the bytes are: a row is an element, so that tensors of any shape split anywhere.
    func blocks(in checkpoint: String) -> BlockSequence {
        BlockSequence(
            table: .tensors, owner: id, what: "tensor '\(name)' of \(checkpoint)", rowCount: count,
            rowByteCount: elementType.byteCount)
    }
}

extension CacheRecord {
    /// The columns of `cache` with the names of its checkpoint and model.
    static let select = """
        SELECT cache.*, checkpoint.name AS checkpoint_name, model.name AS model_name FROM cache
        LEFT JOIN checkpoint ON checkpoint.id = cache.checkpoint LEFT JOIN model ON model.id = checkpoint.model
        """

    /// From a row of ``select``.
    init(_ row: Row) throws {
        kind = try row.decode(String.self, forColumn: "kind")
        let decoder = RecordDecoder(row: row, what: "cache '\(kind)'")
        (model, checkpoint) = try decoder.owner()
        id = try decoder.value("id")
        key = try decoder.digest("key")
        layout = CacheLayout(
            elementType: try decoder.elementType("element_type"), rowCount: try decoder.value("row_count"),
            rowByteCount: try decoder.value("row_bytes"))
        summary = try decoder.value("summary")
        createdAt = try decoder.date("created_at")
        guard let state = State(rawValue: try decoder.value("state")), layout.rowCount > 0, layout.rowByteCount > 0,
            layout.byteCount < .max
        else { throw decoder.corrupt("its state or layout is unknown") }
        self.state = state
    }

    /// Where the rows are.
    var blocks: BlockSequence {
        BlockSequence(
            table: .caches, owner: id, what: "cache '\(kind)' of checkpoint '\(checkpoint)' of model '\(model)'",
            rowCount: layout.rowCount, rowByteCount: layout.rowByteCount)
    }
}

extension DerivedRecord {
    /// The columns of `derived` with the names of its checkpoint and model.
    static let select = """
        SELECT derived.*, checkpoint.name AS checkpoint_name, model.name AS model_name FROM derived
        LEFT JOIN checkpoint ON checkpoint.id = derived.checkpoint LEFT JOIN model ON model.id = checkpoint.model
        """

    /// From a row of ``select``.
    init(_ row: Row) throws {
        kind = try row.decode(String.self, forColumn: "kind")
        let decoder = RecordDecoder(row: row, what: "derived '\(kind)'")
        (model, checkpoint) = try decoder.owner()
        id = try decoder.value("id")
        key = try decoder.digest("key")
        summary = try decoder.value("summary")
        byteCount = try decoder.value("byte_count")
        createdAt = try decoder.date("created_at")
        guard byteCount >= 0 else { throw decoder.corrupt("it claims \(byteCount) bytes") }
    }

    /// Where the bytes are: a row is a byte.
    var blocks: BlockSequence {
        BlockSequence(
            table: .derived, owner: id, what: "derived '\(kind)' of checkpoint '\(checkpoint)' of model '\(model)'",
            rowCount: byteCount, rowByteCount: 1)
    }
}

extension RecordDecoder {
    /// The names of the model and the checkpoint that a cache or a derived value belongs to.
    fileprivate func owner() throws -> (model: String, checkpoint: String) {
        guard let checkpoint: String = try optional("checkpoint_name"), let model: String = try optional("model_name") else {
            throw corrupt("the checkpoint it belongs to is not there")
        }
        return (model, checkpoint)
    }
}
