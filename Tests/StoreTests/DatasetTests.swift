import Formats
import Foundation
import TestSupport
import Testing

@testable import Store

@Suite("Datasets")
struct DatasetTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test("bytes and floats of odd widths come back as they went in, whatever the blocks", arguments: [1, 50, 64, 1 << 20])
    func roundTrip(blockByteCount: Int) throws {
        let store = try fixture.open(blockByteCount: blockByteCount)
        let images = try store.importDataset(named: "images", inputs: bytes([23, 7]), divisor: 255, targets: labels(23))
        let points = try store.importDataset(named: "points", inputs: floats([17, 3, 1]), targets: floats([17, 2]))
        #expect(images.elementType == .uint8)
        #expect(images.exampleShape == [7])
        #expect(images.divisor == 255)
        #expect(images.rowCount == 23)
        #expect(images.targetType == .int32)
        #expect(images.targetShape == [])
        #expect(points.exampleShape == [3, 1])
        #expect(points.targetShape == [2])
        #expect(try store.inputs(images, 0..<23) == bytes([23, 7]).bytes)
        #expect(try store.targets(images, 0..<23) == labels(23).bytes)
        #expect(try store.inputs(points, 0..<17) == floats([17, 3, 1]).bytes)
        #expect(try store.targets(points, 0..<17) == floats([17, 2]).bytes)
        #expect(try store.datasets() == [images, points])
        #expect(try store.dataset(named: "points") == points)
        #expect(try store.check().isEmpty)
    }

    @Test("every range of rows is the same part of the whole, with and without verification")
    func ranges() throws {
        let store = try fixture.open(blockByteCount: 21)
        let all = bytes([11, 7]).bytes
        let dataset = try store.importDataset(named: "d", inputs: bytes([11, 7]), targets: labels(11))
        for lower in 0...11 {
            for upper in lower...11 {
                let expected = all[lower * 7..<upper * 7]
                #expect(try store.inputs(dataset, lower..<upper, verifying: false) == expected)
                #expect(try store.inputs(dataset, lower..<upper) == expected)
            }
        }
    }

    @Test("tensors whose bytes are slices of larger data are stored from where they begin")
    func slices() throws {
        let store = try fixture.open()
        let data = (Data([9, 9, 9]) + bytes([6, 5]).bytes).dropFirst(3)
        let tensor = try #require(Tensor(elementType: .uint8, shape: [6, 5], bytes: data))
        let dataset = try store.importDataset(named: "d", inputs: tensor, targets: labels(6))
        #expect(try store.inputs(dataset, 0..<6) == bytes([6, 5]).bytes)
    }

    @Test("a mapped file can be imported")
    func mappedFile() throws {
        let store = try fixture.open()
        let file = URL(fileURLWithPath: fixture.directory.path("x.bin"))
        try bytes([100, 50]).bytes.write(to: file)
        let mapped = try Data(contentsOf: file, options: .alwaysMapped)
        let tensor = try #require(Tensor(elementType: .uint8, shape: [100, 50], bytes: mapped))
        let dataset = try store.importDataset(named: "d", inputs: tensor, targets: labels(100))
        #expect(try store.inputs(dataset, 40..<60) == bytes([20, 50], from: 2000).bytes)
    }

    @Test("rows that do not exist, and buffers of another length, are refused")
    func badReads() throws {
        let store = try fixture.open()
        let dataset = try store.importDataset(named: "d", inputs: bytes([5, 2]), targets: labels(5))
        for rows in [4..<6, -1..<1, 5..<6, Int.min..<Int.min + 1] {
            #expect(throws: StoreError.outOfRange(what: "inputs of dataset 'd'", rows: rows, count: 5)) {
                try store.inputs(dataset, rows)
            }
        }
        var short = Data(count: 3)
        let error = #expect(throws: StoreError.self) {
            try short.withUnsafeMutableBytes { try store.readInputs(of: dataset, rows: 0..<2, into: $0) }
        }
        #expect(error?.description.contains("pass a buffer of 4 bytes") == true)
    }

    @Test("the digest tells content apart, and is the same whatever the name, the blocks and the annotations")
    func digest() throws {
        let store = try fixture.open()
        let other = try Fixture.open(fixture.directory.path("other.sqlite"), blockByteCount: 10)
        let first = try store.importDataset(named: "a", inputs: bytes([9, 3]), targets: labels(9))
        let same = try other.importDataset(
            named: "b", inputs: bytes([9, 3]), targets: labels(9), annotations: [ExampleAnnotation(index: 0, id: "x")])
        #expect(first.sha256 == same.sha256)
        let others = [
            try store.importDataset(named: "c", inputs: bytes([9, 3], from: 1), targets: labels(9)),
            try store.importDataset(named: "d", inputs: bytes([9, 3]), divisor: 2, targets: labels(9)),
            try store.importDataset(named: "e", inputs: bytes([9, 3, 1]), targets: labels(9)),
            try store.importDataset(named: "f", inputs: bytes([9, 3]), targets: floats([9])),
        ]
        #expect(Set([first.sha256] + others.map(\.sha256)).count == 5)
    }

    @Test("ids and metadata come back for the examples that have them, in the order asked for")
    func annotations() throws {
        let store = try fixture.open()
        let annotations = [
            ExampleAnnotation(index: 7, id: "seven", metadata: #"{"writer": "Ä 🙂"}"#), ExampleAnnotation(index: 2, id: "two"),
            ExampleAnnotation(index: 3, metadata: "null"),
        ]
        let dataset = try store.importDataset(named: "d", inputs: bytes([9, 2]), targets: labels(9), annotations: annotations)
        let expected = [annotations[2], annotations[0], ExampleAnnotation(index: 0), annotations[1], annotations[0]]
        #expect(try store.annotations(of: dataset, at: [3, 7, 0, 2, 7]) == expected)
        for index in [9, -1, Int.max, Int.min] {
            #expect(throws: StoreError.self) { try store.annotations(of: dataset, at: [0, index]) }
        }
    }

    @Test("a name that is taken is refused, and what it names stays as it is")
    func taken() throws {
        let store = try fixture.open()
        let dataset = try store.importDataset(named: "d", inputs: bytes([5, 2]), targets: labels(5))
        let error = #expect(throws: StoreError.self) {
            try store.importDataset(named: "d", inputs: bytes([6, 2]), targets: labels(6))
        }
        #expect(error?.description == "the store already holds a dataset 'd'; choose another name")
        #expect(try store.datasets() == [dataset])
    }

    @Test("an unknown name is answered with the names most like it")
    func unknown() throws {
        let store = try fixture.open()
        for name in ["mnist-test", "mnist-train", "iris"] {
            try store.importDataset(named: name, inputs: bytes([5, 2]), targets: labels(5))
        }
        let error = #expect(throws: StoreError.self) { try store.dataset(named: "Mnist-trian") }
        #expect(error?.description == "no dataset 'Mnist-trian'; there is 'mnist-train', 'mnist-test', 'iris'")
        for name in ["", "iris\u{0}", "iris\u{0}x", "' OR 1 = 1 --"] {
            #expect(throws: StoreError.self) { try store.dataset(named: name) }
            #expect(throws: StoreError.self) { try store.model(named: name) }
        }
    }

    @Test("progress is told after every block, and ends with all rows")
    func progress() throws {
        let store = try fixture.open(blockByteCount: 20)
        var seen: [[Int]] = []
        try store.importDataset(named: "d", inputs: bytes([5, 10]), targets: labels(5)) { done, total in
            seen.append([done, total])
        }
        #expect(seen == [[2, 5], [4, 5], [5, 5]])
    }
}
