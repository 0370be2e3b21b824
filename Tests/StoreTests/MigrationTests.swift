import Formats
import Foundation
import GRDB
import Testing

@testable import Store

@Suite("Stores of older versions")
struct MigrationTests {
    private let fixture: Fixture
    private let key = ContentDigest(ofParts: ["a"])

    /// A store that has been through the first step alone, with something of everything.
    init() throws {
        fixture = try Fixture()
        let newer = try Fixture()
        do {
            let store = try newer.open()
            let checkpoint = try store.addModel()
            try store.importDataset(
                named: "points", inputs: floats([20, 3]), divisor: 2, targets: floats([20]),
                annotations: [ExampleAnnotation(index: 3, id: "three", metadata: "{}")])
            _ = try store.addCache(to: checkpoint)
            try Data(count: 100).withUnsafeBytes {
                _ = try store.putDerived(of: checkpoint, kind: "cholesky", key: key, summary: "{}", bytes: $0)
            }
        }
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA page_size = \(Schema.pageSize)") }
        try Schema.migrator.migrate(queue, upTo: "v1")
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "ATTACH ? AS newer", arguments: [newer.path])
            for table in [
                "dataset", "example", "model", "checkpoint", "tensor", "cache", "derived", "input_block", "target_block",
                "tensor_block", "cache_block", "derived_block",
            ] {
                let columns = try db.columns(in: table).map(\.name).joined(separator: ", ")
                try db.execute(sql: "INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM newer.\(table)")
            }
            // Datasets have been there that are no more.
            try db.execute(sql: "UPDATE sqlite_sequence SET seq = 41 WHERE name = 'dataset'")
        }
        try queue.close()
    }

    private func expectEverything(in store: Store) throws {
        #expect(try store.check().isEmpty)
        let digits = try store.dataset(named: "digits")
        let points = try store.dataset(named: "points")
        #expect(try store.inputs(digits, 0..<30) == Fixture.inputs.bytes)
        #expect(try store.targets(digits, 0..<30) == labels(30).bytes)
        #expect(try store.inputs(points, 0..<20) == floats([20, 3]).bytes)
        #expect([digits, points].map(\.hasWeights) == [false, false])
        #expect([digits, points].map(\.id) == [1, 2])
        #expect(points.divisor == 2)
        #expect(try store.annotations(of: points, at: [3]) == [ExampleAnnotation(index: 3, id: "three", metadata: "{}")])
        let model = try store.model(named: "net")
        #expect(model.dataset == "digits")
        let checkpoint = try store.checkpoint(of: model)
        #expect(checkpoint.hasTensors)
        #expect(try store.tensors(of: checkpoint).map(\.tensor.bytes) == [floats([10, 7]).bytes, floats([10]).bytes])
        let cache = try #require(try store.cache(of: checkpoint, kind: "dense", key: key))
        #expect(try store.rows(cache, 0..<30) == Fixture.gradients.bytes)
        let derived = try #require(try store.derived(of: checkpoint, kind: "cholesky", key: key))
        #expect(try store.bytes(derived) == Data(count: 100))
    }

    @Test("a store of version 1 opened for reading works as it is, and stays as it is")
    func readOnly() throws {
        let before = try fixture.content()
        do {
            let store = try fixture.open(.readOnly)
            #expect(try store.schemaVersion == 1)
            try expectEverything(in: store)
            #expect(throws: StoreError.readOnly(path: fixture.path)) {
                try store.importDataset(named: "more", count: 3, weights: weights(3))
            }
        }
        #expect(try fixture.content() == before)
    }

    @Test("a store of version 1 opened for writing is brought up to date with everything in it, and takes what is new")
    func migrate() throws {
        let store = try fixture.open()
        #expect(try store.schemaVersion == Schema.version)
        try expectEverything(in: store)
        let more = try store.importDataset(named: "more", inputs: bytes([5, 2]), targets: labels(5), weights: weights(5))
        #expect(more.id == 42)
        try store.importDataset(named: "elsewhere", count: 3)
        try store.importCheckpoint(named: "only", ofModel: "other", spec: "{}", trainedOn: "elsewhere", identity: key)
        #expect(try store.check().isEmpty)
        try expectEverything(in: fixture.open(.readOnly))
    }

    @Test("the digest of a dataset without weights is what version 1 made of it")
    func digests() throws {
        let store = try fixture.open()
        let again = try store.importDataset(named: "again", inputs: Fixture.inputs, targets: labels(30))
        #expect(try store.dataset(named: "digits").sha256 == again.sha256)
        #expect(again.sha256.description == "f0b2f1c3323ce14fcb38d77e6cdf239d1e0319f603447dad0ccc521aa5477080")
    }

    @Test("a reader that was there before goes on reading while a writer brings the store up to date")
    func readerDuringMigration() throws {
        let reader = try fixture.open(.readOnly)
        try expectEverything(in: reader)
        _ = try fixture.open()
        try expectEverything(in: reader)
        #expect(try reader.schemaVersion == Schema.version)
    }

    @Test("a damaged store is not brought up to date: the damage is named, and it can still be read as it is")
    func damaged() throws {
        try fixture.tamper("UPDATE model SET dataset = 77")
        let error = #expect(throws: StoreError.self) { try fixture.open() }
        guard case .corrupt(fixture.path, let reason) = error else { return #expect(error == nil) }
        #expect(reason.contains("model") && reason.hasSuffix("run a check to see where"))
        let store = try fixture.open(.readOnly)
        #expect(try store.schemaVersion == 1)
        #expect(try !store.check().isEmpty)
    }

    @Test("damage to what version 1 has is found in a store of version 1")
    func check() throws {
        try fixture.flipByte(in: .caches, where: "first_row = 5")
        let found = try fixture.open(.readOnly).check()
        #expect(found.map(\.table) == ["cache_block"])
        try fixture.tamper("DROP TABLE derived_block")
        let missing = try fixture.open(.readOnly).check().map(\.description)
        #expect(missing.contains("database, table derived_block: is missing"))
    }
}
