import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Attribution

/// Directions in θ must meet what the rows of a cache have become.
@Suite("Projections of gradients and of directions")
struct CacheProjectionTests {
    /// One linear layer with biases, or without.
    private static func network(_ outputs: Int, _ inputs: Int, bias: Bool) throws -> Network {
        let spec = """
            {"layers": [{"type": "linear", "in_features": \(inputs), "out_features": \(outputs), "bias": \(bias)}],
             "loss": {"type": "cross_entropy"}}
            """
        return try Network(ModelSpec(JSON(parsing: spec)))
    }

    /// G₁·[S | b]·G₂ᵀ by its definition, from the projections of e_c ⊗ e_j.
    private static func explicit(
        _ direction: ArraySlice<Float>, _ outputs: Int, _ inputs: Int, bias: Bool, dimension: Int, seed: UInt64
    ) throws -> [Double] {
        let projection = try RankOneProjection(
            outputs: outputs, inputs: inputs, hasBias: bias, dimension: dimension, seed: seed, index: 0)
        var sum = [Double](repeating: 0, count: dimension)
        let first = direction.startIndex
        func project(_ c: Int, _ x: [Float]) throws -> [Double] {
            var (unit, out) = ([Float](repeating: 0, count: outputs), [Float](repeating: 0, count: dimension))
            unit[c] = 1
            try projection.project(outputGradients: unit, inputs: x, positions: 1, count: 1, into: &out)
            return out.map(Double.init)
        }
        for c in 0..<outputs {
            // An input of zeros leaves what is the bias's.
            let biasPart = try project(c, [Float](repeating: 0, count: inputs))
            if bias {
                for k in 0..<dimension { sum[k] += Double(direction[first + outputs * inputs + c]) * biasPart[k] }
            }
            for j in 0..<inputs {
                var x = [Float](repeating: 0, count: inputs)
                x[j] = 1
                let both = try project(c, x)
                for k in 0..<dimension { sum[k] += Double(direction[first + c * inputs + j]) * (both[k] - biasPart[k]) }
            }
        }
        return sum
    }

    @Test(
        "a direction of a linear layer becomes G1 [S | b] G2ᵀ, however small it is and however many rows S has",
        arguments: [(3, 5, true), (7, 2, false), (300, 4, true)], [1, 1e-9] as [Float])
    func explicitDirection(layer: (outputs: Int, inputs: Int, bias: Bool), scale: Float) throws {
        let network = try Self.network(layer.outputs, layer.inputs, bias: layer.bias)
        let projection = try LayerwiseProjection(of: network, dimension: 49, seed: 5)
        var numbers = SeededNumbers(2)
        let directions = numbers.floats(2 * network.parameterCount, scale: Double(scale))
        let projected = try projection.project(directions, count: 2, parallel: Parallel(threads: 2), interruption: .never)
        for direction in 0..<2 {
            let part = directions[direction * network.parameterCount..<(direction + 1) * network.parameterCount]
            let expected = try Self.explicit(
                part, layer.outputs, layer.inputs, bias: layer.bias, dimension: 49, seed: 5)
            let size = expected.map { $0 * $0 }.reduce(0, +).squareRoot()
            for k in 0..<49 { #expect(abs(Double(projected[direction * 49 + k]) - expected[k]) < 1e-5 * size) }
        }
    }

    private struct Mixed {
        let model: TrainedNetwork
        let examples: LabeledExamples

        init(count: Int = 40) throws {
            let spec = """
                {"input_shape": [2, 4, 4],
                 "layers": [{"type": "conv2d", "in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1}, {"type": "tanh"},
                            {"type": "flatten"}, {"type": "linear", "in_features": 48, "out_features": 9},
                            {"type": "layer_norm", "normalized_shape": [9]}, {"type": "gelu"},
                            {"type": "linear", "in_features": 9, "out_features": 4, "bias": false}],
                 "loss": {"type": "cross_entropy"}}
                """
            let network = try Network(ModelSpec(JSON(parsing: spec)))
            var numbers = SeededNumbers(8)
            model = TrainedNetwork(network, parameters: numbers.floats(network.parameterCount, scale: 0.5))
            examples = LabeledExamples(
                features: FeatureRows(numbers.floats(count * 32), width: 32),
                targets: .labels(numbers.integers(count, below: 4).map { Int32($0) }),
                weights: (0..<count).map { Float($0 % 3) + 0.5 })
        }
    }

    private static let choices: [ProjectionChoice] =
        ProjectionChoice.Kind.allCases.compactMap { try? ProjectionChoice($0, dimension: 64, seed: 3) }

    private static func rows(
        _ choice: ProjectionChoice, _ mixed: Mixed, _ ranges: [Range<Int>], threads: Int = 2, memoryBudget: Int = 1 << 20,
        projectionBudget: Int = 1 << 24
    ) throws -> (rows: [Float], projection: any DirectionProjection) {
        let parallel = Parallel(threads: threads)
        let projection = try choice.directions(
            of: mixed.model.network, memoryBudget: projectionBudget, parallel: parallel)
        let writer = projection.rowWriter(of: mixed.examples, model: mixed.model, memoryBudget: memoryBudget)
        let memory = AlignedMemory<Float>(uninitialized: ranges.reduce(0) { $0 + $1.count } * writer.width)
        try writer.write(ranges, into: memory.start, parallel: parallel, interruption: .never)
        return (memory.copy, projection)
    }

    @Test("a row of a cache is what the example's gradient becomes as a direction", arguments: choices)
    func rowsAreProjectedGradients(choice: ProjectionChoice) throws {
        let mixed = try Mixed()
        let (rows, projection) = try Self.rows(choice, mixed, [0..<40])
        let gradients = try mixed.model.gradients(of: 0..<40, in: mixed.examples)
        let expected = try projection.project(gradients, count: 40, parallel: Parallel(threads: 1), interruption: .never)
        for row in 0..<40 {
            let part = row * 64..<(row + 1) * 64
            let size = Vectors.norm(Array(expected[part]))
            #expect(size > 0)
            for k in part { #expect(abs(Double(rows[k] - expected[k])) < 1e-5 * size) }
        }
    }

    @Test("a row has the same bits in whatever ranges, memory and threads", arguments: choices)
    func independence(choice: ProjectionChoice) throws {
        let mixed = try Mixed()
        let (whole, _) = try Self.rows(choice, mixed, [0..<40], threads: 1)
        for threads in 1...3 {
            let budget = [1, 5_000, 1 << 20][threads - 1]
            let (cut, _) = try Self.rows(
                choice, mixed, [0..<11, 11..<12, 12..<40], threads: threads, memoryBudget: budget, projectionBudget: budget)
            #expect(cut == whole)
        }
    }

    @Test(
        "projected products are unbiased: their mean over seeds comes near the gradients' own",
        arguments: ProjectionChoice.Kind.allCases)
    func unbiased(kind: ProjectionChoice.Kind) throws {
        let mixed = try Mixed()
        let gradients = try mixed.model.gradients(of: 0..<2, in: mixed.examples)
        let p = mixed.model.network.parameterCount
        let (g, h) = (Array(gradients[..<p]), Array(gradients[p...]))
        let exact = Vectors.dot(g, h)
        var products: [Double] = []
        for seed in 0..<200 {
            let (rows, projection) = try Self.rows(ProjectionChoice(kind, dimension: 64, seed: UInt64(seed)), mixed, [0..<1])
            let direction = try projection.project(h, count: 1, parallel: Parallel(threads: 1), interruption: .never)
            products.append(Vectors.dot(rows, direction))
        }
        let mean = products.reduce(0, +) / 200
        let error = (products.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199 / 200).squareRoot()
        #expect(abs(mean - exact) < 4 * error)
        #expect(error < 0.1 * Vectors.norm(g) * Vectors.norm(h))
    }

    @Test("batches cut each range by itself and hold no more rows than are wanted together")
    func batches() throws {
        struct Writer: GradientRowWriter {
            let width = 1
            let rowsTogether: Int
            func write(
                _ ranges: [Range<Int>], into rows: UnsafeMutablePointer<Float>, parallel: Parallel, interruption: Interruption
            ) {}
        }
        let ranges = [0..<5, 5..<7, 9..<9, 20..<23]
        #expect(Writer(rowsTogether: 3).batches(of: ranges) == [[0..<3], [3..<5], [5..<7], [20..<23]])
        #expect(Writer(rowsTogether: 4).batches(of: ranges) == [[0..<4], [4..<5, 5..<7], [20..<23]])
        #expect(Writer(rowsTogether: 1).batches(of: [3..<5]) == [[3..<4], [4..<5]])
        #expect(Writer(rowsTogether: .max).batches(of: ranges) == [[0..<5, 5..<7, 20..<23]])
    }

    @Test("dimensions that a projection can't have are refused", arguments: [0, -1, 50, 1 << 21])
    func refusals(dimension: Int) {
        #expect(throws: ProjectionError.self) { try ProjectionChoice(.rank1, dimension: dimension, seed: 0) }
        guard dimension != 50 else { return }
        for kind in [ProjectionChoice.Kind.normal, .rademacher, .sjlt] {
            #expect(throws: ProjectionError.self) { try ProjectionChoice(kind, dimension: dimension, seed: 0) }
        }
    }
}
