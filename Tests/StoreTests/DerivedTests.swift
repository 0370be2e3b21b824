import Formats
import Foundation
import Testing

@testable import Store

@Suite("Derived quantities")
struct DerivedTests {
    private let fixture: Fixture
    private let store: Store
    private let checkpoint: CheckpointRecord
    private let key = ContentDigest(ofParts: ["hessian", "0.01"])

    init() throws {
        fixture = try Fixture()
        store = try fixture.open()
        checkpoint = try store.addModel()
    }

    @discardableResult
    private func put(_ kind: String, _ key: ContentDigest? = nil, _ summary: String = "{}", _ content: Data = Data()) throws
        -> DerivedRecord
    {
        try content.withUnsafeBytes {
            try store.putDerived(of: checkpoint, kind: kind, key: key ?? self.key, summary: summary, bytes: $0)
        }
    }

    @Test("summary and bytes come back as they went in", arguments: [0, 1, 63, 64, 65, 1000])
    func roundTrip(count: Int) throws {
        let content = bytes([count]).bytes
        let record = try put("cholesky", nil, #"{"order": 10}"#, content)
        #expect(record.byteCount == count)
        #expect(record.summary == #"{"order": 10}"#)
        #expect(try store.derived(of: checkpoint, kind: "cholesky", key: key) == record)
        #expect(try store.bytes(record) == content)
        #expect(try store.check().isEmpty)
    }

    @Test("nothing is found under another key or kind")
    func otherKey() throws {
        try put("spectrum")
        #expect(try store.derived(of: checkpoint, kind: "spectrum", key: ContentDigest(ofParts: ["hessian", "0.02"])) == nil)
        #expect(try store.derived(of: checkpoint, kind: "cholesky", key: key) == nil)
    }

    @Test("keys stand beside each other, and the same key is replaced")
    func replace() throws {
        let other = ContentDigest(ofParts: ["b"])
        let first = try put("spectrum", nil, "1", Data([1]))
        let kept = try put("spectrum", other, "2")
        let second = try put("spectrum", nil, "3", Data([2, 3]))
        #expect(try store.derived(of: checkpoint) == [kept, second])
        #expect(try store.bytes(second) == Data([2, 3]))
        let gone = StoreError.notFound(kind: .derived, name: "spectrum", within: "checkpoint 'final' of model 'net'", nearby: [])
        #expect(throws: gone) { try store.bytes(first) }
    }

    @Test("one key is removed, or all of a kind")
    func remove() throws {
        let keys = ["a", "b", "c"].map { ContentDigest(ofParts: [$0]) }
        for key in keys { try put("spectrum", key, "{}", Data(count: 100)) }
        try put("cholesky")
        #expect(try store.removeDerived(of: checkpoint, kind: "spectrum", key: keys[1]) == 1)
        #expect(try store.removeDerived(of: checkpoint, kind: "spectrum", key: keys[1]) == 0)
        #expect(try store.derived(of: checkpoint).map(\.key) == [key, keys[0], keys[2]])
        #expect(try store.removeDerived(of: checkpoint, kind: "spectrum") == 2)
        #expect(try store.derived(of: checkpoint).map(\.kind) == ["cholesky"])
        #expect(try store.check().isEmpty)
    }

    @Test("a summary that is not JSON, a kind that is no name, and a buffer of another length are refused")
    func refusals() throws {
        #expect(throws: StoreError.self) { try put("spectrum", nil, "nope") }
        #expect(throws: StoreError.self) { try put("no/name") }
        #expect(try store.derived(of: checkpoint).isEmpty)
        let record = try put("spectrum", nil, "{}", Data(count: 10))
        var buffer = Data(count: 9)
        #expect(throws: StoreError.self) { try buffer.withUnsafeMutableBytes { try store.readDerived(record, into: $0) } }
    }
}
