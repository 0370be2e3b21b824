import Formats
import Foundation
import GRDB
import Testing

@testable import Store

@Suite("Weights of examples")
struct WeightTests {
    private let fixture: Fixture
    private let store: Store

    init() throws {
        fixture = try Fixture()
        store = try fixture.open(blockByteCount: 20)
    }

    private func add(_ weights: Tensor?, named name: String = "d") throws -> DatasetRecord {
        try store.importDataset(named: name, inputs: bytes([12, 3]), targets: labels(12), weights: weights)
    }

    @Test("weights come back as they went in, whatever the blocks and the rows, of shape [n] or [n, 1]")
    func roundTrip() throws {
        let dataset = try add(weights(12))
        #expect(dataset.hasWeights)
        #expect(dataset.byteCount == 12 * (3 + 4 + 4))
        let all = weights(12).bytes
        for rows in [0..<12, 0..<1, 4..<6, 11..<12, 7..<7] {
            #expect(try store.weights(dataset, rows) == all[rows.lowerBound * 4..<rows.upperBound * 4])
        }
        let column = try #require(Tensor(elementType: .float32, shape: [12, 1], bytes: all))
        #expect(try store.weights(add(column, named: "column"), 0..<12) == all)
        #expect(try store.check().isEmpty)
        #expect(throws: StoreError.outOfRange(what: "weights of dataset 'd'", rows: 11..<13, count: 12)) {
            try store.weights(dataset, 11..<13)
        }
    }

    @Test("a dataset without weights says so, and has none to be read")
    func none() throws {
        let dataset = try add(nil)
        #expect(!dataset.hasWeights)
        let error = #expect(throws: StoreError.self) { try store.weights(dataset, 0..<1) }
        #expect(error?.description == "dataset 'd': its examples have no weights; count each example as 1")
    }

    @Test("weights are part of the dataset's identity where there are any")
    func digest() throws {
        let ones = weights(12, changing: Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, 1) }))
        let all = [
            try add(nil, named: "none"), try add(ones, named: "ones"), try add(weights(12), named: "some"),
            try add(weights(12, changing: [5: 7]), named: "other"),
        ]
        #expect(Set(all.map(\.sha256)).count == 4)
        #expect(try add(weights(12), named: "same").sha256 == all[2].sha256)
    }

    @Test("weights that cannot be used are refused by row, and leave no dataset")
    func refusals() throws {
        let zeros = try #require(Tensor(elementType: .float32, shape: [12], bytes: Data(count: 48)))
        let doubles = try #require(Tensor(elementType: .float64, shape: [12], bytes: Data(count: 96)))
        let scalar = try #require(Tensor(elementType: .float32, shape: [], bytes: Data([0, 0, 128, 63])))
        let refused: [(String, Tensor)] = [
            ("weights, row 7: the weight is negative, NaN or infinite", weights(12, changing: [7: -0.25])),
            ("weights, row 0: ", weights(12, changing: [0: .nan, 3: -1])),
            ("weights, row 11: ", weights(12, changing: [11: .infinity])),
            ("weights: all are 0; ", zeros), ("weights: they are float64; convert them to float32", doubles),
            ("weights: shape [11] is not one number for each of 12 inputs; give an array of shape [12]", weights(11)),
            ("weights: shape [12, 2] is not one number", floats([12, 2])), ("weights: shape [] is not one number", scalar),
        ]
        for (beginning, weights) in refused {
            let error = #expect(throws: StoreError.self) { try add(weights) }
            #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "nothing")")
        }
        #expect(try store.datasets().isEmpty)
        #expect(try add(weights(12, changing: [0: -0.0])).hasWeights)
    }

    @Test("damage to weights is found and named")
    func check() throws {
        let other = try Fixture()
        do {
            let store = try other.open(blockByteCount: 20)
            try store.importDataset(named: "d", inputs: bytes([12, 3]), targets: labels(12), weights: weights(12))
            try store.importDataset(named: "plain", inputs: bytes([12, 3]), targets: labels(12))
        }
        let original = try other.content()
        let negative = weights(5, changing: [2: -1]).bytes
        let zeros = Data(count: 20)
        let what = "weight_block, weights of dataset 'd'"
        let replace = "UPDATE weight_block SET bytes = ?, sha256 = ? WHERE first_row = 0"
        let cases: [(String, [Data], String)] = [
            ("DELETE FROM weight_block WHERE first_row = 5", [], "\(what), rows 5..<10: these rows are in no block"),
            ("DELETE FROM weight_block WHERE first_row = 5", [], "dataset, d: its content does not match its SHA-256"),
            (replace, [negative, ContentDigest(of: negative).bytes], "\(what): a weight is negative, NaN or infinite"),
            ("UPDATE weight_block SET bytes = zeroblob(length(bytes))", [], "\(what): no weight is above 0"),
            (replace, [zeros, ContentDigest(of: zeros).bytes], "dataset, d: its content does not match its SHA-256"),
            ("UPDATE weight_block SET owner = 2", [], "weight_block, weights of dataset 'plain': there are 3 blocks, but"),
            ("UPDATE dataset SET has_weights = 0", [], "\(what): there are 3 blocks, but its examples have no weights"),
            ("UPDATE dataset SET has_weights = 1", [], "weight_block, weights of dataset 'plain', rows 0..<12: these rows"),
            ("DROP TABLE weight_block", [], "database, table weight_block: is missing"),
        ]
        for (sql, arguments, finding) in cases {
            try Fixture.with(original) { copy in
                try copy.tamper(sql, .init(arguments))
                let found = try copy.open(.readOnly).check().map(\.description)
                #expect(found.contains { $0.hasPrefix(finding) }, "\(sql): \(found)")
            }
        }
    }
}
