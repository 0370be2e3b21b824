import Attribution
import Formats
import InverseCurvature
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// The solvers that know the empirical Fisher matrix by its gradients, on gradients of networks and on such as are kept.
@Suite("solvers on the empirical Fisher matrix")
struct FisherSolverTests {
    private let parallel = Parallel(threads: 2)

    /// A perceptron on a few examples, with weights.
    private func perceptron(count: Int) throws -> (network: TrainedNetwork, examples: LabeledExamples) {
        let spec = """
            {"layers": [{"type": "linear", "in_features": 6, "out_features": 7}, {"type": "tanh"},
            {"type": "linear", "in_features": 7, "out_features": 4}], "loss": {"type": "cross_entropy"}}
            """
        let network = try Network(ModelSpec(JSON(parsing: spec)))
        var numbers = SeededNumbers(1)
        let trained = TrainedNetwork(network, parameters: numbers.floats(network.parameterCount, scale: 0.5))
        let examples = LabeledExamples(
            features: FeatureRows(numbers.floats(count * 6), width: 6),
            targets: .labels(numbers.integers(count, below: 4).map { Int32($0) }),
            weights: (0..<count).map { [1, 0, 2, 0.5][$0 % 4] as Float })
        return (trained, examples)
    }

    @Test("Woodbury's solutions are the exact solver's, of fewer and of more examples than parameters", arguments: [20, 80, 100])
    func woodbury(count: Int) throws {
        let (network, examples) = try perceptron(count: count)
        let curvature = NetworkCurvature(.empiricalFisher, of: network, over: examples)
        let system = DampedCurvature(curvature, shift: 0.01)
        let rows = NetworkFisherRows(of: network, over: examples)
        #expect(WoodburySolver.pays(for: rows) == (count < curvature.dimension))
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(3 * curvature.dimension)
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 24, parallel: parallel)
            .solve(sides, count: 3, in: system, parallel: parallel)
        let solution = try WoodburySolver(factoring: rows, shift: 0.01, memoryLimit: 1 << 24, parallel: parallel)
            .solve(sides, count: 3, in: system, parallel: parallel)
        #expect(solution.converged == [true, true, true])
        #expect(Closeness.relativeDistance(solution.vectors, exact.vectors) < 1e-4)
    }

    @Test("kept gradients and those of the network are solved for alike, by Woodbury's identity and by DataInf")
    func keptRows() throws {
        let (network, examples) = try perceptron(count: 30)
        let p = network.network.parameterCount
        let memory = AlignedMemory<UInt8>(uninitialized: 30 * p * 4)
        let gradients = try network.gradients(of: 0..<30, in: examples)
        gradients.withUnsafeBytes { _ = memory.elements.update(fromContentsOf: $0) }
        let kept = try RowFisher(
            ResidentRows(memory, count: 30, width: p, encoding: .float32), weights: examples.weights, parallel: parallel)
        let system = DampedCurvature(kept, shift: 0.02)
        var numbers = SeededNumbers(3)
        let sides = numbers.floats(2 * p)
        let rows: [any FisherRows] = [kept, NetworkFisherRows(of: network, over: examples)]
        let exact = try rows.map {
            try WoodburySolver(factoring: $0, shift: 0.02, memoryLimit: 1 << 24, parallel: parallel)
                .solve(sides, count: 2, in: system, parallel: parallel)
        }
        #expect(exact[0].converged == [true, true])
        #expect(Closeness.relativeDistance(exact[0].vectors, exact[1].vectors) < 1e-5)
        // Two layers of the network are two blocks; of kept rows they are one.
        let approximate = try rows.map { try DataInf(rows: $0).solve(sides, count: 2, in: system, parallel: parallel) }
        for (solution, blocks) in zip(approximate, [[0..<p], network.network.trainedLayers.map(\.parameters)]) {
            for side in 0..<2 {
                let v = Array(sides[side * p..<(side + 1) * p])
                let expected = formula(gradients, examples.weights ?? [], v, blocks: blocks, shift: 0.02)
                #expect(Closeness.relativeDistance(solution.vectors[side * p..<(side + 1) * p], expected) < 1e-5)
            }
        }
    }

    /// (1/λ)(vₗ − (1/n) Σᵢ aᵢₗ(aᵢₗ·vₗ)/(λ + ‖aᵢₗ‖²)) in double precision, with aᵢ = gᵢ/√wᵢ.
    private func formula(
        _ gradients: [Float], _ weights: [Float], _ v: [Float], blocks: [Range<Int>], shift: Double
    ) -> [Double] {
        var result = v.map { Double($0) / shift }
        for (i, weight) in weights.enumerated() where weight > 0 {
            for block in blocks {
                let a = block.map { Double(gradients[i * v.count + $0]) / Double(weight).squareRoot() }
                let product = zip(a, v[block]).reduce(0) { $0 + $1.0 * Double($1.1) }
                let norm = a.reduce(0) { $0 + $1 * $1 }
                for (place, j) in block.enumerated() {
                    result[j] -= a[place] * product / (shift + norm) / Double(weights.count) / shift
                }
            }
        }
        return result
    }

    @Test(
        "on a thousand of MNIST's examples Woodbury's solutions are conjugate gradients'",
        .enabled(if: Fixtures.isAvailable, Fixtures.absence))
    func mnist() throws {
        let mnist = try MNISTSoftmax.shared.get()
        let (n, p) = (1000, mnist.model.parameterCount)
        let pixels = AlignedMemory<Float>(uninitialized: n * 784)
        mnist.gradients.features.copyValues(of: 0..<n, into: pixels.start)
        let features = FeatureRows(.float32(pixels), count: n, width: 784)
        let residuals = Array(mnist.gradients.residuals[..<(10 * n)])
        let curvature = SoftmaxCurvature(
            .empiricalFisher, model: mnist.model, features: features, outputFactors: residuals)
        let system = DampedCurvature(curvature, shift: 0.01)
        let rows = try SoftmaxFisherRows(model: mnist.model, features: features, residuals: residuals, parallel: parallel)
        #expect(WoodburySolver.pays(for: rows))
        let solution = try WoodburySolver(factoring: rows, shift: 0.01, memoryLimit: 1 << 26, parallel: parallel)
            .solve(mnist.testGradients, count: MNISTSoftmax.testCount, in: system, parallel: parallel)
        let reference = try ConjugateGradient(.init(maxIter: 500, tol: 1e-6))
            .solve(mnist.testGradients, count: MNISTSoftmax.testCount, in: system, parallel: parallel, interruption: .never)
        #expect(solution.converged.allSatisfy { $0 })
        #expect(solution.residuals.allSatisfy { $0 < 1e-4 })
        for test in 0..<MNISTSoftmax.testCount {
            let part = test * p..<(test + 1) * p
            #expect(Closeness.relativeDistance(solution.vectors[part], reference.vectors[part]) < 1e-4)
        }
    }
}
