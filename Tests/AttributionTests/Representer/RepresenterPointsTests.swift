import Attribution
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("representer points")
struct RepresenterPointsTests {
    private let parallel = Parallel(threads: 2)

    @Test("the values of all examples sum to each output of the retrained layer", arguments: try RepresenterProblem.all())
    func decomposition(problem: RepresenterProblem) throws {
        let (hidden, layer, points) = try problem.points()
        var numbers = SeededNumbers(8)
        let tests = (0..<5).map { _ in numbers.floats(hidden.features.width) }
        let outputs = points.outputCount
        let directions = tests.flatMap { h in (0..<outputs).flatMap { points.direction(ofOutput: $0, features: h) } }
        let scores = try points.scores(along: directions, parallel: parallel)
        let sums = (0..<scores.directionCount).map { scores[$0].reduce(0) { $0 + Double($1) } }
        let expected = tests.flatMap { layer.outputs($0) }
        #expect(layer.unattributed < 1e-5)
        #expect(Closeness.relativeDistance(sums, expected) < 2e-5)
    }

    @Test("a value is α_ic·(h̃ᵢ · h̃′) with αᵢ = −wᵢ·∂ℓᵢ/∂f/(λn), by its definition", arguments: try RepresenterProblem.all())
    func definition(problem: RepresenterProblem) throws {
        let (hidden, layer, points) = try problem.points()
        var numbers = SeededNumbers(9)
        let test = numbers.floats(hidden.features.width)
        let n = hidden.count
        let alphas = (0..<n).map { example in
            lossGradient(
                layer.outputs(hidden.features.values(of: example)), hidden.targets.number(example), layer.network.network.loss
            ).map { -$0 * Double(hidden.weights?[example] ?? 1) / (layer.decay * Double(n)) }
        }
        for c in 0..<points.outputCount {
            let values = try points.scores(along: points.direction(ofOutput: c, features: test), parallel: parallel)[0]
            let expected = (0..<n).map { example in
                let product = zip(hidden.features.values(of: example), test).reduce(layer.hasBias ? 1.0 : 0) {
                    $0 + Double($1.0) * Double($1.1)
                }
                return alphas[example][c] * product
            }
            #expect(Closeness.relativeDistance(values, expected) < 2e-5)
            #expect(Closeness.relativeDistance((0..<n).map { points.coefficients(of: $0)[c] }, alphas.map { $0[c] }) < 2e-5)
        }
    }

    /// ∂ℓ/∂f by the losses' formulas.
    private func lossGradient(_ f: [Double], _ target: Double, _ loss: LossSpec) -> [Double] {
        switch loss {
        case .crossEntropy(let smoothing):
            let total = f.reduce(0) { $0 + exp($1) }
            return f.indices.map {
                exp(f[$0]) / total - (1 - smoothing) * ($0 == Int(target) ? 1 : 0) - smoothing / Double(f.count)
            }
        case .binaryCrossEntropy: return [1 / (1 + exp(-f[0])) - target]
        case .meanSquaredError: return [2 * (f[0] - target)]
        case .smoothHinge(let temperature): return [-target / (1 + exp((target * f[0] - 1) / temperature))]
        }
    }

    @Test("along any direction scores are those of the layer's gradients", arguments: try RepresenterProblem.all())
    func gradients(problem: RepresenterProblem) throws {
        let (hidden, _, points) = try problem.points()
        let exact = NetworkGradients(model: points.network, examples: hidden)
        var numbers = SeededNumbers(10)
        var directions = numbers.floats(2 * points.dimension)
        directions += [Float](repeating: 0, count: points.dimension)
        let (ours, theirs) = (
            try points.scores(along: directions, parallel: parallel), try exact.scores(along: directions, parallel: parallel)
        )
        #expect(Closeness.relativeDistance(ours.values.copy, theirs.values.copy) < 1e-5)
        #expect(ours[2] == [Float](repeating: 0, count: hidden.count))
    }

    @Test("a value has the same bits beside any others, in any selection, on any number of threads")
    func bits() throws {
        for problem in try RepresenterProblem.all() {
            let (hidden, _, points) = try problem.points(threads: 1)
            let again = try problem.points(threads: 3).points
            var numbers = SeededNumbers(11)
            let test = numbers.floats(hidden.features.width)
            let own = points.direction(ofOutput: points.outputCount - 1, features: test)
            let alone = try points.scores(along: own, parallel: Parallel(threads: 1))[0]
            let others = numbers.floats(3 * points.dimension)
            #expect(try again.scores(along: others + own, parallel: Parallel(threads: 3))[3] == alone)
            let picked: [UInt32] = [7, 3, 59, 3, 0]
            #expect(
                try points.scores(of: .indices(picked), along: own + others, parallel: parallel)[0]
                    == picked.map { alone[Int($0)] })
        }
    }

    @Test("self-influence is what an example adds to its own label's output, and wrong labels have the most")
    func selfInfluence() throws {
        for problem in try RepresenterProblem.all() {
            let (hidden, layer, points) = try problem.points()
            let values = try points.selfInfluence(parallel: parallel)
            let expected = (0..<hidden.count).map { example in
                let h = hidden.features.values(of: example)
                let size = h.reduce(layer.hasBias ? 1.0 : 0) { $0 + Double($1) * Double($1) }
                let alpha = points.coefficients(of: example)
                if case .labels(let labels) = hidden.targets { return alpha[Int(labels[example])] * size }
                return abs(alpha[0]) * size
            }
            #expect(Closeness.relativeDistance(values, expected) < 1e-5)
        }
        // Two classes that x tells apart, and four labels of the other one.
        var numbers = SeededNumbers(12)
        let count = 80
        let flipped: Set<Int> = [3, 20, 41, 66]
        let features = (0..<count).flatMap { i in
            numbers.floats(3, scale: 0.3).enumerated().map { $1 + ($0 == 0 ? (i % 2 == 0 ? 1 : -1) : 0) }
        }
        let labels = (0..<count).map { Int32(flipped.contains($0) ? 1 - $0 % 2 : $0 % 2) }
        let problem = try RepresenterProblem(RepresenterProblem.linear(3, 2), loss: #""cross_entropy""#)
        let examples = LabeledExamples(features: FeatureRows(features, width: 3), targets: .labels(labels))
        let layer = try RetrainedLayer(of: problem.model, on: examples, parallel: parallel)
        let values = try RepresenterPoints(of: layer, on: examples, parallel: parallel).selfInfluence(parallel: parallel)
        #expect(Set(values.indices.sorted { values[$0] > values[$1] }.prefix(4)) == flipped)
    }

    @Test("targets of a single output are the same as integers and as other numbers")
    func integers() throws {
        let problems = try RepresenterProblem.all().compactMap { problem -> (RepresenterProblem, [Int32])? in
            guard case .values(let values) = problem.examples.targets else { return nil }
            let labels = values.compactMap { Int32(exactly: $0) }
            return labels.count == values.count ? (problem, labels) : nil
        }
        #expect(problems.count == 2)
        for (problem, labels) in problems {
            let (hidden, layer, points) = try problem.points()
            let labeled = LabeledExamples(features: hidden.features, targets: .labels(labels), weights: hidden.weights)
            let values = try RepresenterPoints(of: layer, on: labeled, parallel: parallel).selfInfluence(parallel: parallel)
            #expect(try values == points.selfInfluence(parallel: parallel))
        }
    }

    @Test("NaN in a direction is in every score, and zeros give zeros")
    func hostile() throws {
        let points = try RepresenterProblem.all()[0].points().points
        var direction = [Float](repeating: 0, count: points.dimension)
        direction[1] = .nan
        #expect(try points.scores(along: direction, parallel: parallel)[0].allSatisfy(\.isNaN))
        #expect(try points.scores(along: [], parallel: parallel).directionCount == 0)
        #expect(try points.scores(of: .indices([]), along: direction, parallel: parallel).rowCount == 0)
    }

    @Test("scores and self-influence are interrupted")
    func interruption() throws {
        let points = try RepresenterProblem.all()[0].points().points
        let direction = [Float](repeating: 1, count: points.dimension)
        #expect(throws: Interrupted.self) {
            try points.scores(of: .all, along: direction, parallel: parallel, interruption: Interruption { true })
        }
        let hidden = try RepresenterProblem.all()[0].points().hidden
        let layer = try RepresenterProblem.all()[0].points().layer
        #expect(throws: Interrupted.self) {
            try RepresenterPoints(of: layer, on: hidden, parallel: parallel, interruption: Interruption { true })
        }
    }
}
