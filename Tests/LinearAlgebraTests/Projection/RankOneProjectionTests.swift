import LinearAlgebra
import Synchronization
import TestSupport
import Testing

extension RankOneProjection {
    /// The projections of examples, one after the other.
    func projected(
        _ gradients: [Float], _ inputs: [Float], positions: Int, parallel: Parallel = Parallel(threads: 1)
    ) throws -> [Float] {
        let count = positions == 0 ? 1 : gradients.count / outputs / positions
        var out = [Float](repeating: .nan, count: count * dimension + 1)
        try project(
            outputGradients: gradients, inputs: inputs, positions: positions, count: count, into: &out, parallel: parallel)
        precondition(out.removeLast().isNaN, "wrote beyond the end")
        return out
    }
}

@Suite("rank-one projections")
struct RankOneProjectionTests {
    /// Purposes of streams, in the lowest byte of the counter's last word.
    static let (left, right) = (4, 5)

    static func expectDefinition(outputs: Int, inputs: Int, root: Int, positions: Int, hasBias: Bool) throws {
        let projection = try RankOneProjection(
            outputs: outputs, inputs: inputs, hasBias: hasBias, dimension: root * root, seed: 21, index: 2)
        var numbers = SeededNumbers(UInt64(outputs + inputs))
        let count = 3
        let gradients = numbers.floats(count * positions * outputs)
        let x = numbers.floats(count * positions * inputs)
        // G₁ (Σ δ xᵀ) G₂ᵀ, plainly.
        let width = inputs + (hasBias ? 1 : 0)
        func matrix(_ purpose: Int, _ length: Int) -> [[Double]] {
            (0..<root).map { k in
                (0..<length).map {
                    ProjectionReference.normal(21, 2 << 8 | purpose, output: k, input: $0) / Double(root).squareRoot()
                }
            }
        }
        let (g1, g2) = (matrix(left, outputs), matrix(right, width))
        let expected = (0..<count).flatMap { example -> [Double] in
            var gradient = [[Double]](repeating: [Double](repeating: 0, count: width), count: outputs)
            for t in example * positions..<(example + 1) * positions {
                for c in 0..<outputs {
                    for d in 0..<width {
                        gradient[c][d] += Double(gradients[t * outputs + c]) * (d < inputs ? Double(x[t * inputs + d]) : 1)
                    }
                }
            }
            let half = g1.map { line in (0..<width).map { d in (0..<outputs).reduce(0.0) { $0 + line[$1] * gradient[$1][d] } } }
            return half.flatMap { line in g2.map { zip(line, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
        }
        let projected = try projection.projected(gradients, x, positions: positions)
        #expect(Closeness.largestError(projected, expected) < 3e-6)
    }

    @Test("are the product of the gradient with two matrices", arguments: [false, true])
    func definition(hasBias: Bool) throws {
        for (outputs, inputs, root, positions) in [
            (1, 1, 1, 1), (10, 20, 4, 1), (3, 150, 8, 5), (140, 7, 3, 2), (6, 5, 70, 3), (4, 9, 5, 300), (2, 3, 2, 256),
        ] {
            try Self.expectDefinition(outputs: outputs, inputs: inputs, root: root, positions: positions, hasBias: hasBias)
        }
    }

    @Test("are that on every vector unit")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                try RankOneProjectionTests.expectDefinition(outputs: 9, inputs: 35, root: 7, positions: 4, hasBias: true)
            }
        }
    }

    @Test(
        "have the same bits alone and among others, on any number of threads, kept or made as they are needed",
        arguments: [1, 3, 100, 300])
    func independence(positions: Int) throws {
        let projection = try RankOneProjection(outputs: 6, inputs: 11, hasBias: true, dimension: 81, seed: 4)
        var numbers = SeededNumbers(UInt64(positions))
        let count = 700 / positions + 2
        let gradients = numbers.floats(count * positions * 6)
        let x = numbers.floats(count * positions * 11)
        let all = try projection.projected(gradients, x, positions: positions)
        let made = try RankOneProjection(
            outputs: 6, inputs: 11, hasBias: true, dimension: 81, seed: 4, memoryBudget: 0)
        for same in [projection, made] {
            let threaded = try same.projected(gradients, x, positions: positions, parallel: Parallel(threads: 3))
            #expect(threaded.map(\.bitPattern) == all.map(\.bitPattern))
        }
        for example in Set([0, 1, count / 2, count - 1]) {
            let alone = try projection.projected(
                Array(gradients[example * positions * 6..<(example + 1) * positions * 6]),
                Array(x[example * positions * 11..<(example + 1) * positions * 11]), positions: positions)
            #expect(alone.map(\.bitPattern) == all[example * 81..<(example + 1) * 81].map(\.bitPattern))
        }
    }

    @Test("of no positions are zero")
    func empty() throws {
        let projection = try RankOneProjection(outputs: 2, inputs: 3, dimension: 4, seed: 4)
        #expect(try projection.projected([], [], positions: 0) == [0, 0, 0, 0])
    }

    @Test("need a square number of outputs and sizes that make sense")
    func badSizes() throws {
        func make(_ outputs: Int, _ inputs: Int, _ dimension: Int) throws {
            _ = try RankOneProjection(outputs: outputs, inputs: inputs, dimension: dimension, seed: 1)
        }
        #expect(throws: ProjectionError.notSquare(500, below: 484, above: 529)) { try make(3, 3, 500) }
        #expect(throws: ProjectionError.notSquare(2, below: 1, above: 4)) { try make(3, 3, 2) }
        #expect(
            ProjectionError.notSquare(500, below: 484, above: 529).description
                == "a rank-one projection has a square number of outputs, and 500 is none: take 484 or 529")
        for size in [0, -1, .min, .max] {
            #expect(throws: ProjectionError.self) { try make(size, 3, 4) }
            #expect(throws: ProjectionError.self) { try make(3, size, 4) }
            #expect(throws: ProjectionError.self) { try make(3, 3, size) }
        }
        // The largest there are: nothing of them is kept.
        _ = try RankOneProjection(outputs: 1 << 48, inputs: 1 << 48, hasBias: true, dimension: 1 << 20, seed: 1)
    }

    @Test("stop when they are told to")
    func interrupted() throws {
        let projection = try RankOneProjection(outputs: 50, inputs: 50, dimension: 1024, seed: 4)
        let asked = Atomic(0)
        let factors = [Float](repeating: 1, count: 4_000 * 50)
        var out = [Float](repeating: 0, count: 2 * 1024)
        #expect(throws: Interrupted()) {
            try projection.project(
                outputGradients: factors, inputs: factors, positions: 2_000, count: 2, into: &out,
                interruption: Interruption { asked.wrappingAdd(1, ordering: .relaxed).oldValue == 2 })
        }
        #expect(throws: Interrupted()) {
            try RankOneProjection(outputs: 50, inputs: 50, dimension: 64, seed: 4, interruption: Interruption { true })
        }
    }
}
