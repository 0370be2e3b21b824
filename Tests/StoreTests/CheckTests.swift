import Formats
import Foundation
import GRDB
import Testing

@testable import Store

@Suite("Checking a store")
struct CheckTests {
    private let fixture: Fixture
    private let checkpoint: CheckpointRecord

    /// A store with something of everything.
    init() throws {
        fixture = try Fixture()
        let store = try fixture.open()
        checkpoint = try store.addModel()
        try store.importDataset(
            named: "points", inputs: floats([20, 3]), targets: floats([20]), weights: weights(20),
            annotations: [ExampleAnnotation(index: 3, id: "three", metadata: "{}")])
        _ = try store.addCache(to: checkpoint)
        try Data(count: 100).withUnsafeBytes {
            _ = try store.putDerived(
                of: checkpoint, kind: "cholesky", key: ContentDigest(ofParts: ["a"]), summary: "{}", bytes: $0)
        }
    }

    private func findings() throws -> [String] { try fixture.open(.readOnly).check().map(\.description) }

    @Test("a store with something of everything is whole, and progress runs over all its blocks")
    func whole() throws {
        var seen: [Int] = []
        var totals: Set<Int> = []
        let findings = try fixture.open().check { done, total in
            seen.append(done)
            totals.insert(total)
        }
        #expect(findings.isEmpty)
        #expect(totals.count == 1)
        #expect(seen == Array(1...(totals.first ?? 0)))
        #expect(throws: Interruption()) { try fixture.open().check { _, _ in throw Interruption() } }
    }

    @Test("a flipped byte in inputs is found, named, and refused by verified reads of its block alone")
    func flippedInput() throws {
        try fixture.flipByte(in: .inputs, where: "owner = 1 AND first_row = 9")
        let store = try fixture.open()
        let found = try store.check()
        try #require(found.map(\.table) == ["input_block", "dataset"])
        #expect(found.map(\.name) == ["inputs of dataset 'digits'", "digits"])
        #expect(found.map(\.rows) == [9..<18, nil])
        #expect(found[0].problem.contains("does not match its SHA-256"))
        let dataset = try store.dataset(named: "digits")
        let error = #expect(throws: StoreError.self) { try store.inputs(dataset, 17..<19) }
        #expect(error?.description.contains("inputs of dataset 'digits' is damaged: the block of rows 9..<18") == true)
        #expect(try store.inputs(dataset, 0..<9) == Fixture.inputs.bytes[..<63])
        #expect(try store.inputs(dataset, 9..<18, verifying: false) != Fixture.inputs.bytes[63..<126])
    }

    @Test(
        "a flipped byte in any other kind of block is found and named",
        arguments: [
            (BlockTable.targets, "targets of dataset 'digits'", "dataset, digits: its content"),
            (
                .tensors, "tensor '0.weight' of checkpoint 'final' of model 'net'",
                "checkpoint, checkpoint 'final' of model 'net': its tensors"
            ),
            (.caches, "cache 'dense' of checkpoint 'final' of model 'net'", nil),
            (.derived, "derived 'cholesky' of checkpoint 'final' of model 'net'", nil),
        ] as [(BlockTable, String, String?)])
    func flippedElsewhere(table: BlockTable, name: String, digest: String?) throws {
        try fixture.flipByte(in: table, where: "owner = 1 AND first_row = 0")
        let found = try findings()
        try #require(found.count == (digest == nil ? 1 : 2))
        #expect(found[0].hasPrefix("\(table.rawValue), \(name), rows 0..<"))
        if let digest { #expect(found[1].hasPrefix(digest)) }
    }

    @Test("verified reads of flipped targets, weights, tensors, caches and derived bytes are refused")
    func verifiedReads() throws {
        for table in BlockTable.allCases { try fixture.flipByte(in: table) }
        let store = try fixture.open()
        let dataset = try store.dataset(named: "digits")
        let points = try store.dataset(named: "points")
        let cache = try store.caches(of: checkpoint)[0]
        let derived = try store.derived(of: checkpoint)[0]
        let reads: [() throws -> Any] = [
            { try store.inputs(dataset, 0..<1) }, { try store.targets(dataset, 0..<1) }, { try store.tensors(of: checkpoint) },
            { try store.rows(cache, 0..<1) }, { try store.bytes(derived) }, { try store.weights(points, 19..<20) },
        ]
        for read in reads {
            let error = #expect(throws: StoreError.self) { _ = try read() }
            #expect(error?.description.contains("does not match its SHA-256") == true)
        }
    }

    @Test("missing, overlapping, shortened and overlong blocks are found, and reads of them refused")
    func blockStructure() throws {
        let cases: [(sql: String, finding: String, rows: Range<Int>)] = [
            ("DELETE FROM input_block WHERE owner = 1 AND first_row = 9", "rows 9..<18: these rows are in no block", 9..<18),
            ("DELETE FROM input_block WHERE owner = 1 AND first_row = 27", "rows 27..<30: these rows are in no block", 26..<28),
            ("DELETE FROM input_block WHERE owner = 1 AND first_row = 0", "rows 0..<9: these rows are in no block", 0..<1),
            (
                "UPDATE input_block SET row_count = 10 WHERE owner = 1 AND first_row = 9", "has 63 bytes where 10 rows of 7",
                10..<12
            ),
            ("UPDATE input_block SET row_count = 99 WHERE owner = 1 AND first_row = 9", "claims 99 of 30 rows", 10..<12),
            ("UPDATE input_block SET row_count = -1 WHERE owner = 1 AND first_row = 9", "claims -1 of 30 rows", 10..<12),
            ("UPDATE input_block SET bytes = x'00' WHERE owner = 1 AND first_row = 9", "has 1 bytes where 9 rows of 7", 10..<12),
            ("UPDATE input_block SET first_row = 8 WHERE owner = 1 AND first_row = 9", "rows 8..<17: shares rows", 17..<18),
            (
                "UPDATE input_block SET first_row = 9223372036854775807 WHERE owner = 1 AND first_row = 27",
                "these rows are in no block", 27..<28
            ),
        ]
        let original = try fixture.content()
        for (sql, finding, rows) in cases {
            try Fixture.with(original) { copy in
                try copy.tamper(sql)
                let store = try copy.open()
                let found = try store.check().map(\.description)
                #expect(found.contains { $0.contains(finding) }, "\(sql): \(found)")
                let dataset = try store.dataset(named: "digits")
                #expect(throws: StoreError.self, "\(sql)") { try store.inputs(dataset, rows) }
            }
        }
    }

    @Test("changed records are found by name")
    func changedRecords() throws {
        let cases: [(sql: String, finding: String)] = [
            ("UPDATE dataset SET divisor = 3 WHERE name = 'digits'", "dataset, digits: its content does not match"),
            (
                "UPDATE dataset SET example_shape = '[8]' WHERE name = 'digits'",
                "dataset, dataset 'digits': its shapes and its counts"
            ),
            ("UPDATE dataset SET example_shape = '[7' WHERE name = 'digits'", "example_shape '[7' is not a list of extents"),
            ("UPDATE dataset SET element_type = 'uint9' WHERE name = 'digits'", "element_type 'uint9' is unknown"),
            ("UPDATE dataset SET row_count = 9223372036854775807 WHERE name = 'digits'", "its shapes and its counts"),
            ("UPDATE dataset SET sha256 = x'00' WHERE name = 'digits'", "sha256 is not 32 bytes long"),
            ("UPDATE dataset SET name = 'a b' WHERE name = 'digits'", "dataset, a b: its name is not a valid one"),
            ("UPDATE example SET position = 20", "example, points: 1 annotations are of examples"),
            ("UPDATE example SET metadata = '{'", "example, row 3: its metadata is not valid JSON"),
            ("UPDATE model SET spec = ''", "model, net: its spec is not valid JSON"),
            ("UPDATE model SET dataset = 77", "model, model 'net': the dataset it was trained on is not there"),
            ("UPDATE model SET dataset = 77", "model, row 1: refers to a dataset that is not there"),
            ("DELETE FROM checkpoint", "model, net: it has no checkpoint"),
            ("DELETE FROM checkpoint", "cache, cache 'dense': the checkpoint it belongs to is not there"),
            (
                "DELETE FROM tensor WHERE position = 0",
                "tensor, checkpoint 'final' of model 'net': the tensor of position 0 is missing"
            ),
            ("UPDATE tensor SET shape = '[9223372036854775807,9]' WHERE position = 0", "is too large to exist"),
            ("UPDATE tensor SET shape = '[1000000000,1000]' WHERE position = 0", "these rows are in no block"),
            ("UPDATE tensor SET name = 'x' WHERE position = 0", "its tensors do not match its SHA-256"),
            ("UPDATE cache SET state = 'half'", "cache, cache 'dense': its state or layout is unknown"),
            ("UPDATE cache SET row_count = 31", "cache 'dense' of checkpoint 'final' of model 'net', rows 30..<31: these rows"),
            ("UPDATE cache SET summary = '{'", "cache, dense: its summary is not valid JSON"),
            ("UPDATE derived SET byte_count = 101", "derived 'cholesky' of checkpoint 'final' of model 'net', rows 100..<101"),
            ("DROP TABLE derived_block", "database, table derived_block: is missing"),
            ("CREATE TABLE visitor (x)", "database, table visitor: is not part of a store"),
            ("ALTER TABLE model ADD COLUMN extra TEXT", "database, table model: is not defined as this version defines it"),
        ]
        let original = try fixture.content()
        for (sql, finding) in cases {
            try Fixture.with(original) { copy in
                try copy.tamper(sql)
                let found = try copy.open(.readOnly).check().map(\.description)
                #expect(found.contains { $0.contains(finding) }, "\(sql): \(found)")
            }
        }
    }

    @Test("a NaN that got in behind the store's back is found by its row")
    func nonFinite() throws {
        let nan = withUnsafeBytes(of: Float.nan) { Data($0) }
        let block = floats([5, 3]).bytes.prefix(28) + nan + floats([5, 3]).bytes.suffix(28)
        try fixture.tamper(
            "UPDATE cache_block SET bytes = ?, sha256 = ? WHERE first_row = 5", [block, ContentDigest(of: block).bytes])
        let expected =
            "cache_block, cache 'dense' of checkpoint 'final' of model 'net', rows 5..<10: row 7 holds a NaN or an infinity"
        #expect(try findings() == [expected])
    }

    @Test("a record that claims more than there is does not make a read set aside that much memory")
    func hugeClaim() throws {
        try fixture.tamper("UPDATE tensor SET shape = '[1000000000,1000000]' WHERE position = 0")
        let error = #expect(throws: StoreError.self) { try fixture.open().tensors(of: checkpoint) }
        #expect(error?.description.contains("its blocks end at row 70 of 1000000000000000") == true)
    }

    @Test("pages of the file that are overwritten are found or refused as damage, and nothing crashes")
    func overwrittenPages() throws {
        let original = try fixture.content()
        let size = Schema.pageSize
        let pages = original.count / size
        #expect(pages > 10)
        for page in 1..<pages {
            var damaged = original
            damaged.replaceSubrange(page * size..<(page + 1) * size, with: Data(repeating: 0xA5, count: size))
            try expectDamage(in: damaged, "page \(page)")
        }
    }

    @Test("a file that was cut short is found or refused as damage, and nothing crashes")
    func cutShort() throws {
        let original = try fixture.content()
        for length in stride(from: 512, to: original.count, by: Schema.pageSize / 2 + 1) {
            try expectDamage(in: original.prefix(length), "\(length) bytes")
        }
    }

    private func expectDamage(in content: Data, _ what: Comment) throws {
        try Fixture.with(content) { copy in
            do {
                let found = try copy.open(.readOnly).check()
                #expect(!found.isEmpty, what)
            } catch let error as StoreError {
                switch error {
                case .corrupt, .notAStore: break
                default: Issue.record(error, what)
                }
            }
        }
    }
}
