import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Weights of examples: wᵢ multiplies ℓᵢ, and all that is made of it.
@Suite("networks: weights of examples")
struct ExampleWeightTests {
    private static let networks = Result { try RandomNetwork.all() }
    private var networks: [RandomNetwork] { get throws { try Self.networks.get() } }

    private func weighted(_ examples: LabeledExamples, _ weights: [Float]?) -> LabeledExamples {
        LabeledExamples(features: examples.features, targets: examples.targets, weights: weights)
    }

    private func sum(
        of trained: TrainedNetwork, _ examples: LabeledExamples, over indices: [UInt32]
    ) throws -> (loss: Double, gradient: [Double]) {
        var gradient = [Float](repeating: 0, count: trained.network.parameterCount)
        let loss = try indices.withUnsafeBufferPointer {
            try trained.meanGradient(over: .indices($0), of: examples, into: &gradient, parallel: Parallel(threads: 1))
        }
        return (loss * Double(indices.count), gradient.map { Double($0) * Double(indices.count) })
    }

    @Test("a weight of 2 is the example twice, and a weight of 0 its absence, in losses, gradients and curvatures")
    func counts() throws {
        for subject in try networks {
            // The first four by weights, or by being named as often.
            let (plain, trained) = (subject.examples, subject.trained)
            let doubled = weighted(plain, [2, 0, 1, 2] + [Float](repeating: 1, count: plain.count - 4))
            let (all, named): ([UInt32], [UInt32]) = ([0, 1, 2, 3, 4], [0, 0, 2, 3, 3, 4])
            let (a, b) = (try sum(of: trained, doubled, over: all), try sum(of: trained, plain, over: named))
            #expect(abs(a.loss - b.loss) < 1e-6 * abs(b.loss))
            #expect(Closeness.relativeDistance(a.gradient, b.gradient) < 1e-5, "\(subject.testDescription)")
            for kind in CurvatureKind.allCases {
                let curvatures = (
                    NetworkCurvature(kind, of: trained, over: doubled), NetworkCurvature(kind, of: trained, over: plain)
                )
                var numbers = SeededNumbers(1)
                let vectors = numbers.floats(2 * curvatures.0.dimension)
                let images = try curvatures.0.products(of: vectors, over: all).map { $0 * 5 }
                let expected = try curvatures.1.products(of: vectors, over: named).map { $0 * 6 }
                #expect(Closeness.relativeDistance(images, expected) < 1e-5, "\(kind), \(subject.testDescription)")
            }
        }
    }

    @Test("gᵢ = wᵢ∇ℓᵢ, written out, in factors, in scores and in what is measured of curvatures")
    func gradients() throws {
        for subject in try networks {
            let (trained, plain) = (subject.trained, subject.examples)
            let weights = (0..<plain.count).map { [0.5, 0, 3, 1][$0 % 4] as Float }
            let examples = weighted(plain, weights)
            let (rows, others) = (try trained.gradientRows(of: examples), try trained.gradientRows(of: plain))
            for (row, weight) in weights.enumerated() {
                #expect(Closeness.relativeDistance(rows[row], others[row].map { $0 * Double(weight) }) < 1e-5)
            }
            var numbers = SeededNumbers(2)
            let direction = numbers.floats(trained.network.parameterCount)
            let batch = ExampleBatch.range(0..<plain.count)
            let scores = try trained.scores(of: batch, in: plain, along: direction, parallel: Parallel(threads: 1)).copy
            let expected = zip(scores, weights).map { $0 * $1 }
            let forward = try trained.scores(of: batch, in: examples, along: direction, parallel: Parallel(threads: 1)).copy
            let factored = try trained.scores(
                of: batch, in: examples, factors: trained.factors(of: examples), along: direction,
                parallel: Parallel(threads: 1)
            ).copy
            #expect(Closeness.relativeDistance(forward, expected) < 1e-5)
            #expect(Closeness.relativeDistance(factored, expected) < 1e-5)
            let size = try NetworkCurvature(.empiricalFisher, of: trained, over: examples)
                .measure(parallel: Parallel(threads: 2), interruption: .never)
            let squares = zip(others, weights).map { g, weight in Double(weight) * g.reduce(0) { $0 + $1 * $1 } }
            #expect(abs(size.trace - squares.reduce(0, +) / Double(plain.count)) < 1e-5 * size.trace)
            #expect(abs(size.largestExampleNorm - (squares.max() ?? 0)) < 1e-5 * size.largestExampleNorm)
        }
    }

    @Test("weights of one for all are no weights, bit for bit")
    func ones() throws {
        for subject in try networks {
            let ones = weighted(subject.examples, [Float](repeating: 1, count: subject.examples.count))
            #expect(try subject.trained.factors(of: ones) == subject.trained.factors(of: subject.examples))
            for kind in CurvatureKind.allCases {
                let (a, b) = (
                    NetworkCurvature(kind, of: subject.trained, over: ones),
                    NetworkCurvature(kind, of: subject.trained, over: subject.examples)
                )
                var numbers = SeededNumbers(3)
                let vector = numbers.floats(a.dimension)
                #expect(try a.products(of: vector) == b.products(of: vector))
            }
        }
    }
}
