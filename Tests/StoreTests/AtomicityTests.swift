import Formats
import Foundation
import GRDB
import Glibc
import TestSupport
import Testing

@testable import Store

@Suite("Whole or not at all")
struct AtomicityTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    /// Large enough that the writer's page cache spills into the WAL before the commit.
    private static var large: Tensor {
        Tensor(elementType: .uint8, shape: [3000, 10_000], bytes: Data(repeating: 0x5A, count: 30_000_000))!
    }

    @Test("an import killed in the middle leaves the store as it was")
    func killedImport() async throws {
        _ = try fixture.open().addModel()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = fixture.path as String] in
            let store = try Fixture.open(path, blockByteCount: 1 << 20)
            try store.importDataset(named: "killed", inputs: Self.large, targets: labels(3000)) { done, total in
                if done > total * 3 / 4 { kill(getpid(), SIGKILL) }
            }
        }
        let store = try fixture.open()
        #expect(try store.datasets().map(\.name) == ["digits"])
        #expect(try store.check().isEmpty)
        try store.importDataset(named: "killed", inputs: bytes([3, 3]), targets: labels(3))
        #expect(try store.check().isEmpty)
    }

    @Test("a first checkpoint killed in the middle leaves no model")
    func killedCheckpoint() async throws {
        _ = try fixture.open().importDataset(named: "digits", inputs: Fixture.inputs, targets: labels(30))
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = fixture.path as String] in
            let store = try Fixture.open(path)
            try store.importCheckpoint(
                named: "a", ofModel: "net", spec: spec, trainedOn: "digits", tensors: [(name: "w", tensor: floats([1000]))]
            ) { done, _ in if done > 2000 { kill(getpid(), SIGKILL) } }
        }
        let store = try fixture.open()
        #expect(try store.models().isEmpty)
        #expect(try store.check().isEmpty)
    }

    @Test("a cache whose building was killed keeps the blocks that were appended, and is taken up from there")
    func killedCache() async throws {
        let checkpoint = try fixture.open().addModel()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = fixture.path as String] in
            let store = try Fixture.open(path)
            let checkpoint = try store.checkpoint(of: store.model(named: "net"))
            let build = try store.beginCache(
                of: checkpoint, kind: "dense", key: ContentDigest(ofParts: ["a"]),
                layout: CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 12))
            for rows in build.missing.prefix(3) { try store.append(rows, of: Fixture.gradients.bytes, to: build.cache) }
            kill(getpid(), SIGKILL)
        }
        let store = try fixture.open()
        #expect(try store.check().isEmpty)
        let build = try store.beginCache(
            of: checkpoint, kind: "dense", key: ContentDigest(ofParts: ["a"]),
            layout: CacheLayout(elementType: .float32, rowCount: 30, rowByteCount: 12))
        #expect(build.stored == [0..<5, 5..<10, 10..<15])
        #expect(try store.addCache(to: checkpoint).state == .complete)
        #expect(try store.check().isEmpty)
    }

    @Test("an import stopped by its caller leaves the store as it was, and passes the caller's error on")
    func stoppedImport() throws {
        let store = try fixture.open()
        _ = try store.addModel()
        #expect(throws: Interruption()) {
            try store.importDataset(named: "stopped", inputs: Fixture.inputs, targets: labels(30)) { done, _ in
                if done > 15 { throw Interruption() }
            }
        }
        #expect(throws: Interruption()) {
            try store.importCheckpoint(
                named: "stopped", ofModel: "other", spec: spec, trainedOn: "digits", tensors: [(name: "w", tensor: floats([100]))]
            ) { _, _ in throw Interruption() }
        }
        #expect(try store.datasets().map(\.name) == ["digits"])
        #expect(try store.models().map(\.name) == ["net"])
        #expect(try store.check().isEmpty)
    }

    @Test("others see nothing of an import until it is done, and a copy of the files taken in the middle is the store before it")
    func seenFromOutside() throws {
        let store = try fixture.open(blockByteCount: 1 << 20)
        _ = try store.addModel()
        let other = try fixture.open(.readOnly)
        let copy = fixture.directory.path("copy.sqlite")
        try store.importDataset(named: "large", inputs: Self.large, targets: labels(3000)) { done, total in
            #expect(try other.datasets().map(\.name) == ["digits"])
            #expect(try store.datasets().map(\.name) == ["digits"])
            guard done == total else { return }
            try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
            try FileManager.default.copyItem(atPath: fixture.path + "-wal", toPath: copy + "-wal")
        }
        #expect(try other.datasets().map(\.name) == ["digits", "large"])
        let walSize = try #require(FileManager.default.attributesOfItem(atPath: copy + "-wal")[.size] as? Int)
        #expect(walSize > 1 << 20)
        let before = try Fixture.open(copy)
        #expect(try before.datasets().map(\.name) == ["digits"])
        #expect(try before.models().map(\.name) == ["net"])
        #expect(try before.check().isEmpty)
    }

    @Test("a full disk ends an import with that error, and leaves the store whole and usable")
    func fullDisk() throws {
        let store = try fixture.open()
        _ = try store.addModel()
        try store.pool.writeWithoutTransaction { db in
            let pages = try #require(try Int.fetchOne(db, sql: "PRAGMA page_count"))
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 4)")
        }
        #expect(throws: StoreError.diskFull(path: fixture.path)) {
            try store.importDataset(named: "large", inputs: bytes([100, 10_000]), targets: labels(100))
        }
        #expect(try store.datasets().map(\.name) == ["digits"])
        #expect(try store.check().isEmpty)
        try store.importDataset(named: "small", inputs: bytes([3, 3]), targets: labels(3))
        #expect(try store.check().isEmpty)
    }
}
