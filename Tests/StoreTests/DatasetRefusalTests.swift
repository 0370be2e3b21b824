import Formats
import Foundation
import Testing

@testable import Store

@Suite("Datasets that are refused")
struct DatasetRefusalTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    private func refusal(
        inputs: Tensor = bytes([4, 3]), divisor: Double = 1, targets: Tensor = labels(4), annotations: [ExampleAnnotation] = []
    ) throws -> String? {
        let store = try fixture.open()
        let error = #expect(throws: StoreError.self) {
            try store.importDataset(named: "d", inputs: inputs, divisor: divisor, targets: targets, annotations: annotations)
        }
        #expect(try store.datasets().isEmpty)
        #expect(try store.check().isEmpty)
        return error?.description
    }

    @Test("NaN and infinities are named by row and column", arguments: [Float.nan, .infinity, -.infinity])
    func nonFinite(value: Float) throws {
        let expected = "inputs, row 1, column 2: the value is NaN or infinite; replace it or leave the example out"
        #expect(try refusal(inputs: floats([4, 3], changing: [5: value])) == expected)
        #expect(try refusal(targets: floats([4], changing: [3: value]))?.hasPrefix("targets, row 3, column 0: ") == true)
    }

    @Test("unequal numbers of inputs and targets are refused")
    func counts() throws {
        #expect(try refusal(targets: labels(5))?.hasPrefix("targets: there are 5 targets for 4 inputs") == true)
    }

    @Test("arrays without examples are refused", arguments: [[], [0, 3], [4, 0]])
    func empty(shape: [Int]) throws {
        let tensor = try #require(Tensor(elementType: .uint8, shape: shape, bytes: Data(count: shape.isEmpty ? 1 : 0)))
        #expect(try refusal(inputs: tensor)?.hasPrefix("inputs: shape \(shape) holds no examples") == true)
    }

    @Test("targets of other types are refused")
    func targetType() throws {
        #expect(try refusal(targets: bytes([4])) == "targets: they are uint8; convert labels to int32, and values to float32")
    }

    @Test("divisors that cannot divide are refused", arguments: [0, -1, .nan, .infinity])
    func divisor(value: Double) throws {
        #expect(try refusal(divisor: value)?.hasPrefix("divisor: ") == true)
    }

    @Test("annotations of examples that do not exist, given twice, or not JSON are refused")
    func annotations() throws {
        #expect(try refusal(annotations: [ExampleAnnotation(index: 4, id: "x")])?.contains("example 4: there are 4") == true)
        #expect(try refusal(annotations: [ExampleAnnotation(index: -1, id: "x")])?.contains("example -1: there are 4") == true)
        let twice = [ExampleAnnotation(index: 1, id: "x"), ExampleAnnotation(index: 1, metadata: "{}")]
        #expect(try refusal(annotations: twice)?.contains("example 1: it is given twice") == true)
        for metadata in ["{", "", "{}x", "\u{0}", "{\"a\": NaN}"] {
            let annotation = ExampleAnnotation(index: 2, metadata: metadata)
            #expect(try refusal(annotations: [annotation])?.contains("metadata of example 2: it is not valid JSON") == true)
        }
        #expect(try refusal(annotations: [ExampleAnnotation(index: 2, id: "a\u{0}b")])?.contains("NUL") == true)
    }

    @Test(
        "names with other characters, with a mark at the front, too long or empty are refused",
        arguments: ["", ".a", "-a", "_a", "a b", "a/b", "ä", "a\u{0}", "a\n", "😀", String(repeating: "a", count: 129)])
    func badNames(name: String) throws {
        let store = try fixture.open()
        let error = #expect(throws: StoreError.self) {
            try store.importDataset(named: name, inputs: bytes([4, 3]), targets: labels(4))
        }
        #expect(error?.description.contains("use 1 to 128 of A-Z a-z 0-9 . _ -") == true)
    }

    @Test("names at the edge of the rules are taken", arguments: ["a", "0", "A.b_c-9", String(repeating: "z", count: 128)])
    func goodNames(name: String) throws {
        let store = try fixture.open()
        #expect(try store.importDataset(named: name, inputs: bytes([4, 3]), targets: labels(4)).name == name)
    }
}
