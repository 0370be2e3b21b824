import LinearAlgebra
import TestSupport
import Testing

@Suite("substitution by batches")
struct CholeskyBatchesTests {
    private let parallel = Parallel(threads: 2)

    /// The factor of a random positive definite matrix.
    private func factor(_ order: Int, seed: UInt64 = 1) throws -> CholeskyFactor {
        var numbers = SeededNumbers(seed)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: order)
        for i in 0..<order {
            for j in 0..<i { matrix[i, j] = Float(numbers.normal() / Double(order)) }
            matrix[i, i] = Float(1 + numbers.uniform())
        }
        return try CholeskyFactor(factoring: matrix)
    }

    private func substituted(
        _ batches: CholeskyBatches, _ sides: [Float], count: Int, backward: Bool = true
    ) throws -> [Float] {
        var x = sides
        var scratch = [Float](repeating: .nan, count: CholeskyBatches.scratchCount(count))
        try batches.substituteForward(&x, count: count, scratch: &scratch, interruption: .never)
        if backward { try batches.substituteBackward(&x, count: count, scratch: &scratch, interruption: .never) }
        return x
    }

    @Test(
        "both ways it solves as substitution one by one does, on either side of blocks' and the layout's seams",
        arguments: [1, 2, 3, 64, 127, 128, 129, 255, 256, 257, 258, 300, 513, 700])
    func solves(order: Int) throws {
        let factor = try factor(order)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(5 * order)
        var reference = sides
        try factor.solve(&reference, count: 5)
        let solved = try substituted(CholeskyBatches(factor, parallel: parallel), sides, count: 5)
        #expect(Closeness.relativeDistance(solved, reference) < 1e-6)
    }

    @Test("forward alone, a right-hand side's length is that of its solution in the matrix's norm")
    func forward() throws {
        let factor = try factor(300)
        var numbers = SeededNumbers(3)
        let side = numbers.floats(300)
        var solution = side
        try factor.solve(&solution, count: 1)
        let u = try substituted(CholeskyBatches(factor, parallel: parallel), side, count: 1, backward: false)
        #expect(abs(Vectors.dot(u, u) / Vectors.dot(side, solution) - 1) < 1e-6)
    }

    @Test("an image has the bits that it would have alone, whatever stands beside it")
    func independence() throws {
        let factor = try factor(400)
        let batches = try CholeskyBatches(factor, parallel: Parallel(threads: 3))
        var numbers = SeededNumbers(4)
        let sides = numbers.floats(40 * 400)
        let together = try substituted(batches, sides, count: 40)
        let alone = try CholeskyBatches(factor, parallel: Parallel(threads: 1))
        for side in [0, 7, 39] {
            let part = side * 400..<(side + 1) * 400
            #expect(try substituted(alone, Array(sides[part]), count: 1) == Array(together[part]))
        }
    }

    @Test("it stops when told to")
    func interruption() throws {
        let batches = try CholeskyBatches(factor(300), parallel: parallel)
        var x = [Float](repeating: 1, count: 300)
        var scratch = [Float](repeating: 0, count: CholeskyBatches.scratchCount(1))
        #expect(throws: Interrupted.self) {
            try batches.substituteForward(&x, count: 1, scratch: &scratch, interruption: Interruption { true })
        }
        #expect(throws: Interrupted.self) {
            try batches.substituteBackward(&x, count: 1, scratch: &scratch, interruption: Interruption { true })
        }
        #expect(throws: Interrupted.self) {
            try CholeskyBatches(batches.factor, parallel: parallel, interruption: Interruption { true })
        }
    }

    @Test("rows that stand for themselves are found, and what is left has a factor of its own", arguments: [1, 4, 9, 150])
    func coupling(order: Int) throws {
        // Every third row is coupled to nothing.
        let coupled = (0..<order).filter { $0 % 3 != 1 }
        var numbers = SeededNumbers(5)
        let (matrix, part) = (
            PackedSymmetricMatrix(uninitializedOrder: order), PackedSymmetricMatrix(uninitializedOrder: coupled.count)
        )
        for i in 0..<order {
            for j in 0..<i {
                matrix[i, j] = i % 3 == 1 || j % 3 == 1 ? 0 : Float((numbers.normal() + 10) / Double(100 * order))
            }
            matrix[i, i] = Float(1 + numbers.uniform())
        }
        for (row, i) in coupled.enumerated() { for column in 0...row { part[row, column] = matrix[i, coupled[column]] } }
        let factor = try CholeskyFactor(factoring: matrix)
        let rows = try factor.coupledRows()
        #expect(rows == (coupled.count > 1 ? coupled : []))
        guard !rows.isEmpty else { return }
        let (left, expected) = (try factor.part(of: rows), try CholeskyFactor(factoring: part))
        #expect(Closeness.relativeDistance(left.packed.memory.copy, expected.packed.memory.copy) < 1e-6)
    }
}
