import Foundation
import GRDB

extension StoreCheck {
    /// Each dataset's record, blocks, digest and annotations.
    mutating func checkDatasets() throws {
        try forEachRow("dataset", "SELECT * FROM dataset ORDER BY id") { check, row in
            let dataset = try DatasetRecord(row)
            check.checkName(dataset.name, "dataset")
            var hasher = ContentHasher()
            hasher.updateHeader(of: dataset)
            try check.checkBlocks(dataset.inputs, type: dataset.elementType) { hasher.update(bytes: $0) }
            try check.checkBlocks(dataset.targets, type: dataset.targetType) { hasher.update(bytes: $0) }
            try check.checkWeights(of: dataset, &hasher)
            if hasher.finalize() != dataset.sha256 {
                check.report("dataset", dataset.name, "its content does not match its SHA-256 \(dataset.sha256)")
            }
            let stray = try Int.fetchOne(
                check.db, sql: "SELECT count(*) FROM example WHERE dataset = ? AND position >= ?",
                arguments: [dataset.id, dataset.rowCount])
            if let stray, stray > 0 {
                check.report("example", dataset.name, "\(stray) annotations are of examples the dataset does not have")
            }
        }
    }

    /// A dataset's weights: they are what may stand there, or nowhere.
    private mutating func checkWeights(of dataset: DatasetRecord, _ hasher: inout ContentHasher) throws {
        guard dataset.hasWeights else { return try checkAbsence(of: dataset.weights, "its examples have no weights") }
        hasher.updateHeaderOfWeights()
        var areUsable = true
        var oneIsPositive = false
        try checkBlocks(dataset.weights, type: nil) { bytes in
            hasher.update(bytes: bytes)
            bytes.withUnsafeBytes { bytes in
                areUsable = areUsable && WeightScan.firstUnusable(in: bytes) == nil
                oneIsPositive = oneIsPositive || WeightScan.hasPositive(in: bytes)
            }
        }
        if !areUsable { report(BlockTable.weights.rawValue, dataset.weights.what, "a weight is negative, NaN or infinite") }
        if !oneIsPositive { report(BlockTable.weights.rawValue, dataset.weights.what, "no weight is above 0") }
    }

    /// Each model's record, its checkpoints and their tensors.
    mutating func checkModels() throws {
        try forEachRow("model", ModelRecord.select + " ORDER BY model.id") { check, row in
            let model = try ModelRecord(row)
            check.checkName(model.name, "model")
            let count = try Int.fetchOne(
                check.db, sql: "SELECT count(*) FROM checkpoint WHERE model = ?", arguments: [model.id])
            if count == 0 { check.report("model", model.name, "it has no checkpoint") }
        }
        try forEachRow("checkpoint", CheckpointRecord.select + " ORDER BY checkpoint.id") { check, row in
            let checkpoint = try CheckpointRecord(row)
            check.checkName(checkpoint.name, "checkpoint")
            var hasher = ContentHasher()
            var position = 0
            let tensors = "SELECT * FROM tensor WHERE checkpoint = \(checkpoint.id) ORDER BY position"
            try check.forEachRow("tensor", tensors) { check, row in
                if try row.decode(Int.self, forColumn: "position") != position {
                    check.report("tensor", checkpoint.what, "the tensor of position \(position) is missing")
                }
                position += 1
                let tensor = try TensorRecord(row)
                hasher.updateHeader(of: tensor)
                try check.checkBlocks(tensor.blocks(in: checkpoint.what), type: tensor.elementType) { hasher.update(bytes: $0) }
            }
            if !checkpoint.hasTensors {
                if position > 0 { check.report("checkpoint", checkpoint.what, "it has tensors, but claims to have none") }
            } else if hasher.finalize() != checkpoint.sha256 {
                check.report("checkpoint", checkpoint.what, "its tensors do not match its SHA-256 \(checkpoint.sha256)")
            }
        }
    }

    /// The JSON texts that were given along with datasets, models, caches and derived quantities.
    mutating func checkTexts() throws {
        for (table, column, name) in [
            ("example", "metadata", "'row ' || position"), ("model", "spec", "name"), ("cache", "summary", "kind"),
            ("derived", "summary", "kind"),
        ] {
            try attempt(table) { check in
                let sql = "SELECT \(name) FROM \(table) WHERE \(column) IS NOT NULL AND NOT json_valid(\(column))"
                for name in try String.fetchAll(check.db, sql: sql) {
                    check.report(table, name, "its \(column) is not valid JSON")
                }
            }
        }
    }

    /// Each cache's record and blocks.
    mutating func checkCaches() throws {
        try forEachRow("cache", CacheRecord.select + " ORDER BY cache.id") { check, row in
            let cache = try CacheRecord(row)
            try check.checkBlocks(cache.blocks, type: cache.layout.elementType, mayLackRows: cache.state == .building)
        }
    }

    /// Each derived quantity's record and blocks.
    mutating func checkDerived() throws {
        try forEachRow("derived", DerivedRecord.select + " ORDER BY derived.id") { check, row in
            try check.checkBlocks(try DerivedRecord(row).blocks, type: nil)
        }
    }

    /// Shows `body` each row of a query; what is wrong with one row does not keep the others from being looked at.
    private mutating func forEachRow(_ table: String, _ sql: String, _ body: (inout Self, Row) throws -> Void) throws {
        var rows: [Row] = []
        try attempt(table) { check in rows = try Row.fetchAll(check.db, sql: sql) }
        for row in rows {
            try attempt(table) { check in try body(&check, row) }
        }
    }

    private mutating func checkName(_ name: String, _ table: String) {
        if !Names.isValid(name) { report(table, name, "its name is not a valid one") }
    }
}
