import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

@Suite("The empirical Fisher matrix of rows")
struct RowFisherTests {
    private static let (count, width) = (150, 300)

    private let numbers: [Float]
    private let rows: ResidentRows
    private let weights: [Float]

    init() throws {
        var random = SeededNumbers(6)
        numbers = random.floats(Self.count * Self.width)
        let memory = AlignedMemory<UInt8>(uninitialized: numbers.count * 4)
        numbers.withUnsafeBytes { UnsafeMutableRawPointer(memory.start).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        rows = try ResidentRows(memory, count: Self.count, width: Self.width, encoding: .float32)
        weights = (0..<Self.count).map { $0 % 5 == 0 ? 0 : Float(random.uniform() * 4) }
    }

    /// (1/|B|) Σ gᵢgᵢᵀ/wᵢ by definition.
    private func reference(_ examples: [Int], _ weights: [Float]?) -> DenseMatrix {
        let rows = DenseMatrix(
            rows: examples.count, columns: Self.width,
            elements: examples.flatMap { numbers[$0 * Self.width..<($0 + 1) * Self.width].map(Double.init) })
        let factors = examples.map { example in
            let weight = Double(weights?[example] ?? 1)
            return weight == 0 ? 0 : 1 / (weight * Double(examples.count))
        }
        return rows.transposed * DenseMatrix(diagonal: factors) * rows
    }

    @Test("products, the matrix, its trace and its largest example are those of the definition", arguments: [false, true])
    func definition(isWeighted: Bool) throws {
        let weights = isWeighted ? weights : nil
        let fisher = try RowFisher(rows, weights: weights, parallel: Parallel(threads: 2))
        let whole = reference(Array(0..<Self.count), weights)
        var random = SeededNumbers(7)
        let x = random.floats(2 * Self.width)
        var y = [Float](repeating: 0, count: x.count)
        try fisher.product(of: x, to: &y, vectorCount: 2, parallel: Parallel(threads: 2))
        for vector in 0..<2 {
            let part = vector * Self.width..<(vector + 1) * Self.width
            #expect(Closeness.relativeDistance(y[part], whole.times(Array(x[part]))) < 1e-5)
        }
        let matrix = PackedSymmetricMatrix(uninitializedOrder: Self.width)
        try fisher.write(plus: 0.5, to: matrix, parallel: Parallel(threads: 2), interruption: .never)
        let lower = (0..<Self.width).flatMap { i in (0...i).map { (i, $0) } }
        let shifted = whole.plus(diagonal: 0.5)
        #expect(Closeness.relativeDistance(lower.map { matrix[$0, $1] }, lower.map { shifted[$0, $1] }) < 1e-5)
        #expect(abs(fisher.size.trace / (0..<Self.width).reduce(0) { $0 + whole[$1, $1] } - 1) < 1e-6)
        let norms = (0..<Self.count).map { example in
            let one = reference([example], weights)
            return (0..<Self.width).reduce(0) { $0 + one[$1, $1] }
        }
        #expect(abs(fisher.size.largestExampleNorm / (norms.max() ?? 0) - 1) < 1e-5)
    }

    @Test("a mini-batch's product is over its examples, one named twice counting twice", arguments: [false, true])
    func batches(isWeighted: Bool) throws {
        let weights = isWeighted ? weights : nil
        let fisher = try RowFisher(rows, weights: weights, parallel: Parallel(threads: 1))
        let workspace = fisher.makeWorkspace(vectorCount: 1)
        var random = SeededNumbers(9)
        let (x, addend) = (random.floats(Self.width), random.floats(Self.width))
        let indices: [UInt32] = [3, 77, 3, 149, 0]
        var y = x
        try indices.withUnsafeBufferPointer { indices in
            try fisher.addProduct(
                over: .indices(indices), alpha: -2, of: x, beta: 0.5, plus: addend, to: &y, vectorCount: 1, workspace: workspace)
        }
        let product = reference(indices.map { Int($0) }, weights).times(x)
        let expected = zip(zip(x, addend), product).map { 0.5 * Double($0.0) + Double($0.1) - 2 * $1 }
        #expect(Closeness.relativeDistance(y, expected) < 1e-5)
    }
}
