import Foundation
import TestSupport
import Testing

@testable import Store

/// Annotations of a whole dataset, on their way past.
@Suite("Annotations of all examples")
struct AnnotationTests {
    /// Every third example has an id, every other one metadata; neighbours of examples without either.
    private static let annotations = (0..<10_000).filter { $0 % 2 == 0 || $0 % 3 == 0 }.map { index in
        ExampleAnnotation(
            index: index, id: index % 3 == 0 ? "näme \(index)" : nil, metadata: index % 2 == 0 ? "{\"row\": \(index)}" : nil)
    }

    private func store(_ fixture: Fixture) throws -> (Store, DatasetRecord) {
        let store = try fixture.open()
        try store.importDataset(
            named: "other", inputs: bytes([3, 1]), targets: labels(3), annotations: [.init(index: 1, id: "x")])
        let record = try store.importDataset(
            named: "d", inputs: bytes([10_000, 1]), targets: labels(10_000), annotations: Self.annotations.shuffled())
        return (store, record)
    }

    @Test("come by ascending index, as they were imported, and none where there are none")
    func order() throws {
        let fixture = try Fixture()
        let (store, record) = try store(fixture)
        var seen: [ExampleAnnotation] = []
        try store.forEachAnnotation(of: record) { annotation in
            seen.append(
                ExampleAnnotation(
                    index: annotation.index, id: annotation.id.map { String(decoding: $0, as: UTF8.self) },
                    metadata: annotation.metadata.map { String(decoding: $0, as: UTF8.self) }))
        }
        #expect(seen == Self.annotations)
        let bare = try store.importDataset(named: "bare", inputs: bytes([2, 1]), targets: labels(2))
        try store.forEachAnnotation(of: bare) { _ in Issue.record("an annotation nobody made") }
    }

    @Test("end with whatever the body or the question throws, and leave the store usable")
    func ends() throws {
        let fixture = try Fixture()
        let (store, record) = try store(fixture)
        var shown = 0
        #expect(throws: Interruption()) {
            try store.forEachAnnotation(of: record) { _ in
                shown += 1
                if shown == 5 { throw Interruption() }
            }
        }
        #expect(shown == 5)
        var (questions, before) = (0, 0)
        #expect(throws: Interruption()) {
            try store.forEachAnnotation(
                of: record,
                checkCancellation: {
                    questions += 1
                    if questions == 2 { throw Interruption() }
                }
            ) { _ in before += 1 }
        }
        #expect(before > 0 && before < Self.annotations.count)
        try store.forEachAnnotation(of: record) { _ in shown += 1 }
        #expect(shown == 5 + Self.annotations.count)
    }

    @Test("those of many examples end with whatever the question throws")
    func ofMany() throws {
        let fixture = try Fixture()
        let (store, record) = try store(fixture)
        var questions = 0
        #expect(throws: Interruption()) {
            try store.annotations(of: record, at: Array(0..<10_000)) {
                questions += 1
                if questions == 3 { throw Interruption() }
            }
        }
        #expect(questions == 3)
        #expect(try store.annotations(of: record, at: [6, 1]) { questions += 1 }.map(\.id) == ["näme 6", nil])
    }
}
