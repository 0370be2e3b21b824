import Formats
import Foundation
import GRDB
import TestSupport

@testable import Store

/// A store in a folder of its own, with blocks so small that little data makes many.
struct Fixture {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("test.sqlite")
    }

    func open(_ access: StoreAccess = .readWrite, blockByteCount: Int = 64, busyTimeout: Double = 5) throws -> Store {
        try Self.open(path, access, blockByteCount: blockByteCount, busyTimeout: busyTimeout)
    }

    static func open(
        _ path: String, _ access: StoreAccess = .readWrite, blockByteCount: Int = 64, busyTimeout: Double = 5
    ) throws -> Store {
        try Store.open(
            at: path, access: access, createIfMissing: access == .readWrite, busyTimeout: busyTimeout,
            blockByteCount: blockByteCount)
    }

    /// Runs `body` on a fixture of its own whose file holds `content`.
    static func with(_ content: Data, _ body: (Fixture) throws -> Void) throws {
        let copy = try Fixture()
        try content.write(to: URL(fileURLWithPath: copy.path))
        try withExtendedLifetime(copy) { try body(copy) }
    }

    /// The bytes of the file, all of them if nobody has the store open.
    func content() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    /// Runs SQL on the file behind the store's back, constraints off.
    func tamper(_ sql: String, _ arguments: StatementArguments = []) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try db.execute(sql: sql, arguments: arguments)
        }
    }

    /// Changes one byte in the middle of each blob that `condition` selects.
    func flipByte(in table: BlockTable, where condition: String = "TRUE") throws {
        let query = "SELECT rowid, bytes FROM \(table.rawValue) WHERE \(condition)"
        let blobs = try DatabaseQueue(path: path).read { db in
            try Row.fetchAll(db, sql: query).map { (id: $0[0] as Int64, bytes: $0[1] as Data) }
        }
        precondition(!blobs.isEmpty)
        for (id, bytes) in blobs {
            var changed = bytes
            changed[changed.count / 2] ^= 1
            try tamper("UPDATE \(table.rawValue) SET bytes = ? WHERE rowid = ?", [changed, id])
        }
    }
}

/// Whatever a test fails on purpose with.
struct Interruption: Error, Equatable {}

/// Bytes that differ from row to row.
func bytes(_ shape: [Int], from start: Int = 0) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor(
        elementType: .uint8, shape: shape, bytes: Data((0..<count).map { UInt8(truncatingIfNeeded: ($0 + start) * 31) }))!
}

/// Floats that differ from row to row.
func floats(_ shape: [Int], changing changes: [Int: Float] = [:]) -> Tensor {
    var values = (0..<shape.reduce(1, *)).map { Float($0) * 0.25 - 3 }
    for (index, value) in changes { values[index] = value }
    return Tensor(elementType: .float32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })!
}

/// Labels 0...9 in turn.
func labels(_ count: Int) -> Tensor {
    let values = (0..<count).map { Int32($0 % 10) }
    return Tensor(elementType: .int32, shape: [count], bytes: values.withUnsafeBytes { Data($0) })!
}

/// Weights 0, 0.5, 1, 1.5 in turn.
func weights(_ count: Int, changing changes: [Int: Float] = [:]) -> Tensor {
    var values = (0..<count).map { Float($0 % 4) * 0.5 }
    for (index, value) in changes { values[index] = value }
    return Tensor(elementType: .float32, shape: [count], bytes: values.withUnsafeBytes { Data($0) })!
}

/// A spec; the store asks only that it is JSON.
let spec = #"{"layers": [{"type": "linear"}], "loss": {"type": "cross_entropy"}}"#

extension Store {
    func inputs(_ dataset: DatasetRecord, _ rows: Range<Int>, verifying: Bool = true) throws -> Data {
        var result = Data(count: rows.count * dataset.rowByteCount)
        try result.withUnsafeMutableBytes { try readInputs(of: dataset, rows: rows, into: $0, verifying: verifying) }
        return result
    }

    func targets(_ dataset: DatasetRecord, _ rows: Range<Int>) throws -> Data {
        var result = Data(count: rows.count * dataset.targetRowByteCount)
        try result.withUnsafeMutableBytes { try readTargets(of: dataset, rows: rows, into: $0) }
        return result
    }

    func weights(_ dataset: DatasetRecord, _ rows: Range<Int>) throws -> Data {
        var result = Data(count: rows.count * 4)
        try result.withUnsafeMutableBytes { try readWeights(of: dataset, rows: rows, into: $0) }
        return result
    }

    func rows(_ cache: CacheRecord, _ rows: Range<Int>) throws -> Data {
        var result = Data(count: rows.count * cache.layout.rowByteCount)
        try result.withUnsafeMutableBytes { try readCache(cache, rows: rows, into: $0) }
        return result
    }

    func bytes(_ derived: DerivedRecord) throws -> Data {
        var result = Data(count: derived.byteCount)
        try result.withUnsafeMutableBytes { try readDerived(derived, into: $0) }
        return result
    }

    func append(_ rows: Range<Int>, of all: Data, to cache: CacheRecord) throws {
        let width = cache.layout.rowByteCount
        try all[rows.lowerBound * width..<rows.upperBound * width].withUnsafeBytes { bytes in
            try appendBlock(to: cache, rows: rows, bytes: bytes)
        }
    }

    /// A dataset `digits` of 30 rows and a model `net` with a checkpoint `final`.
    func addModel() throws -> CheckpointRecord {
        try importDataset(named: "digits", inputs: Fixture.inputs, targets: labels(30))
        return try importCheckpoint(
            named: "final", ofModel: "net", spec: spec, trainedOn: "digits",
            tensors: [(name: "0.weight", tensor: floats([10, 7])), (name: "0.bias", tensor: floats([10]))])
    }

    /// A complete cache of 30 rows of 12 bytes.
    func addCache(to checkpoint: CheckpointRecord) throws -> CacheRecord {
        let build = try beginCache(
            of: checkpoint, kind: "dense", key: ContentDigest(ofParts: ["a"]),
            layout: CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 12))
        for rows in build.missing { try append(rows, of: Fixture.gradients.bytes, to: build.cache) }
        return try finishCache(build.cache)
    }
}

extension Fixture {
    static var inputs: Tensor { StoreTests.bytes([30, 7]) }
    static var gradients: Tensor { floats([30, 3]) }
}
