import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Networks

/// What a result must not depend on, to the last bit: threads, companions, the form of gradients.
@Suite("networks: what results do not depend on")
struct NetworkInvarianceTests {
    private static let networks = Result { try RandomNetwork.all(count: 700) + RandomNetwork.all(count: 75, weighted: true) }

    /// Several chunks and pieces of each network.
    private var networks: [RandomNetwork] { get throws { try Self.networks.get() } }

    @Test("products with stacked vectors have the bits of each alone", arguments: CurvatureKind.allCases)
    func stacked(kind: CurvatureKind) throws {
        for subject in try networks {
            let curvature = NetworkCurvature(kind, of: subject.trained, over: subject.examples)
            let p = curvature.dimension
            var numbers = SeededNumbers(2)
            var vectors = numbers.floats(5 * p)
            // A companion beyond all numbers, and one of zeros.
            for i in p..<2 * p { vectors[i] = i.isMultiple(of: 2) ? .infinity : .nan }
            for i in 3 * p..<4 * p { vectors[i] = 0 }
            let together = try curvature.products(of: vectors)
            for v in [0, 2, 3, 4] {
                let part = v * p..<(v + 1) * p
                #expect(try curvature.products(of: Array(vectors[part])) == Array(together[part]), "\(subject.testDescription)")
            }
        }
    }

    @Test("results have the same bits on any number of threads")
    func threads() throws {
        for subject in try networks {
            let (trained, examples) = (subject.trained, subject.examples)
            let p = trained.network.parameterCount
            var numbers = SeededNumbers(3)
            let vectors = numbers.floats(2 * p)
            let results = try (1...4).map { threads in
                let parallel = Parallel(threads: threads)
                var gradient = [Float](repeating: 0, count: p)
                let loss = try trained.meanGradient(
                    over: .range(0..<examples.count), of: examples, into: &gradient, parallel: parallel)
                let factors = AlignedMemory<Float>(uninitialized: examples.count * trained.factorWidth)
                try trained.factors(of: 0..<examples.count, in: examples, into: factors.start, parallel: parallel)
                let batch = ExampleBatch.range(0..<examples.count)
                return try [[Float(loss)], gradient, factors.copy]
                    + CurvatureKind.allCases.map {
                        try NetworkCurvature($0, of: trained, over: examples).products(of: vectors, threads: threads)
                    } + [
                        trained.outputs(of: examples.features, parallel: parallel).copy,
                        trained.scores(of: batch, in: examples, along: vectors, parallel: parallel).copy,
                        trained.scores(
                            of: batch, in: examples, factors: factors.start, along: vectors, parallel: parallel
                        ).copy,
                    ]
            }
            for other in results.dropFirst() { #expect(other == results[0], "\(subject.testDescription)") }
        }
    }

    @Test("outputs, gradients, factors and scores of chosen examples are those of all, bit for bit, in the order chosen")
    func chosen() throws {
        for subject in try networks {
            let (trained, examples) = (subject.trained, subject.examples)
            var numbers = SeededNumbers(4)
            let directions = numbers.floats(3 * trained.network.parameterCount)
            let width = trained.factorWidth
            let factors = try trained.factors(of: examples, threads: 2)
            func scores(_ batch: ExampleBatch, fromFactors: Bool) throws -> [Float] {
                fromFactors
                    ? try trained.scores(
                        of: batch, in: examples, factors: factors, along: directions, parallel: Parallel(threads: 2)
                    ).copy
                    : try trained.scores(of: batch, in: examples, along: directions, parallel: Parallel(threads: 2)).copy
            }
            for size in [1, 5, 75] {
                let chosen = numbers.integers(size, below: examples.count)
                for fromFactors in [false, true] {
                    let all = try scores(.range(0..<examples.count), fromFactors: fromFactors)
                    let some = try chosen.map { UInt32($0) }.withUnsafeBufferPointer {
                        try scores(.indices($0), fromFactors: fromFactors)
                    }
                    let expected = (0..<3).flatMap { d in chosen.map { all[d * examples.count + $0] } }
                    #expect(some == expected, "\(subject.testDescription)")
                }
            }
            let row = examples.count / 2
            let one = AlignedMemory<Float>(uninitialized: width)
            try trained.factors(of: row..<row + 1, in: examples, into: one.start, parallel: Parallel(threads: 1))
            #expect(one.copy == Array(factors[row * width..<(row + 1) * width]))
            let input = FeatureRows(examples.features.values(of: row), width: examples.features.width)
            let outputs = try trained.outputs(of: examples.features).copy
            let outputWidth = trained.network.outputWidth
            #expect(try trained.outputs(of: input).copy == Array(outputs[row * outputWidth..<(row + 1) * outputWidth]))
        }
    }

    @Test("scores in forward mode, from factors and as products with written-out gradients are the same numbers")
    func threeForms() throws {
        for subject in try networks {
            let (trained, examples) = (subject.trained, subject.examples)
            var numbers = SeededNumbers(5)
            let p = trained.network.parameterCount
            let directions = numbers.floats(2 * p)
            let batch = ExampleBatch.range(0..<examples.count)
            let forward = try trained.scores(of: batch, in: examples, along: directions, parallel: Parallel(threads: 2)).copy
            let factored = try trained.scores(
                of: batch, in: examples, factors: trained.factors(of: examples), along: directions,
                parallel: Parallel(threads: 2)
            ).copy
            let rows = try trained.gradientRows(of: examples)
            let written = (0..<2).flatMap { d in
                rows.map { row in row.indices.reduce(0.0) { $0 + row[$1] * Double(directions[d * p + $1]) } }
            }
            #expect(Closeness.relativeDistance(forward, written) < 1e-5, "\(subject.testDescription)")
            #expect(Closeness.relativeDistance(factored, written) < 1e-5, "\(subject.testDescription)")
        }
    }

    @Test("a batch's mean gradient is the mean of its gradients, an example named twice counting twice")
    func batches() throws {
        for subject in try networks {
            let (trained, examples) = (subject.trained, subject.examples)
            let rows = try trained.gradientRows(of: examples)
            let chosen = [3, 0, 3, 3, 74, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 40, 41, 42, 43, 44, 45, 46, 47]
            var gradient = [Float](repeating: .nan, count: trained.network.parameterCount)
            let loss = try chosen.map { UInt32($0) }.withUnsafeBufferPointer {
                try trained.meanGradient(over: .indices($0), of: examples, into: &gradient, parallel: Parallel(threads: 2))
            }
            let expected = gradient.indices.map { i in chosen.reduce(0) { $0 + rows[$1][i] } / Double(chosen.count) }
            #expect(Closeness.relativeDistance(gradient, expected) < 1e-5, "\(subject.testDescription)")
            let outputs = try trained.outputs(of: examples.features)
            let losses = chosen.map { row in
                Double(examples.weights?[row] ?? 1)
                    * trained.loss(
                        outputs: outputs.start + row * trained.network.outputWidth, target: examples.targets.number(row))
            }
            #expect(abs(loss - losses.reduce(0, +) / Double(chosen.count)) < 1e-9 * abs(loss))
        }
    }

    @Test("whatever takes long asks again and again whether to stop, and stops when told")
    func interrupted() throws {
        for subject in [try networks[0], try networks[3]] {
            let (trained, examples) = (subject.trained, subject.examples)
            var numbers = SeededNumbers(6)
            let directions = numbers.floats(16 * trained.network.parameterCount)
            let factors = try trained.factors(of: examples)
            let batch = ExampleBatch.range(0..<examples.count)
            let parallel = Parallel(threads: 1)
            let works: [(Interruption) throws -> Void] =
                [
                    { _ = try trained.outputs(of: examples.features, parallel: parallel, interruption: $0) },
                    { _ = try trained.gradients(of: 0..<examples.count, in: examples, interruption: $0) },
                    {
                        var gradient = directions
                        _ = try trained.meanGradient(
                            over: batch, of: examples, into: &gradient, parallel: parallel, interruption: $0)
                    },
                    {
                        let memory = AlignedMemory<Float>(uninitialized: factors.count)
                        try trained.factors(
                            of: 0..<examples.count, in: examples, into: memory.start, parallel: parallel, interruption: $0)
                    },
                    {
                        _ = try trained.scores(
                            of: batch, in: examples, along: directions, parallel: parallel, interruption: $0)
                    },
                    {
                        _ = try trained.scores(
                            of: batch, in: examples, factors: factors, along: directions, parallel: parallel, interruption: $0)
                    },
                ]
                + CurvatureKind.allCases.flatMap { kind -> [(Interruption) throws -> Void] in
                    let curvature = NetworkCurvature(kind, of: trained, over: examples)
                    return [
                        {
                            var images = directions
                            try curvature.product(
                                of: directions, to: &images, vectorCount: 16, parallel: parallel, interruption: $0)
                        },
                        { _ = try curvature.measure(parallel: parallel, interruption: $0) },
                        { _ = try curvature.diagonal(parallel: parallel, interruption: $0) },
                        {
                            let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
                            try curvature.write(plus: 0, to: matrix, parallel: parallel, interruption: $0)
                        },
                    ]
                }
            for (index, work) in works.enumerated() {
                let asked = Atomic(0)
                try work(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue < 0 })
                let questions = asked.load(ordering: .relaxed)
                #expect(questions >= 3, "\(subject.testDescription), work \(index)")
                for limit in [1, questions / 2, questions] {
                    asked.store(0, ordering: .relaxed)
                    #expect(throws: Interrupted()) {
                        try work(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit })
                    }
                    #expect(asked.load(ordering: .relaxed) == limit, "\(subject.testDescription), work \(index)")
                }
            }
        }
    }

    @Test("a step that takes long is followed by a question")
    func interruptedWithinAChunk() throws {
        let layer = #"{"type": "linear", "in_features": 300, "out_features": 300}"#
        let subject = try RandomNetwork("three steps", "\(layer), \(layer), \(layer)", count: 64)
        #expect(subject.network.rowsAtATime >= 64)
        let asked = Atomic(0)
        _ = try subject.trained.outputs(
            of: subject.examples.features,
            interruption: Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue < 0 })
        #expect(asked.load(ordering: .relaxed) >= 3 + 2, "for the piece, for the chunk, for each step")
    }

    @Test("other widths than the network's, directions of another length and no examples are a programmer's error")
    func shapes() async {
        await #expect(processExitsWith: .failure) {
            let subject = try RandomNetwork.all()[0]
            let other = LabeledExamples(features: FeatureRows([1, 2], width: 2), targets: .labels([0]))
            _ = try subject.trained.gradients(of: 0..<1, in: other)
        }
        await #expect(processExitsWith: .failure) {
            let subject = try RandomNetwork.all()[0]
            _ = try subject.trained.scores(
                of: .range(0..<1), in: subject.examples, along: [1], parallel: Parallel(threads: 1))
        }
        await #expect(processExitsWith: .failure) {
            let subject = try RandomNetwork.all()[0]
            var gradient = subject.parameters
            _ = try subject.trained.meanGradient(
                over: .range(0..<0), of: subject.examples, into: &gradient, parallel: Parallel(threads: 1))
        }
        await #expect(processExitsWith: .failure) {
            let subject = try RandomNetwork.all()[0]
            let curvature = NetworkCurvature(.hessian, of: subject.trained, over: subject.examples)
            _ = try curvature.products(of: subject.parameters, over: [])
        }
    }
}
