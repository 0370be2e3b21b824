import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// The kernels of softmax regression against PyTorch's automatic differentiation in double precision.
@Suite("iris softmax regression", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct IrisSoftmaxTests {
    private let fixture: ModelFixture
    private let model: SoftmaxRegression
    private let curvature: SoftmaxCurvature

    init() throws {
        let fixture = try ModelFixture("iris-softmax")
        self.fixture = fixture
        model = try #require(SoftmaxRegression(fixture.network))
        let labels = (0..<fixture.training.count).map { Int32(fixture.training.targets.number($0)) }
        curvature = SoftmaxCurvature(
            .hessian, model: model, features: fixture.training.features,
            residuals: try fixture.trained.factors(of: fixture.training), targets: labels)
    }

    @Test("its parameters are those of the network")
    func parameters() {
        #expect(model == SoftmaxRegression(inputWidth: 4, classCount: 3, hasBias: true))
        #expect(model.parameterCount == 15 && fixture.network.parameterCount == 15)
    }

    @Test("Hessian and Gauss-Newton products, which are the same here, with weight decay added", arguments: ["hvp", "ggnvp"])
    func products(name: String) throws {
        let vectors = try fixture.numbers("probe_vectors").map { Float($0) }
        var images = [Float](repeating: 0, count: vectors.count)
        try curvature.product(of: vectors, to: &images, vectorCount: 3, parallel: Parallel(threads: 2))
        let decayed = zip(images, vectors).map { Double($0) + fixture.network.weightDecay * Double($1) }
        let expected = try fixture.numbers(name)
        for v in 0..<3 {
            let part = v * 15..<(v + 1) * 15
            #expect(Closeness.relativeDistance(decayed[part], expected[part]) < 1e-4)
        }
    }

    @Test("its own kernels and the network's general ones make the same products")
    func general() throws {
        let vectors = try fixture.numbers("probe_vectors").map { Float($0) }
        var images = vectors
        try curvature.product(of: vectors, to: &images, vectorCount: 3, parallel: Parallel(threads: 2))
        for kind in [CurvatureKind.hessian, .gaussNewton] {
            var others = vectors
            try NetworkCurvature(kind, of: fixture.trained, over: fixture.training)
                .product(of: vectors, to: &others, vectorCount: 3, parallel: Parallel(threads: 2))
            #expect(Closeness.relativeDistance(images, others) < 1e-5)
        }
    }
}
