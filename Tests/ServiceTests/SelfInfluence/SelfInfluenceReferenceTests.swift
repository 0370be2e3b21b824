import Attribution
import Formats
import Foundation
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// The nine reference networks' numbers of all their training examples.
@Suite("Reference self-influence", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct SelfInfluenceReferenceTests {
    private struct Reference: Decodable {
        let curvature: String
        let damping: Double
    }

    @Test(
        "influence and gradient norms are those of automatic differentiation in double precision",
        arguments: [
            "diabetes-mlp", "digits-cnn", "digits-mlp", "digits-residual", "iris-logistic", "iris-mlp", "iris-smooth-hinge",
            "iris-softmax", "tokens-embedding",
        ])
    func network(name: String) throws {
        let bench = try SpectrumBench.fixture(name)
        defer { withExtendedLifetime(bench) {} }
        let engine = bench.engine(memoryBytes: 256 << 20)
        func path(_ file: String) -> String { Fixtures.path("fixtures/models/\(name)/\(file)") }
        func numbers(_ file: String) throws -> [Double] {
            try TensorFile.read(path: path(file)).floats().map { Double($0) }
        }
        let reference = try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: URL(fileURLWithPath: path("reference.json"))))
        let influence = try engine.selfInfluence(
            "net",
            [
                "curvature": .string(reference.curvature), "damping": .double(reference.damping), "solver": ["name": "exact"],
                "include": ["all_scores"],
            ])
        #expect(try Closeness.relativeDistance(influence.scores, numbers("self_influence.npy")) < 1e-3)
        let norms = try engine.selfInfluence("net", ["method": "gradient_dot"])
        #expect(try Closeness.relativeDistance(norms.scores.map { $0.squareRoot() }, numbers("self_gradient_norm.npy")) < 1e-4)
        // Very near to each other, examples may change places.
        let first = try #require(influence.distribution.largest.first)
        #expect(try influence.scores[first] > 0.999 * #require(numbers("self_influence.npy").max()))
    }
}
