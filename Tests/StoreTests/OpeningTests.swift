import Foundation
import GRDB
import TestSupport
import Testing

@testable import Store

@Suite("Opening a store")
struct OpeningTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test("a new store is empty, whole, in WAL mode with large pages, and carries our application id")
    func create() throws {
        let store = try Store.open(at: fixture.path, access: .readWrite, createIfMissing: true)
        #expect(store.isWritable)
        #expect(store.path == fixture.path)
        #expect(try store.datasets().isEmpty)
        #expect(try store.models().isEmpty)
        #expect(try store.check().isEmpty)
        #expect(try store.schemaVersion == Schema.version)
        #expect(try store.sizeInBytes > 0)
        let settings = try store.pool.read { db in
            try ["application_id", "page_size", "foreign_keys"].map { try Int.fetchOne(db, sql: "PRAGMA \($0)") }
        }
        #expect(settings == [Schema.applicationID, 32_768, 1])
        #expect(try store.pool.read { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") } == "wal")
        #expect(try store.pool.writeWithoutTransaction { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") } == 1)
    }

    @Test("what was stored is there when the store is opened again, for writing or for reading")
    func reopen() throws {
        do {
            let store = try fixture.open()
            _ = try store.addModel()
        }
        for access in [StoreAccess.readWrite, .readOnly] {
            let store = try fixture.open(access)
            #expect(store.isWritable == (access == .readWrite))
            #expect(try store.datasets().map(\.name) == ["digits"])
            #expect(try store.check().isEmpty)
        }
    }

    @Test("a missing file is not made unless that is asked for, and never for reading")
    func missing() throws {
        let missing = StoreError.notFound(kind: .store, name: fixture.path, within: nil, nearby: [])
        #expect(throws: missing) { try Store.open(at: fixture.path, access: .readWrite) }
        #expect(throws: missing) { try Store.open(at: fixture.path, access: .readOnly, createIfMissing: true) }
        #expect(!FileManager.default.fileExists(atPath: fixture.path))
    }

    @Test("a file in a folder that does not exist is refused with that reason")
    func missingFolder() throws {
        let path = fixture.directory.path("no/such/test.sqlite")
        #expect(throws: StoreError.invalid(what: path, reason: "its folder does not exist", change: "make the folder first")) {
            try Store.open(at: path, access: .readWrite, createIfMissing: true)
        }
    }

    @Test("a folder is refused")
    func folder() throws {
        let path = fixture.directory.url.path
        #expect(throws: StoreError.notAStore(path: path, reason: "it is a folder")) {
            try Store.open(at: path, access: .readWrite, createIfMissing: true)
        }
    }

    @Test("another application's database is refused and stays as it is, byte for byte", arguments: [0, 77])
    func foreign(applicationID: Int) throws {
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.write { db in try db.execute(sql: "PRAGMA application_id = \(applicationID); CREATE TABLE t (x)") }
        try queue.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        for access in [StoreAccess.readWrite, .readOnly] {
            let error = #expect(throws: StoreError.self) { try fixture.open(access) }
            #expect(error?.description.contains("another application (application_id \(applicationID)") == true)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory.url.path) == ["test.sqlite"])
    }

    @Test("a file that is no database is refused and stays as it is")
    func noDatabase() throws {
        let content = Data("The quick brown fox jumps over the lazy dog. ".utf8) + Data(count: 4096)
        try content.write(to: URL(fileURLWithPath: fixture.path))
        #expect(throws: StoreError.notAStore(path: fixture.path, reason: "it is no SQLite database")) { try fixture.open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == content)
    }

    @Test("an empty file, such as an interrupted creation leaves, becomes a store where one may be made, and nowhere else")
    func emptyFile() throws {
        try Data().write(to: URL(fileURLWithPath: fixture.path))
        let refused = StoreError.notAStore(path: fixture.path, reason: "it is an empty file")
        #expect(throws: refused) { try fixture.open(.readOnly) }
        #expect(throws: refused) { try Store.open(at: fixture.path, access: .readWrite) }
        #expect(try fixture.open().check().isEmpty)
    }

    @Test("a file whose making was interrupted after the first step becomes a store")
    func interruptedCreation() throws {
        try fixture.tamper("PRAGMA journal_mode = WAL; CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        #expect(throws: StoreError.self) { try fixture.open(.readOnly) }
        #expect(try fixture.open().check().isEmpty)
    }

    @Test("any time to wait is taken", arguments: [-1, 0, 1e300, .infinity, .nan])
    func busyTimeouts(seconds: Double) throws {
        #expect(try fixture.open(busyTimeout: seconds).check().isEmpty)
    }

    @Test("a store from a newer version is refused with the step that is unknown, and stays as it is")
    func newerVersion() throws {
        _ = try fixture.open()
        try fixture.tamper("INSERT INTO grdb_migrations VALUES ('v99')")
        for access in [StoreAccess.readWrite, .readOnly] {
            let expected = StoreError.newerVersion(path: fixture.path, unknownSteps: ["v99"], knownVersion: Schema.version)
            #expect(throws: expected) { try fixture.open(access) }
        }
    }

    @Test("a store with steps still to take is refused for reading")
    func olderVersion() throws {
        _ = try fixture.open()
        try fixture.tamper("DELETE FROM grdb_migrations")
        #expect(throws: StoreError.olderVersion(path: fixture.path, version: 0, knownVersion: Schema.version)) {
            try fixture.open(.readOnly)
        }
    }

    @Test("a store opened for reading refuses to write")
    func readOnly() throws {
        let checkpoint = try fixture.open().addModel()
        let store = try fixture.open(.readOnly)
        let refused = StoreError.readOnly(path: fixture.path)
        #expect(throws: refused) { try store.importDataset(named: "more", inputs: bytes([2, 2]), targets: labels(2)) }
        #expect(throws: refused) {
            try store.putDerived(of: checkpoint, kind: "spectrum", key: ContentDigest(ofParts: []), summary: "{}")
        }
    }

    @Test("a path through a symbolic link is the same store, with the same lock")
    func symbolicLink() throws {
        _ = try fixture.open()
        let link = fixture.directory.path("link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture.path)
        #expect(try Fixture.open(link).path == fixture.path)
        #expect(!FileManager.default.fileExists(atPath: link + "-lock"))
    }

    @Test("a path with spaces, signs and letters beyond ASCII works")
    func unusualPath() throws {
        let path = fixture.directory.path("mein Speicher %41?#é.sqlite")
        _ = try Fixture.open(path).addModel()
        #expect(try Fixture.open(path, .readOnly).datasets().count == 1)
    }
}
