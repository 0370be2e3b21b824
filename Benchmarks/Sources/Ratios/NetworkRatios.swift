import Formats
import Foundation
import InverseCurvature
import JSON
import LinearAlgebra
import Networks

/// General networks beside PyTorch: the fixture's 784-128-10 on MNIST, and a convolutional network of the usual size.
struct NetworkRatios {
    /// The fixture's network at its parameters.
    let mlp: TrainedNetwork
    /// Two convolutions and a linear layer, on the same images.
    let convolutional: TrainedNetwork
    let examples: LabeledExamples
    let direction: [Float]

    /// Calls that make one measurement where a call takes microseconds.
    private static let calls = 50

    init(shared: String, features: FeatureRows) throws {
        let fixture = shared + "/fixtures/mnist-mlp/"
        let labels = try TensorFile.read(path: shared + "/data/mnist/train-labels-idx1-ubyte.gz").rows(5_000..<60_000).integers()
        examples = LabeledExamples(features: features, targets: .labels(labels.map { Int32($0) }))
        let network = try Network(ModelSpec(JSON(parsing: String(contentsOfFile: fixture + "spec.json", encoding: .utf8))))
        let file = try SafetensorsFile(path: fixture + "model.safetensors")
        mlp = TrainedNetwork(network, parameters: try network.tensors.flatMap { try file.tensor(named: $0.name).floats() })
        direction = try TensorFile.read(path: fixture + "hvp_in.npy").floats()
        let spec = """
            {"input_shape": [1, 28, 28], "layers": [
                {"type": "conv2d", "in_channels": 1, "out_channels": 16, "kernel_size": 3, "padding": 1}, {"type": "relu"},
                {"type": "max_pool2d", "kernel_size": 2},
                {"type": "conv2d", "in_channels": 16, "out_channels": 32, "kernel_size": 3, "padding": 1}, {"type": "relu"},
                {"type": "max_pool2d", "kernel_size": 2}, {"type": "flatten"},
                {"type": "linear", "in_features": 1568, "out_features": 10}],
             "loss": {"type": "cross_entropy"}}
            """
        let pictures = try Network(ModelSpec(JSON(parsing: spec)))
        var stream = RandomStream(seed: 0)
        convolutional = TrainedNetwork(
            pictures, parameters: (0..<pictures.parameterCount).map { _ in Float(stream.nextNormal()) * 0.05 })
    }

    /// The first examples alone.
    private func first(_ count: Int) -> LabeledExamples {
        let values = (0..<count).flatMap { examples.features.values(of: $0) }
        guard case .labels(let labels) = examples.targets else { preconditionFailure("MNIST has labels") }
        return LabeledExamples(
            features: FeatureRows(values, width: 784), targets: .labels(Array(labels[..<count])))
    }

    /// What solvers are worth on the fixture's network: the Gauss-Newton matrix with the reference's damping of 0.01 and weight decay, solved
    /// to 1e-6 by conjugate gradients for a reference.
    func solverTable(shared: String, _ parallel: Parallel) throws -> SolverTable {
        let gradients = try TensorFile.read(path: shared + "/fixtures/mnist-mlp/test_gradients.npy").floats()
        let curvature = NetworkCurvature(.gaussNewton, of: mlp, over: examples)
        let system = DampedCurvature(curvature, shift: 0.01 + mlp.network.weightDecay)
        let reference = try ConjugateGradient(.init(tol: 1e-6)).solve(
            gradients, count: gradients.count / system.dimension, in: system, parallel: parallel)
        return SolverTable(
            name: "MNIST by the network 784-128-10, n = 55,000, p = 101,770", system: system, sides: gradients,
            exact: reference.vectors, network: curvature, parallel: parallel,
            budgets: [500, 1_000, 2_000, 4_000])
    }

    func run(_ peer: TorchPeer?, _ parallel: Parallel) throws {
        try products(peer, parallel)
        try scores(peer, parallel)
        try convolutions(peer, parallel)
    }

    private func products(_ peer: TorchPeer?, _ parallel: Parallel) throws {
        var cases = Interleaved()
        var image = direction
        for batch in [32, 1_024] {
            let curvature = NetworkCurvature(.hessian, of: mlp, over: first(batch))
            cases.add("\(Self.calls) Hessian products, batch \(batch)") {
                for _ in 0..<Self.calls {
                    try curvature.product(of: direction, to: &image, vectorCount: 1, parallel: parallel)
                }
            }
            guard let peer else { continue }
            for form in ["double", "rop"] {
                cases.addMeasured("torch \(form), batch \(batch)") { try peer.milliseconds("\(form)-\(batch)") }
            }
        }
        try cases.run(rounds: 9)
        print("\nHessian products of the 784-128-10 network, \(Self.calls) at a time")
        cases.report()
        let (small, large) = (
            cases["\(Self.calls) Hessian products, batch 32"], cases["\(Self.calls) Hessian products, batch 1024"]
        )
        Ratios.ratio("torch's double backward / ours, batch 32", cases["torch double, batch 32"], small, atLeast: 5)
        Ratios.ratio("R-operator in torch / ours, batch 32", cases["torch rop, batch 32"], small, atLeast: 2.5)
        Ratios.ratio("R-operator in torch / ours, batch 1,024", cases["torch rop, batch 1024"], large, atLeast: 1)
    }

    private func scores(_ peer: TorchPeer?, _ parallel: Parallel) throws {
        let count = examples.count
        let factors = AlignedMemory<Float>(uninitialized: count * mlp.factorWidth)
        var cases = Interleaved()
        cases.add("gradient factors of 55,000") {
            try mlp.factors(of: 0..<count, in: examples, into: factors.start, parallel: parallel)
        }
        cases.add("scores of 55,000 without a cache") {
            _ = try mlp.scores(of: .range(0..<count), in: examples, along: direction, parallel: parallel)
        }
        cases.add("scores of 55,000 from factors") {
            _ = try mlp.scores(
                of: .range(0..<count), in: examples, factors: factors.start, along: direction, parallel: parallel)
        }
        if let peer {
            cases.addMeasured("torch vmap(grad) of 4,096") { try peer.milliseconds("vmap") }
            cases.addMeasured("torch factored scores of 55,000") { try peer.milliseconds("ghost") }
        }
        try cases.run(rounds: 7)
        print("\ngradients and scores of the 784-128-10 network")
        cases.report()
        let perExample = cases["torch vmap(grad) of 4,096"].map { $0 * Double(count) / 4_096 }
        Ratios.ratio("torch vmap(grad) / our factors, an example", perExample, cases["gradient factors of 55,000"], atLeast: 20)
        Ratios.ratio(
            "torch factored scores / ours without a cache", cases["torch factored scores of 55,000"],
            cases["scores of 55,000 without a cache"], atLeast: 1)
    }

    private func convolutions(_ peer: TorchPeer?, _ parallel: Parallel) throws {
        var cases = Interleaved()
        for batch in [32, 256] {
            let some = first(batch)
            var gradient = [Float](repeating: 0, count: convolutional.network.parameterCount)
            cases.add("10 gradients, batch \(batch)") {
                for _ in 0..<10 {
                    _ = try convolutional.meanGradient(over: .range(0..<batch), of: some, into: &gradient, parallel: parallel)
                }
            }
            if let peer { cases.addMeasured("torch, batch \(batch)") { try peer.milliseconds("conv-\(batch)") } }
        }
        try cases.run(rounds: 9)
        print("\ngradients of a network of two convolutions, 10 at a time")
        cases.report()
        for batch in [32, 256] {
            Ratios.ratio(
                "torch / ours, batch \(batch)", cases["torch, batch \(batch)"], cases["10 gradients, batch \(batch)"], atLeast: 1)
        }
    }
}
