import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Scores along the gradients of other examples, and norms, from gradients in whatever form they are kept.
@Suite("scores along examples' gradients, and norms", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct PairScoresTests {
    private let parallel = Parallel(threads: 2)

    /// Rows of floats in memory.
    private func rows(_ numbers: [Float], count: Int) throws -> ResidentRows {
        let memory = AlignedMemory<UInt8>(uninitialized: numbers.count * 4)
        numbers.withUnsafeBytes { UnsafeMutableRawBufferPointer(memory.elements).copyMemory(from: $0) }
        return try ResidentRows(memory, count: count, width: numbers.count / count, encoding: .float32)
    }

    @Test(
        "kept factors, passing ones and none give the scores along the gradients written out", arguments: InfluenceFixture.names)
    func networks(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let (network, training) = (fixture.network, fixture.training)
        let memory = AlignedMemory<Float>(uninitialized: training.count * network.factorWidth)
        try network.factors(of: 0..<training.count, in: training, into: memory.start, parallel: parallel)
        let kept = NetworkGradients(model: network, examples: training, factors: memory)
        let passing = FactorRowGradients(
            model: network, examples: training, rows: try rows(memory.copy, count: training.count))
        let computed = NetworkGradients(model: network, examples: training)
        let tests = try network.exampleGradients(of: 0..<fixture.tests.count, in: fixture.tests, parallel: parallel)
        let scores = try kept.scores(like: tests, parallel: parallel).values.copy
        let dense = try kept.scores(along: tests.vectors, parallel: parallel).values.copy
        #expect(Closeness.relativeDistance(scores, dense) < 1e-6)
        #expect(try passing.scores(like: tests, parallel: parallel).values.copy == scores)
        #expect(try computed.scores(like: tests, parallel: parallel).values.copy == scores)
        // Of gradients that are known by no factors.
        let bare = ExampleGradients(vectors: tests.vectors, count: tests.count)
        #expect(try kept.scores(like: bare, parallel: parallel).values.copy == dense)
        #expect(try passing.scores(like: bare, parallel: parallel).values.copy == dense)
        let chosen: [UInt32] = [5, 0, 5, UInt32(training.count - 1)]
        let n = training.count
        let expected = (0..<tests.count).flatMap { test in chosen.map { scores[test * n + Int($0)] } }
        let sources: [any TrainingGradients] = [kept, passing, computed]
        for source in sources {
            let some = try source.scores(of: .indices(chosen), like: tests, parallel: parallel, interruption: .never)
            #expect(some.values.copy == expected && some.directionCount == tests.count && some.rowCount == 4)
            #expect(throws: Interrupted()) {
                try source.scores(of: .all, like: tests, parallel: parallel, interruption: Interruption { true })
            }
        }

        // Of both kinds together.
        let mixed = [bare[1], tests[0], bare[0], tests[1]]
        let each = try passing.scores(of: .indices(chosen), likeEach: mixed, parallel: parallel, interruption: .never)
        for (place, gradients) in mixed.enumerated() {
            let alone = try kept.scores(of: .indices(chosen), like: gradients, parallel: parallel, interruption: .never)
            #expect(each[place] == alone[0])
        }

        let norms = try kept.squaredNorms(parallel: parallel, interruption: .never)
        #expect(try Closeness.relativeDistance(norms.map { $0.squareRoot() }, fixture.numbers("self_gradient_norm")) < 1e-5)
        for source in sources {
            #expect(try source.squaredNorms(parallel: Parallel(threads: 1), interruption: .never) == norms)
            #expect(throws: Interrupted()) { try source.squaredNorms(parallel: parallel, interruption: Interruption { true }) }
        }
    }

    @Test("gradients written out: scores along the vectors, and the rows' norms")
    func rows() throws {
        let fixture = try InfluenceFixture("iris-mlp")
        let (network, training) = (fixture.network, fixture.training)
        let written = try network.gradients(of: 0..<training.count, in: training)
        let gradients = RowGradients(rows: try rows(written, count: training.count))
        let tests = try network.exampleGradients(of: 0..<3, in: fixture.tests)
        #expect(
            try gradients.scores(like: tests, parallel: parallel).values.copy
                == gradients.scores(along: tests.vectors, parallel: parallel).values.copy)
        let norms = try gradients.squaredNorms(parallel: parallel, interruption: .never)
        let p = network.network.parameterCount
        for (row, norm) in norms.enumerated() {
            let gradient = Array(written[row * p..<(row + 1) * p])
            #expect(norm == Vectors.dot(gradient, gradient))
        }
        #expect(throws: Interrupted()) { try gradients.squaredNorms(parallel: parallel, interruption: Interruption { true }) }
    }

    @Test("of a softmax regression on bytes and floats, with and without biases", arguments: ScoringProblem.all)
    func softmax(problem: ScoringProblem) throws {
        let (model, n) = (problem.model, problem.features.count)
        let layer = LayerSpec(
            .linear(inFeatures: model.inputWidth, outFeatures: model.classCount, bias: model.hasBias), name: "linear")
        let spec = ModelSpec(layers: [layer], loss: .crossEntropy(labelSmoothing: 0), weightDecay: 0)
        let network = TrainedNetwork(
            try Network(spec), parameters: [Float](repeating: 0, count: model.parameterCount))
        let examples = LabeledExamples(features: problem.features, targets: .labels(problem.targets))
        var numbers = SeededNumbers(6)
        let others = try network.exampleGradients(
            of: 0..<n, in: examples, from: .given(numbers.floats(n * model.classCount)), parallel: parallel)
        let scores = try problem.gradients.scores(like: others, parallel: parallel)
        let p = model.parameterCount
        for k in 0..<n {
            let vector = Array(others.vectors[k * p..<(k + 1) * p])
            for (example, expected) in problem.reference(vector, 0..<n).enumerated() {
                let size = Vectors.norm(vector) * Vectors.norm(problem.gradient(example))
                #expect(abs(Double(scores[k][example]) - expected) <= 1e-6 * size)
            }
        }
        // Alone, and chosen.
        let last = try network.exampleGradients(
            of: n - 1..<n, in: examples, from: .given([Float](repeating: 0.5, count: model.classCount)))
        let both = ExampleGradients(joining: [others, last])
        let alone = try problem.gradients.scores(like: last, parallel: Parallel(threads: 1))[0]
        #expect(try problem.gradients.scores(like: both, parallel: parallel)[n] == alone)
        let chosen = numbers.integers(70, below: n)
        let some = try problem.gradients.scores(
            of: .indices(chosen.map { UInt32($0) }), like: both, parallel: parallel, interruption: .never)
        #expect(some[n] == chosen.map { alone[$0] })
        #expect(throws: Interrupted()) {
            try problem.gradients.scores(of: .all, like: both, parallel: parallel, interruption: Interruption { true })
        }
        let norms = try problem.gradients.squaredNorms(parallel: parallel, interruption: .never)
        for example in 0..<n {
            let expected = Vectors.dot(problem.gradient(example), problem.gradient(example))
            #expect(abs(norms[example] - expected) < 1e-6 * expected)
        }
    }
}
