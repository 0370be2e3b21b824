import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Koh & Liang's smooth hinge against the hinge it is an approximation of.
@Suite("smooth hinge")
struct SmoothHingeTests {
    private let layers =
        #"{"type": "linear", "in_features": 4, "out_features": 3}, {"type": "tanh"}, {"type": "linear", "in_features": 3, "out_features": 1}"#

    private func subject(_ temperature: Double) throws -> RandomNetwork {
        try RandomNetwork(
            "hinge", layers, loss: #"{"type": "smooth_hinge", "temperature": \#(temperature)}"#, count: 60)
    }

    /// The margin y·z of each example, and ∇z.
    private func margins(_ subject: RandomNetwork) throws -> (margins: [Double], slopes: [[Double]]) {
        let outputs = try subject.trained.outputs(of: subject.examples.features).copy
        let margins = outputs.indices.map { subject.examples.targets.number($0) * Double(outputs[$0]) }
        // ∇(z − t)² = 2(z − t)∇z.
        let square = try RandomNetwork("square", layers, loss: #"{"type": "mean_squared_error"}"#, count: 60)
        let trained = TrainedNetwork(square.network, parameters: subject.parameters)
        let examples = LabeledExamples(
            features: subject.examples.features, targets: .values(outputs.map { $0 - 0.5 }))
        return (margins, try trained.gradientRows(of: examples))
    }

    @Test("as the temperature falls the loss nears max(0, 1 − y·z), and is never further above it than t·log 2")
    func losses() throws {
        var last = Double.infinity
        for temperature in [1, 0.1, 0.01, 1e-3, 1e-6] {
            let subject = try subject(temperature)
            let outputs = try subject.trained.outputs(of: subject.examples.features)
            let (margins, _) = try margins(subject)
            var largest = 0.0
            for (example, margin) in margins.enumerated() {
                let loss = subject.trained.loss(
                    outputs: outputs.start + example, target: subject.examples.targets.number(example))
                let excess = loss - max(0, 1 - margin)
                #expect(excess >= 0 && excess <= temperature * 0.6932)
                largest = max(largest, excess)
            }
            #expect(largest < last)
            last = largest
        }
        #expect(last < 1e-6)
    }

    @Test("as the temperature falls gradients and scores near the hinge's: −y∇z for margins below 1, nothing above")
    func scores() throws {
        let subject = try subject(1)
        let (margins, slopes) = try margins(subject)
        var numbers = SeededNumbers(3)
        let direction = numbers.floats(slopes[0].count)
        let expected = margins.indices.map { example in
            margins[example] > 1
                ? 0
                : -subject.examples.targets.number(example)
                    * slopes[example].indices.reduce(0.0) { $0 + slopes[example][$1] * Double(direction[$1]) }
        }
        var last = Double.infinity
        for temperature in [1, 0.1, 0.01, 1e-3, 1e-6] {
            let subject = try self.subject(temperature)
            let scores = try subject.trained.scores(
                of: .range(0..<60), in: subject.examples, along: direction, parallel: Parallel(threads: 1)
            ).copy
            let distance = Closeness.relativeDistance(scores, expected)
            #expect(distance < last)
            last = distance
        }
        #expect(last < 1e-5)
    }

    @Test("outputs of any size and the smallest temperature give finite losses, gradients and curvatures")
    func extreme() throws {
        let linear = try RandomNetwork(
            "hinge", #"{"type": "linear", "in_features": 1, "out_features": 1, "bias": false}"#,
            loss: #"{"type": "smooth_hinge", "temperature": 1e-6}"#)
        let examples = LabeledExamples(
            features: FeatureRows([1e6, -1e6, 1, 0, 1e30], width: 1), targets: .values([1, 1, 1, -1, -1]))
        let trained = TrainedNetwork(linear.network, parameters: [1])
        let gradients = try trained.gradients(of: 0..<5, in: examples)
        #expect(gradients[0] == 0 && gradients[1] == 1e6 && abs(gradients[2] + 0.5) < 1e-6)
        #expect(gradients.allSatisfy { $0.isFinite })
        let outputs = try trained.outputs(of: examples.features)
        #expect((0..<5).allSatisfy { trained.loss(outputs: outputs.start + $0, target: examples.targets.number($0)).isFinite })
        for kind in CurvatureKind.allCases {
            let few = LabeledExamples(features: FeatureRows([1e6, -1e6, 1, 0], width: 1), targets: .values([1, 1, 1, -1]))
            #expect(try NetworkCurvature(kind, of: trained, over: few).products(of: [1]).allSatisfy { $0.isFinite })
        }
    }
}
