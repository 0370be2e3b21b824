import Foundation
import JSON
import LinearAlgebra
import Networks
import Store
import TestSupport
import Testing

@testable import Service

/// What the gradient at a checkpoint says of its training.
@Suite("Convergence")
struct ConvergenceTests {
    @Test(
        "the norms are those of the objective's gradient and of the examples', by their definition",
        arguments: [
            SpectrumBench.softmax(), SpectrumBench.tanh,
        ])
    func norms(spec: String) throws {
        let bench = try SpectrumBench.network(spec)
        let convergence = try #require(try bench.answer()["convergence"])
        let network = try bench.engine().model("net", checkpoint: nil).network(at: "")
        let parameters = network.trained.parameters
        let (count, width) = (network.examples.count, parameters.count)
        let rows = try network.trained.gradients(of: 0..<count, in: network.examples)
        let mean = (0..<width).map { i in (0..<count).reduce(0.0) { $0 + Double(rows[$1 * width + i]) } / Double(count) }
        let decay = network.network.weightDecay
        let gradient = zip(mean, parameters).map { $0 + decay * Double($1) }
        func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        func expect(_ name: String, _ value: Double) throws {
            #expect(abs(try convergence.number(name) / value - 1) < 1e-4, "\(name)")
        }
        try expect("gradient_norm", norm(gradient))
        try expect("mean_gradient_norm", norm(mean))
        try expect("parameter_norm", norm(parameters.map(Double.init)))
        let example = (rows.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)).squareRoot()
        try expect("example_gradient_norm", example)
        try expect("limit", example / Double(count))
        try expect("equivalent_examples", Double(count) * norm(gradient) / example)
        if spec == SpectrumBench.tanh {
            #expect(convergence["distance_bound"] == .null)
        } else {
            try expect("distance_bound", norm(gradient) / decay)
        }
    }

    @Test("random parameters have not converged, and the answer says what that means")
    func notConverged() throws {
        let convergence = try #require(try SpectrumBench.network(SpectrumBench.softmax()).answer()["convergence"])
        #expect(convergence["converged"] == false && convergence["criterion"] == "one_example")
        #expect(try convergence.number("gradient_norm") > convergence.number("limit"))
        let summary = try #require(convergence["summary"]?.stringValue)
        #expect(summary.contains("training stopped early") && summary.contains("of the 40 examples"))
    }

    @Test("the minimum has converged; the bound of the distance holds on the way there")
    func converged() throws {
        let bench = try SpectrumBench.network(SpectrumBench.softmax())
        let engine = bench.engine()
        let network = try engine.model("net", checkpoint: nil).network(at: "")
        let minimum = try Self.minimum(of: network, from: network.trained.parameters)
        try engine.importCheckpoint(
            parameters: minimum, model: "net", spec: SpectrumBench.softmax(), dataset: "train", checkpoint: "minimum",
            training: TrainingState())
        let answer = try engine.spectrum(SpectrumBench.request(checkpoint: "minimum"), interruption: .never).json
        #expect(answer["convergence"]?["converged"] == true)
        #expect(answer["convergence"]?["summary"]?.stringValue?.contains("at a minimum") == true)
        let before = try engine.spectrum(SpectrumBench.request(), interruption: .never).json
        let distance = zip(minimum, network.trained.parameters).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        #expect(try before.number("convergence", "distance_bound") >= distance.squareRoot())
    }

    /// Plain gradient descent, to where single precision ends it.
    private static func minimum(of network: NetworkModel, from start: [Float]) throws -> [Float] {
        var parameters = start
        for _ in 0..<4000 {
            let trained = TrainedNetwork(network.network, parameters: parameters)
            var gradient = [Float](repeating: 0, count: parameters.count)
            _ = try trained.meanGradient(
                over: .range(0..<network.examples.count), of: network.examples, into: &gradient, parallel: Parallel(threads: 1))
            for i in parameters.indices {
                parameters[i] -= 0.3 * (gradient[i] + Float(network.network.weightDecay) * parameters[i])
            }
        }
        return parameters
    }
}
