import Attribution
import Formats
import Foundation
import InverseCurvature
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// The network 784-128-10 on the 55,000 training rows of MNIST, against double precision.
@Suite("MNIST network", .serialized, .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct MNISTNetworkTests {
    private let parallel = Parallel(threads: 2)
    private let network: Network
    private let training, tests: LabeledExamples
    /// The rows that are scored: all where the optimiser ran, 300 evenly spread without it.
    private let rows: [Int]

    private static func fixture(_ name: String) throws -> Tensor {
        try TensorFile.read(path: Fixtures.path("fixtures/mnist-mlp/\(name).npy"))
    }

    /// Read once for all tests.
    private static let data = Result {
        (
            training: LabeledExamples(
                features: MNISTSoftmax.pixels(try MNISTSoftmax.mnist("train-images-idx3").rows(MNISTSoftmax.trainingRows)),
                targets: .labels(
                    try MNISTSoftmax.mnist("train-labels-idx1").rows(MNISTSoftmax.trainingRows).integers().map { Int32($0) })),
            tests: try {
                let images = MNISTSoftmax.pixels(try MNISTSoftmax.mnist("t10k-images-idx3"))
                let chosen = try fixture("test_idx").integers()
                return LabeledExamples(
                    features: FeatureRows(chosen.flatMap { images.values(of: $0) }, width: 784),
                    targets: .labels(try fixture("y_test").integers().map { Int32($0) }))
            }()
        )
    }

    init() throws {
        let spec = try String(contentsOfFile: Fixtures.path("fixtures/mnist-mlp/spec.json"), encoding: .utf8)
        network = try Network(ModelSpec(JSON(parsing: spec)))
        (training, tests) = try Self.data.get()
        rows = Parallel.ranges(of: training.count, pieces: BuildConfiguration.isOptimized ? training.count : 300).map(
            \.lowerBound)
    }

    private func trained(_ checkpoint: String = "model") throws -> TrainedNetwork {
        let file = try SafetensorsFile(path: Fixtures.path("fixtures/mnist-mlp/\(checkpoint).safetensors"))
        return TrainedNetwork(network, parameters: try network.tensors.flatMap { try file.tensor(named: $0.name).floats() })
    }

    /// Scores of the chosen rows along two directions, one after the other.
    private func scores(_ trained: TrainedNetwork, along directions: [Float]) throws -> [Float] {
        try NetworkGradients(model: trained, examples: training)
            .scores(of: .indices(rows.map { UInt32($0) }), along: directions, parallel: parallel).values.copy
    }

    private func chosen(_ reference: [Float]) -> [Float] {
        (0..<2).flatMap { test in rows.map { reference[test * 55_000 + $0] } }
    }

    @Test("gradients of the tests")
    func gradients() throws {
        let gradients = try trained().gradients(of: 0..<2, in: tests)
        #expect(try Closeness.relativeDistance(gradients, Self.fixture("test_gradients").floats()) < 1e-4)
    }

    @Test(
        "a Hessian product over all 55,000 rows",
        .enabled(if: BuildConfiguration.isOptimized, "55,000 rows take minutes without the optimiser"))
    func product() throws {
        let vector = try Self.fixture("hvp_in").floats()
        var image = vector
        try NetworkCurvature(.hessian, of: trained(), over: training)
            .product(of: vector, to: &image, vectorCount: 1, parallel: parallel)
        let decayed = zip(image, vector).map { Double($0) + network.weightDecay * Double($1) }
        #expect(try Closeness.relativeDistance(decayed, Self.fixture("hvp_out").doubles()) < 1e-4)
    }

    @Test("scores along the exact s_test; in debug those of 300 rows")
    func scores() throws {
        let scores = try scores(trained(), along: Self.fixture("s_test").floats())
        #expect(try Closeness.relativeDistance(scores, chosen(Self.fixture("scores").floats())) < 1e-4)
    }

    @Test("TracInCP: the sum over three checkpoints of learning rate · ∇ℓ_test · ∇ℓᵢ; in debug for 300 rows")
    func tracin() throws {
        var sums = [Float](repeating: 0, count: 2 * rows.count)
        for checkpoint in 0..<3 {
            let trained = try trained("ckpt_\(checkpoint)")
            let scores = try scores(trained, along: trained.gradients(of: 0..<2, in: tests))
            for i in sums.indices { sums[i] += 0.001 * scores[i] }
        }
        #expect(try Closeness.relativeDistance(sums, chosen(Self.fixture("tracincp_scores").floats())) < 1e-4)
    }

    @Test("TracInCP from the factors of both gradients; in debug for 300 rows")
    func factoredTracin() throws {
        var sums = [Float](repeating: 0, count: 2 * rows.count)
        for checkpoint in 0..<3 {
            let trained = try trained("ckpt_\(checkpoint)")
            let gradients = try trained.exampleGradients(of: 0..<2, in: tests).scaled(by: [0.001, 0.001])
            let scores = try NetworkGradients(model: trained, examples: training).scores(
                of: .indices(rows.map { UInt32($0) }), like: gradients, parallel: parallel, interruption: .never)
            for (i, score) in scores.values.copy.enumerated() { sums[i] += score }
        }
        #expect(try Closeness.relativeDistance(sums, chosen(Self.fixture("tracincp_scores").floats())) < 1e-6)
    }

    @Test(
        "the exact s_test solves the Hessian's system",
        .enabled(if: BuildConfiguration.isOptimized, "55,000 rows take minutes without the optimiser"))
    func solution() throws {
        let system = DampedCurvature(
            NetworkCurvature(.hessian, of: try trained(), over: training), shift: network.weightDecay + 0.01)
        let sides = try trained().gradients(of: 0..<2, in: tests)
        let remainders = try system.remainder(
            of: sides, after: Self.fixture("s_test").floats(), count: 2, parallel: parallel, interruption: .never)
        #expect(Vectors.norm(remainders) < 1e-3 * Vectors.norm(sides))
    }
}
