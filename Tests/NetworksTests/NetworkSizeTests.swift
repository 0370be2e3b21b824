import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Diagonals, traces and norms against explicit matrices.
@Suite("networks: diagonals and sizes of curvatures")
struct NetworkSizeTests {
    private static let networks = Result { try RandomNetwork.all() + RandomNetwork.all(weighted: true) }
    private var networks: [RandomNetwork] { get throws { try Self.networks.get() } }
    private let parallel = Parallel(threads: 2)

    private func curvature(_ kind: CurvatureKind, _ subject: RandomNetwork) -> NetworkCurvature {
        NetworkCurvature(kind, of: subject.trained, over: subject.examples)
    }

    private func diagonal(of matrix: DenseMatrix) -> [Double] { (0..<matrix.rows).map { matrix[$0, $0] } }
    private func trace(of matrix: DenseMatrix) -> Double { diagonal(of: matrix).reduce(0, +) }

    @Test(
        "the diagonals of the empirical Fisher matrix, and of the Gauss-Newton matrix up to 32 outputs, are exact",
        arguments: [CurvatureKind.gaussNewton, .empiricalFisher])
    func exact(kind: CurvatureKind) throws {
        for subject in try networks where kind == .empiricalFisher || subject.network.outputWidth <= 32 {
            let curvature = curvature(kind, subject)
            let estimate = try curvature.diagonal(parallel: parallel)
            #expect(estimate.standardErrors == nil)
            let expected = diagonal(of: try curvature.explicit())
            #expect(Closeness.largestError(estimate.values, expected) < 1e-5, "\(subject.testDescription)")
        }
    }

    @Test("a Hessian that is the Gauss-Newton matrix has its diagonal")
    func affine() throws {
        let subject = try RandomNetwork("linear", #"{"type": "linear", "in_features": 4, "out_features": 3}"#)
        let estimate = try curvature(.hessian, subject).diagonal(parallel: parallel)
        #expect(try estimate == curvature(.gaussNewton, subject).diagonal(parallel: parallel))
        #expect(estimate.standardErrors == nil)
    }

    /// The mean square of (estimate − truth) / error: 1 where the errors are what they say.
    private func expectHonest(_ estimate: CurvatureDiagonal, _ truth: [Double], _ name: String) throws {
        let errors = try #require(estimate.standardErrors)
        let scale = truth.reduce(0) { max($0, abs($1)) }
        // A diagonal element alone in its row has no error but rounding.
        let ratios = truth.indices.filter { Double(errors[$0]) > 1e-4 * scale }.map {
            (Double(estimate.values[$0]) - truth[$0]) / Double(errors[$0])
        }
        #expect(ratios.count > 10, "\(name)")
        let spread = ratios.reduce(0) { $0 + $1 * $1 } / Double(ratios.count)
        #expect(spread > 0.4 && spread < 2, "\(name): \(spread)")
        for i in truth.indices where Double(errors[i]) <= 1e-4 * scale {
            #expect(abs(Double(estimate.values[i]) - truth[i]) < 1e-3 * scale, "\(name)")
        }
    }

    @Test("estimates of a Hessian's diagonal differ from it by their standard errors, which fall with more probes")
    func hessian() throws {
        for subject in try networks.dropLast(5) {
            let curvature = curvature(.hessian, subject)
            let truth = diagonal(of: try curvature.explicit())
            let few = try curvature.diagonal(probes: 40, seed: 3, parallel: parallel)
            try expectHonest(few, truth, subject.testDescription)
            let many = try curvature.diagonal(probes: 360, seed: 4, parallel: parallel)
            try expectHonest(many, truth, subject.testDescription)
            let (a, b) = (try #require(few.standardErrors), try #require(many.standardErrors))
            let ratio = Vectors.norm(a) / Vectors.norm(b)
            #expect(ratio > 2.3 && ratio < 3.7, "three times as small")
        }
    }

    @Test("estimates of the Gauss-Newton matrix's diagonal for many outputs differ from it by their standard errors")
    func manyOutputs() throws {
        for subject in try networks where subject.network.outputWidth > 32 {
            let curvature = curvature(.gaussNewton, subject)
            let estimate = try curvature.diagonal(probes: 40, parallel: parallel)
            try expectHonest(estimate, diagonal(of: try curvature.explicit()), subject.testDescription)
        }
    }

    @Test(
        "diagonals have the same bits on any number of threads, and their own with another seed",
        arguments: CurvatureKind.allCases)
    func bits(kind: CurvatureKind) throws {
        for subject in [try networks[0], try networks[1], try networks[5]] {
            let curvature = curvature(kind, subject)
            let one = try curvature.diagonal(probes: 5, seed: 1, parallel: Parallel(threads: 1))
            #expect(try curvature.diagonal(probes: 5, seed: 1, parallel: Parallel(threads: 3)) == one)
            let other = try curvature.diagonal(probes: 5, seed: 2, parallel: parallel)
            #expect((other == one) == (one.standardErrors == nil))
        }
    }

    @Test("the trace is the matrix's, exactly or within a few of its standard errors", arguments: CurvatureKind.allCases)
    func trace(kind: CurvatureKind) throws {
        for subject in try networks {
            let curvature = curvature(kind, subject)
            let size = try curvature.measure(parallel: parallel, interruption: .never)
            let matrix = try curvature.explicit()
            let gaussNewton = try self.curvature(.gaussNewton, subject).explicit()
            let isMany = subject.network.outputWidth > 32
            var bound = 1e-5 * max(abs(trace(of: matrix)), trace(of: gaussNewton))
            if kind == .hessian {
                let remainder = zip(matrix.elements, gaussNewton.elements).map { $0 - $1 }
                bound += 4 * (2.0 / 16 * remainder.reduce(0) { $0 + $1 * $1 }).squareRoot()
            }
            // Forty examples, each within √(2/32) of its own.
            if isMany, kind != .empiricalFisher { bound += 4 * (2.0 / 32 / 40).squareRoot() * trace(of: gaussNewton) }
            #expect(abs(size.trace - trace(of: matrix)) < bound, "\(subject.testDescription)")
        }
    }

    @Test(
        "no example's curvature is larger than the bound, and the bound is not far too large", arguments: CurvatureKind.allCases)
    func norms(kind: CurvatureKind) throws {
        for subject in try networks {
            // The Hessian's norm is looked at for every fourth example: each four times here.
            let rows = (0..<40).map { $0 / 4 + 3 }
            let examples = LabeledExamples(
                features: FeatureRows(
                    rows.flatMap { subject.examples.features.values(of: $0) }, width: subject.network.inputWidth),
                targets: subject.examples.targets.chosen(rows), weights: subject.examples.weights.map { w in rows.map { w[$0] } })
            let bound = try NetworkCurvature(kind, of: subject.trained, over: examples)
                .measure(parallel: parallel, interruption: .never).largestExampleNorm
            var (largest, traces) = (0.0, 0.0)
            for row in Set(rows) {
                let one = LabeledExamples(
                    features: FeatureRows(subject.examples.features.values(of: row), width: subject.network.inputWidth),
                    targets: subject.examples.targets.chosen([row]), weights: subject.examples.weights.map { [$0[row]] })
                let matrix = try NetworkCurvature(kind, of: subject.trained, over: one).explicit()
                largest = max(largest, spectralNorm(of: matrix))
                // Between the Frobenius norm and the sum of the singular values lies what may be told.
                let gaussNewton = try NetworkCurvature(.gaussNewton, of: subject.trained, over: one).explicit()
                traces = max(traces, trace(of: gaussNewton), matrix.elements.reduce(0) { $0 + $1 * $1 }.squareRoot())
                if kind == .empiricalFisher { traces = max(0, trace(of: matrix), traces) }
            }
            #expect(bound > 0.9 * largest, "\(subject.testDescription)")
            #expect(bound < 2 * traces, "\(subject.testDescription)")
        }
    }

    /// ‖A‖₂ by power iteration on A².
    private func spectralNorm(of matrix: DenseMatrix) -> Double {
        var numbers = SeededNumbers(5)
        var x = (0..<matrix.rows).map { _ in numbers.normal() }
        var norm = 0.0
        for _ in 0..<30 {
            let y = matrix.times(x)
            let length = y.reduce(0) { $0 + $1 * $1 }.squareRoot()
            norm = length / x.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0 else { return 0 }
            x = y.map { $0 / length }
        }
        return norm
    }

    @Test("what the Gauss-Newton matrix misses is in a Hessian's trace")
    func beyondGaussNewton() throws {
        // Convex units of positive weight, and outputs far above their targets: H − G is positive, and most of H.
        let layers = """
            {"type": "linear", "in_features": 6, "out_features": 8}, {"type": "softplus"},
            {"type": "linear", "in_features": 8, "out_features": 1}
            """
        let random = try RandomNetwork("softplus", layers, loss: #"{"type": "mean_squared_error"}"#)
        let trained = TrainedNetwork(random.network, parameters: random.parameters.map { abs($0) })
        let examples = LabeledExamples(
            features: random.examples.features, targets: .values([Float](repeating: -50, count: random.examples.count)))
        let hessian = NetworkCurvature(.hessian, of: trained, over: examples)
        let exact = trace(of: try hessian.explicit())
        let gaussNewton = trace(of: try NetworkCurvature(.gaussNewton, of: trained, over: examples).explicit())
        #expect(exact > 2 * gaussNewton)
        let size = try hessian.measure(parallel: parallel, interruption: .never)
        #expect(abs(size.trace - exact) < 0.3 * (exact - gaussNewton))
    }

    @Test("of more examples than are looked at the size is that of those, evenly spread")
    func sample() throws {
        let layers =
            #"{"type": "linear", "in_features": 4, "out_features": 3}, {"type": "tanh"}, {"type": "linear", "in_features": 3, "out_features": 2}"#
        let subject = try RandomNetwork("many examples", layers, count: 3000)
        for kind in [CurvatureKind.gaussNewton, .empiricalFisher] {
            let curvature = curvature(kind, subject)
            let size = try curvature.measure(parallel: parallel, interruption: .never)
            let exact = try curvature.diagonal(parallel: parallel).values.reduce(0.0) { $0 + Double($1) }
            #expect(abs(size.trace - exact) < 0.1 * exact)
            #expect(size.trace != exact)
        }
    }

    @Test("a single probe, which would know no error, is a programmer's error")
    func probes() async {
        await #expect(processExitsWith: .failure) {
            let subject = try RandomNetwork.all()[0]
            _ = try NetworkCurvature(.hessian, of: subject.trained, over: subject.examples)
                .diagonal(probes: 1, parallel: Parallel(threads: 1))
        }
    }
}

extension Targets {
    /// Those of some examples.
    func chosen(_ rows: [Int]) -> Targets {
        switch self {
        case .labels(let labels): .labels(rows.map { labels[$0] })
        case .values(let values): .values(rows.map { values[$0] })
        }
    }
}
