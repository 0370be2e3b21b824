import Foundation
import Formats
import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

/// Spectra of the reference models against numbers that PyTorch and NumPy made in double precision.
@Suite("Reference spectra", .serialized, .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct SpectrumReferenceTests {
    /// Those of hundreds of examples take minutes without the optimiser.
    private static let names =
        ["diabetes-mlp", "iris-logistic", "iris-mlp", "iris-smooth-hinge", "iris-softmax"]
        + (BuildConfiguration.isOptimized ? ["digits-cnn", "digits-mlp", "digits-residual", "tokens-embedding"] : [])

    @Test("both ends are those of the reference", arguments: names)
    func ends(name: String) throws {
        let bench = try SpectrumBench.fixture(name)
        func path(_ file: String) -> String { Fixtures.path("fixtures/models/\(name)/\(file)") }
        let reference = try JSON(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path("reference.json")))))
        let curvature = try #require(reference["curvature"]?.stringValue)
        let damping = try reference.number("damping")
        let expected = try TensorFile.read(path: path("eigenvalues_min_max.npy")).floats().map(Double.init)
        let answer = try bench.answer(("curvature", curvature), ("damping", "\(damping)"))
        let (smallest, largest) = (try answer.number("smallest", "value"), try answer.number("largest", "value"))
        #expect(abs(largest + damping - expected[1]) < 1e-4 * expected[1])
        #expect(abs(smallest + damping - expected[0]) < 1e-4 * expected[1])
        #expect(answer["definiteness"]?["positive_definite"] == true)
        let condition = try answer.number("definiteness", "condition_number")
        #expect(abs(condition / (expected[1] / expected[0]) - 1) < 0.05)
    }

    @Test(
        "MNIST: the largest eigenvalue, the trace, and a checkpoint at its minimum",
        .enabled(if: BuildConfiguration.isOptimized, "dozens of products over all rows: minutes without the optimiser"))
    func mnist() throws {
        let bench = try SpectrumBench()
        func path(_ file: String) -> String { Fixtures.path("fixtures/mnist-softmax/\(file)") }
        let data = try DatasetImport(
            inputs: .init(path: Fixtures.path("data/mnist/train-images-idx3-ubyte.gz")),
            targets: .init(path: Fixtures.path("data/mnist/train-labels-idx1-ubyte.gz")), rows: 5000..<60_000, divisor: 255)
        try bench.store.importDataset(named: "train", inputs: data.inputs, divisor: 255, targets: data.targets)
        try ModelImport(
            name: "net", specFile: path("spec.json"), parametersFile: path("model.safetensors"), dataset: "train",
            store: bench.store
        ).write(checkpoint: "final", training: .init(), to: bench.store)
        let engine = bench.engine(memoryBytes: 1 << 30)
        let answer = try engine.spectrum(SpectrumBench.request(), interruption: .never).json
        #expect(abs(try answer.number("largest", "value") - 2.307) < 1e-3)
        #expect(abs(try answer.number("trace") - 104.4) < 0.06)
        #expect(try answer.number("smallest", "value") > 0.0099)
        #expect(answer["convergence"]?["converged"] == true)
        #expect(answer["definiteness"]?["positive_definite"] == true)
        #expect(answer["density"]?["sample_size"] == 8192)
        // Exact for the ends; the density's own trace comes near what it stands for.
        let positions = try answer.numbers("density", "positions"), counts = try answer.numbers("density", "counts")
        let trace = zip(positions, counts).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(trace / 104.4 - 1) < 0.1)
    }
}
