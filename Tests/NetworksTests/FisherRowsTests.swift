import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// The rows √wᵢ∇ℓᵢ of networks by their products, sums, norms and Gram matrices, beside written-out gradients.
@Suite("rows of the empirical Fisher matrix of networks")
struct FisherRowsTests {
    private let parallel = Parallel(threads: 2)

    /// √wᵢ∇ℓᵢ = gᵢ/√wᵢ, in double precision.
    private func rows(_ trained: TrainedNetwork, _ examples: LabeledExamples) throws -> [[Double]] {
        try trained.gradientRows(of: examples).enumerated().map { i, gradient in
            let weight = Double(examples.weights?[i] ?? 1)
            return gradient.map { weight == 0 ? 0 : $0 / weight.squareRoot() }
        }
    }

    private func check(_ subject: some FisherRows, against rows: [[Double]], _ name: String) throws {
        let (n, p) = (rows.count, subject.dimension)
        #expect(subject.exampleCount == n)
        #expect(subject.blocks.map(\.lowerBound) == [0] + subject.blocks.dropLast().map(\.upperBound))
        #expect(subject.blocks.last?.upperBound == p)
        var numbers = SeededNumbers(3)
        let x = numbers.floats(2 * p)
        // Products and norms by block, and a sum of coefficients that are functions of both.
        var y = numbers.floats(2 * p)
        var expected = y.map { Double($0) }
        let range = 3..<n - 2
        var seen = subject.blocks.map { _ in [Int]() }
        try subject.visit(range, along: x, addingTo: &y, vectorCount: 2, needsNorms: true, interruption: .never) { part in
            seen[part.block] += part.rows
            let block = subject.blocks[part.block]
            for (place, i) in part.rows.enumerated() {
                let norm = block.reduce(0) { $0 + rows[i][$1] * rows[i][$1] }
                let measured = part.squaredNorms?[place] ?? .nan
                #expect(abs(measured - norm) <= 1e-4 * norm, "\(name)")
                for k in 0..<2 {
                    let (length, product) = block.reduce((0.0, 0.0)) { sums, j in
                        let factor = Double(x[k * p + j])
                        return (sums.0 + factor * factor, sums.1 + rows[i][j] * factor)
                    }
                    let found = Double(part.values[k * part.stride + place])
                    #expect(abs(found - product) <= 1e-5 * (length * norm).squareRoot(), "\(name)")
                    let coefficient = product / (0.3 + norm) + Double(k)
                    part.values[k * part.stride + place] = Float(coefficient)
                    for j in block { expected[k * p + j] += coefficient * rows[i][j] }
                }
            }
        }
        #expect(seen.allSatisfy { $0 == Array(range) }, "\(name)")
        #expect(Closeness.relativeDistance(y, expected) < 1e-5, "\(name)")
        try checkWhole(subject, against: rows, x, name)
    }

    private func checkWhole(_ subject: some FisherRows, against rows: [[Double]], _ x: [Float], _ name: String) throws {
        let (n, p) = (rows.count, subject.dimension)
        let products = try subject.products(with: x, vectorCount: 2, parallel: parallel, interruption: .never).copy
        for k in 0..<2 {
            let part = Array(x[k * p..<(k + 1) * p])
            let expected = DenseMatrix(rows: n, columns: p, elements: rows.flatMap { $0 }).times(part)
            #expect(Closeness.relativeDistance(products[k * n..<(k + 1) * n], expected) < 1e-5, "\(name)")
        }
        for memory in [1 << 30, 5 * subject.factorByteCount] {
            let matrix = PackedSymmetricMatrix(uninitializedOrder: n)
            try subject.writeGram(plus: 0.25, to: matrix, workingMemory: memory, parallel: parallel, interruption: .never)
            let pairs = (0..<n).flatMap { i in (0...i).map { (i, $0) } }
            let expected = pairs.map { i, j in zip(rows[i], rows[j]).reduce(i == j ? 0.25 : 0) { $0 + $1.0 * $1.1 } }
            #expect(Closeness.relativeDistance(pairs.map { matrix[$0, $1] }, expected) < 1e-5, "\(name)")
        }
    }

    @Test("products, sums, norms and the Gram matrix are those of written-out gradients", arguments: [false, true])
    func definition(isWeighted: Bool) throws {
        for subject in try RandomNetwork.all(weighted: isWeighted) {
            let rows = NetworkFisherRows(of: subject.trained, over: subject.examples)
            #expect(rows.blocks.count == subject.network.trainedLayers.count)
            try check(rows, against: self.rows(subject.trained, subject.examples), subject.testDescription)
        }
    }

    @Test("those of a softmax regression are the same, with and without biases, of bytes and of floats")
    func softmax() throws {
        for problem in SoftmaxProblem.all(count: 77, width: 19) {
            let rows = try SoftmaxFisherRows(
                model: problem.model, features: problem.features, residuals: problem.trained.factors(of: problem.examples),
                parallel: parallel)
            try check(rows, against: self.rows(problem.trained, problem.examples), problem.description)
        }
    }

    @Test("stacked vectors have the bits of each alone, on any number of threads")
    func independence() throws {
        for subject in try RandomNetwork.all(count: 300) {
            let rows = NetworkFisherRows(of: subject.trained, over: subject.examples)
            let p = rows.dimension
            var numbers = SeededNumbers(4)
            var x = numbers.floats(4 * p)
            for i in p..<2 * p { x[i] = i.isMultiple(of: 2) ? .infinity : .nan }
            func sums(_ x: [Float], threads: Int) throws -> [Float] {
                try x.withUnsafeBufferPointer {
                    try rows.sums(
                        along: $0.baseAddress, vectorCount: x.count / p, needsNorms: false, parallel: Parallel(threads: threads),
                        interruption: .never
                    ) { _ in }
                }.copy
            }
            let together = try sums(x, threads: 3)
            for k in [0, 2, 3] {
                let part = k * p..<(k + 1) * p
                #expect(try sums(Array(x[part]), threads: 1) == Array(together[part]), "\(subject.testDescription)")
            }
        }
    }

    @Test("a way through the examples stops when interrupted")
    func interrupted() throws {
        let raised = Interruption { true }
        for subject in try RandomNetwork.all() {
            let rows = NetworkFisherRows(of: subject.trained, over: subject.examples)
            let x = [Float](repeating: 1, count: rows.dimension)
            #expect(throws: Interrupted()) {
                try rows.products(with: x, vectorCount: 1, parallel: parallel, interruption: raised)
            }
            #expect(throws: Interrupted()) {
                let matrix = PackedSymmetricMatrix(uninitializedOrder: 40)
                try rows.writeGram(plus: 1, to: matrix, workingMemory: 1 << 20, parallel: parallel, interruption: raised)
            }
        }
    }
}
