import Attribution
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("a last layer trained again")
struct RetrainedLayerTests {
    private let parallel = Parallel(threads: 2)

    @Test("squared errors: θ* is that of ridge regression")
    func ridge() throws {
        let problem = try RepresenterProblem(RepresenterProblem.linear(4, 1), loss: #""mean_squared_error""#, weighted: true)
        let (hidden, layer, _) = try problem.points()
        // (2/n) H̃ᵀWH̃ + λI and (2/n) H̃ᵀWy.
        let rows = (0..<hidden.count).map { hidden.features.values(of: $0).map { Double($0) } + [1] }
        var (matrix, side) = (DenseMatrix(diagonal: [Double](repeating: layer.decay, count: 5)), [Double](repeating: 0, count: 5))
        for (example, row) in rows.enumerated() {
            let factor = 2 * Double(hidden.weights?[example] ?? 1) / Double(hidden.count)
            for i in 0..<5 {
                side[i] += factor * row[i] * hidden.targets.number(example)
                for j in 0..<5 { matrix[i, j] += factor * row[i] * row[j] }
            }
        }
        #expect(Closeness.relativeDistance(layer.network.parameters, matrix.solved(for: side)) < 1e-5)
    }

    @Test("∇ at θ* is small beside an example's part, in double precision too", arguments: try RepresenterProblem.all())
    func stationarity(problem: RepresenterProblem) throws {
        let (hidden, layer, points) = try problem.points()
        let n = Double(hidden.count)
        var gradient = layer.network.parameters.map { layer.decay * Double($0) }
        let (width, count) = (hidden.features.width, points.outputCount)
        var squares = 0.0
        for example in 0..<hidden.count {
            let h = hidden.features.values(of: example)
            for c in 0..<count {
                let r = -points.coefficients(of: example)[c] * layer.decay * n
                for j in 0..<width { gradient[c * width + j] += r * Double(h[j]) / n }
                if layer.hasBias { gradient[count * width + c] += r / n }
                squares += r * r * h.reduce(layer.hasBias ? 1 : 0) { $0 + Double($1) * Double($1) }
            }
        }
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let example = (squares / n).squareRoot() / n
        #expect(norm < 0.011 * example)
        #expect(abs(norm - layer.gradientNorm) < 0.001 * example)
    }

    @Test("from θ* nothing moves, and outputs stay what they were")
    func again() throws {
        let problem = try RepresenterProblem.all()[2]
        let (hidden, layer, _) = try problem.points()
        let twice = try RetrainedLayer(of: layer.network, on: hidden, parallel: parallel)
        #expect(twice.steps == 0)
        #expect(twice.network.parameters == layer.network.parameters)
        #expect(twice.shift.changedLabels == 0 && twice.shift.meanChange == 0 && twice.shift.largestChange == 0)
        #expect((twice.shift.correlation ?? 0) > 1 - 1e-12)
        #expect(layer.steps > 0 && layer.shift.largestChange > 0)
    }

    @Test("the shift compares what both layers say of every example", arguments: try RepresenterProblem.all())
    func shift(problem: RepresenterProblem) throws {
        let (hidden, layer, _) = try problem.points()
        let loss = layer.network.network.loss
        let before = try problem.model.outputs(of: problem.examples.features).copy.map { Double($0) }
        let count = layer.network.network.outputWidth
        let after = (0..<hidden.count).flatMap { layer.outputs(hidden.features.values(of: $0)) }
        func numbers(_ outputs: [Double]) -> [Double] {
            switch loss {
            case .crossEntropy:
                let powers = outputs.map { exp($0) }
                return powers.map { $0 / powers.reduce(0, +) }
            case .binaryCrossEntropy: return outputs.map { 1 / (1 + exp(-$0)) }
            case .meanSquaredError, .smoothHinge: return outputs
            }
        }
        func label(_ outputs: [Double]) -> Int {
            count == 1 ? (outputs[0] > 0 ? 1 : 0) : outputs.firstIndex(of: outputs.max() ?? 0) ?? -1
        }
        let rows = (0..<hidden.count).map { $0 * count..<($0 + 1) * count }
        let changes = rows.flatMap { row in
            zip(numbers(Array(before[row])), numbers(Array(after[row]))).map { abs($0 - $1) }
        }
        #expect(abs(layer.shift.meanChange - changes.reduce(0, +) / Double(changes.count)) < 1e-5)
        #expect(abs(layer.shift.largestChange - (changes.max() ?? 0)) < 1e-5)
        #expect(abs((layer.shift.correlation ?? .nan) - Closeness.pearson(before, after)) < 1e-5)
        if loss == .meanSquaredError {
            #expect(layer.shift.changedLabels == nil)
        } else {
            let changed = rows.count { label(Array(before[$0])) != label(Array(after[$0])) }
            #expect(layer.shift.changedLabels == Double(changed) / Double(rows.count))
        }
    }

    @Test("a frozen last layer gives the same points as a trained one")
    func frozen() throws {
        let head = RepresenterProblem.linear(6, 5) + #", {"type": "tanh"}, "#
        let trained = try RepresenterProblem(head + RepresenterProblem.linear(5, 3), loss: #""cross_entropy""#)
        let frozen = try RepresenterProblem(
            head + RepresenterProblem.linear(5, 3, more: #", "trainable": false"#), loss: #""cross_entropy""#)
        let theta = trained.model.parameters
        let model = TrainedNetwork(frozen.model.network, parameters: Array(theta.prefix(35)), fixed: Array(theta.dropFirst(35)))
        let hidden = try RetrainedLayer.hidden(of: trained.examples, in: model, parallel: parallel)
        let layer = try RetrainedLayer(of: model, on: hidden, parallel: parallel)
        #expect(try layer.network.parameters == trained.points().layer.network.parameters)
    }

    @Test("the weight decay is the model's unless one is given, and one is needed")
    func decay() throws {
        let problem = try RepresenterProblem(RepresenterProblem.linear(4, 3), loss: #""cross_entropy""#, decay: 0)
        #expect(throws: RepresenterError.noDecay) { try problem.points() }
        let layer = try RetrainedLayer(
            of: problem.model, on: problem.examples, RetrainedLayer.Settings(decay: 0.5), parallel: parallel)
        #expect(layer.decay == 0.5)
        for decay in [0, -1, .nan, .infinity, 1e-60, 1e60] {
            #expect {
                try RetrainedLayer(
                    of: problem.model, on: problem.examples, RetrainedLayer.Settings(decay: decay), parallel: parallel)
            } throws: {
                if case .invalidDecay = $0 as? RepresenterError { true } else { false }
            }
        }
        // Nor is a model's own one that no single-precision number is the reciprocal of.
        let tiny = try RepresenterProblem(RepresenterProblem.linear(4, 1), loss: #""mean_squared_error""#, decay: 1e-40)
        #expect(throws: RepresenterError.invalidDecay(1e-40)) { try tiny.points() }
    }

    @Test(
        "a network that does not end in a linear layer is refused, and told why",
        arguments: [
            (RepresenterProblem.linear(4, 3) + #", {"type": "relu"}"#, "layer '1', an activation"),
            (
                #"{"type": "residual", "layers": [\#(RepresenterProblem.linear(3, 3))]}"#, "the end of a residual block"
            ),
            (
                #"{"type": "layer_norm", "normalized_shape": [2, 3]}, \#(RepresenterProblem.linear(3, 1)), {"type": "flatten"}"#,
                "applied to 2 rows"
            ),
        ])
    func refusals(layers: String, reason: String) throws {
        let problem = try RepresenterProblem(layers, loss: #""cross_entropy""#)
        #expect {
            try RetrainedLayer(of: problem.model, on: problem.examples, parallel: parallel)
        } throws: { error in
            guard case .lastLayer(let flaw) = error as? RepresenterError else { return false }
            return flaw.description.contains(reason) && "\(error)".contains(flaw.description)
        }
    }

    @Test("flattening and dropout behind the linear layer do nothing, and are allowed")
    func nothings() throws {
        let problem = try RepresenterProblem(
            RepresenterProblem.linear(4, 3) + #", {"type": "dropout"}, {"type": "flatten"}"#, loss: #""cross_entropy""#)
        #expect(try problem.points().layer.steps > 0)
    }

    @Test("too few steps, no examples and numbers that are not finite are errors that say so")
    func failures() throws {
        let problem = try RepresenterProblem(RepresenterProblem.linear(4, 3), loss: #""cross_entropy""#, decay: 1e-4, scale: 5)
        #expect {
            try RetrainedLayer(
                of: problem.model, on: problem.examples, RetrainedLayer.Settings(mostSteps: 1), parallel: parallel)
        } throws: {
            guard case .notStationary(let norm, let goal, 1, 1e-4, false) = $0 as? RepresenterError else { return false }
            return norm > goal && "\($0)".contains("more steps")
        }
        let none = LabeledExamples(features: FeatureRows([], width: 4), targets: .labels([]))
        #expect(throws: RepresenterError.noExamples) { try RetrainedLayer(of: problem.model, on: none, parallel: parallel) }
        for bad in [Float.nan, .infinity, 3e38] {
            let features = FeatureRows([bad, 1, 1, 1, 0, 1, 2, 3], width: 4)
            let examples = LabeledExamples(features: features, targets: .labels([0, 1]))
            #expect {
                try RetrainedLayer(of: problem.model, on: examples, parallel: parallel)
            } throws: {
                $0 is RepresenterError
            }
        }
        #expect(throws: Interrupted.self) {
            try RetrainedLayer(of: problem.model, on: problem.examples, parallel: parallel, interruption: Interruption { true })
        }
    }

    @Test("one example, and features of zeros, have points too")
    func small() throws {
        let problem = try RepresenterProblem(RepresenterProblem.linear(2, 2), loss: #""cross_entropy""#, count: 1)
        let (_, layer, points) = try problem.points()
        let direction = points.direction(ofOutput: 0, features: [0.5, -1])
        let value = try points.scores(along: direction, parallel: parallel)[0][0]
        #expect(abs(Double(value) - layer.outputs([0.5, -1])[0]) < 1e-4)
        let zeros = LabeledExamples(features: FeatureRows([0, 0, 0, 0], width: 2), targets: .labels([0, 1]))
        let nothing = try RetrainedLayer(of: problem.model, on: zeros, parallel: parallel)
        #expect(Vectors.norm(nothing.network.parameters) < 1e-2)
    }
}
