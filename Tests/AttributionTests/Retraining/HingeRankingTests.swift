import Attribution
import Foundation
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// RelatIF's appendix F: on a soft-margin support vector machine influence ranks support vectors by yᵢ·y_test·K(xᵢ, x_test) and is zero
/// elsewhere; RelatIF divides by √K(xᵢ, xᵢ).
///
/// The hinge has no curvature away from its kink, so that C + λI = weight_decay·I there. The examples keep their distance from the kink
/// (an example that lies on it has a curvature of 1/temperature, and the formula leaves it out): some well within the margin, all others
/// well beyond it. The machine is the smooth hinge's as the temperature falls.
@Suite("influence on support vector machines")
struct HingeRankingTests {
    private static let (inside, beyond, width) = (24, 16, 6)
    private static let parallel = Parallel(threads: 2)
    private static let weightDecay = 0.5

    /// Examples within the margin first.
    private let inputs: [[Double]]
    private let labels: [Double]
    private let tests: [[Double]]
    private let testLabels: [Double]

    init() {
        var numbers = SeededNumbers(8)
        let axis = (0..<Self.width).map { $0 == 0 ? 1.0 : 0 }
        func point(at distance: Double) -> ([Double], Double) {
            let label = numbers.uniform() < 0.5 ? 1.0 : -1
            let noise = (0..<Self.width).map { $0 == 0 ? 0 : 0.3 * numbers.normal() }
            return (zip(axis, noise).map { label * distance * $0 + $1 }, label)
        }
        let examples =
            (0..<Self.inside).map { _ in point(at: 0.4 + 0.4 * numbers.uniform()) }
            + (0..<Self.beyond).map { _ in point(at: 4 + 2 * numbers.uniform()) }
        let subjects = (0..<8).map { _ in point(at: 0.1 + 0.5 * numbers.uniform()) }
        (inputs, labels) = (examples.map(\.0), examples.map(\.1))
        (tests, testLabels) = (subjects.map(\.0), subjects.map(\.1))
    }

    private var n: Int { inputs.count }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The minimum of (1/n) Σ ℓ + (weight_decay/2)·‖w‖² under the smooth hinge, by Newton's method from the machine of the examples
    /// within the margin, w = Σ yᵢxᵢ / (weight_decay·n).
    private func trained(_ temperature: Double) -> [Double] {
        var w = (0..<Self.width).map { j in
            (0..<Self.inside).reduce(0) { $0 + labels[$1] * inputs[$1][j] } / (Self.weightDecay * Double(n))
        }
        for _ in 0..<50 {
            var gradient = w.map { Self.weightDecay * $0 }
            var hessian = DenseMatrix(diagonal: [Double](repeating: Self.weightDecay, count: Self.width))
            for i in 0..<n {
                let sigma = 1 / (1 + exp(-(1 - labels[i] * Self.dot(w, inputs[i])) / temperature))
                for j in 0..<Self.width {
                    gradient[j] -= labels[i] * sigma * inputs[i][j] / Double(n)
                    for k in 0..<Self.width {
                        hessian[j, k] += sigma * (1 - sigma) / temperature * inputs[i][j] * inputs[i][k] / Double(n)
                    }
                }
            }
            for (j, step) in hessian.solved(for: gradient).enumerated() { w[j] -= step }
        }
        return w
    }

    private func network(_ temperature: Double, _ w: [Double]) throws -> TrainedNetwork {
        let layer = LayerSpec(.linear(inFeatures: Self.width, outFeatures: 1, bias: false))
        let spec = ModelSpec(layers: [layer], loss: .smoothHinge(temperature: temperature), weightDecay: Self.weightDecay)
        return TrainedNetwork(try Network(spec), parameters: w.map { Float($0) })
    }

    private static func examples(_ inputs: [[Double]], _ labels: [Double]) -> LabeledExamples {
        LabeledExamples(
            features: FeatureRows(inputs.flatMap { $0.map { Float($0) } }, width: width),
            targets: .values(labels.map { Float($0) }))
    }

    /// Scores of all examples for each test, and RelatIF's two denominators.
    private func influence(_ temperature: Double) throws -> (scores: [[Double]], theta: [Double], loss: [Double]) {
        let network = try network(temperature, trained(temperature))
        let training = Self.examples(inputs, labels)
        let system = DampedCurvature(NetworkCurvature(.hessian, of: network, over: training), shift: Self.weightDecay)
        let solver = try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: Self.parallel)
        func solved(_ sides: [Float]) throws -> [Float] {
            try solver.solve(sides, count: sides.count / Self.width, in: system, parallel: Self.parallel).vectors
        }
        let subjects = Self.examples(tests, testLabels)
        let directions = try solved(network.gradients(of: 0..<tests.count, in: subjects))
        let scores = try NetworkGradients(model: network, examples: training).scores(along: directions, parallel: Self.parallel)
        let own = try network.gradients(of: 0..<n, in: training)
        let images = try solved(own)
        let rows = (0..<n).map { $0 * Self.width..<($0 + 1) * Self.width }
        return (
            tests.indices.map { scores[$0].map { Double($0) } }, rows.map { Vectors.norm(Array(images[$0])) },
            rows.map { Vectors.dot(Array(images[$0]), Array(own[$0])).squareRoot() }
        )
    }

    private static func order(_ values: [Double]) -> [Int] { values.indices.sorted { values[$0] > values[$1] } }

    @Test("every example is as far from the kink as this test needs, and so are the tests")
    func margins() {
        let w = trained(0.01)
        for i in 0..<n {
            let margin = labels[i] * Self.dot(w, inputs[i])
            #expect(i < Self.inside ? margin < 0.75 : margin > 1.5, "\(i)")
        }
        for (x, y) in zip(tests, testLabels) { #expect(y * Self.dot(w, x) < 0.75) }
    }

    @Test("as the temperature falls examples beyond the margin get zero, and scores near y·y_test·K/weight_decay elsewhere")
    func scores() throws {
        let kernel = zip(tests, testLabels).map { x, y in
            (0..<n).map { i in i < Self.inside ? labels[i] * y * Self.dot(inputs[i], x) / Self.weightDecay : 0 }
        }
        var (distances, outside): ([Double], [Double]) = ([], [])
        for temperature in [0.3, 0.1, 0.03, 0.01, 0.003] {
            let scores = try influence(temperature).scores
            distances.append(Closeness.relativeDistance(scores.flatMap { $0 }, kernel.flatMap { $0 }))
            outside.append(scores.flatMap { $0[Self.inside...] }.map { abs($0) }.max() ?? .nan)
        }
        print(
            "smooth hinge as the temperature falls: distance from the machine's scores \(distances.map(brief)), beyond the margin \(outside.map(brief))"
        )
        #expect(zip(distances, distances.dropFirst()).allSatisfy { $0 >= $1 })
        #expect(zip(outside, outside.dropFirst()).allSatisfy { $0 > $1 || $0 == 0 })
        #expect(distances[4] < 1e-5 && outside[4] == 0)
        for (test, scores) in try influence(0.003).scores.enumerated() {
            #expect(Self.order(Array(scores[..<Self.inside])) == Self.order(Array(kernel[test][..<Self.inside])))
        }
    }

    @Test("RelatIF ranks support vectors by y·y_test·K over the length of xᵢ, both ways")
    func relative() throws {
        let (scores, theta, loss) = try influence(0.003)
        for (test, (x, y)) in zip(tests, testLabels).enumerated() {
            let expected = (0..<Self.inside).map { i in
                labels[i] * y * Self.dot(inputs[i], x) / Self.dot(inputs[i], inputs[i]).squareRoot()
            }
            for denominators in [theta, loss] {
                let relative = (0..<Self.inside).map { scores[test][$0] / denominators[$0] }
                #expect(Self.order(relative) == Self.order(expected))
            }
        }
        // Without a gradient there is nothing to be relative to.
        #expect(theta[Self.inside...].allSatisfy { $0 == 0 } && loss[Self.inside...].allSatisfy { $0 == 0 })
    }
}
