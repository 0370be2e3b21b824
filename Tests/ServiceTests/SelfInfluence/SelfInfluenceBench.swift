import Foundation
import JSON
import LinearAlgebra
import Networks
import Store
import TestSupport
import Testing

@testable import Service

extension Engine {
    /// The answer to a request about self-influence of the benches' model, with further members.
    func selfInfluence(_ model: String, _ members: JSONObject = [:], interruption: Interruption = .never) throws
        -> SelfInfluenceAnswer
    {
        let body = members.reduce(into: ["model": .string(model), "k": 100] as JSONObject) { $0[$1.0] = $1.1 }
        return try selfInfluence(SelfInfluenceRequest(.object(body), limits: Question.limits), interruption: interruption)
    }
}

extension JSONObject {
    /// The same with another value of a member.
    func setting(_ key: String, _ value: JSON) -> JSONObject {
        var members = self
        members[key] = value
        return members
    }
}

extension SelfInfluenceAnswer {
    var shown: JSON { json(id: "a", queueMilliseconds: 0, totalMilliseconds: 0) }

    /// All but the time it took.
    var lasting: String {
        var members = shown.objectValue ?? [:]
        members["timing"] = nil
        return JSON.object(members).text
    }

    var scores: [Double] { influence.scores }
}

/// What the small softmax regression's gradients and Hessian are by their formulas, in double precision.
struct SoftmaxReference {
    let inputs: [[Double]]
    let labels: [Int]
    /// W, b.
    let parameters: [Double]

    init(_ model: LoadedModel) throws {
        let network = try model.network(at: "")
        guard case .labels(let labels) = network.examples.targets else { throw Problem.internalError }
        self.labels = labels.map { Int($0) }
        inputs = (0..<labels.count).map { network.examples.features.values(of: $0).map { Double($0) } }
        parameters = network.trained.parameters.map { Double($0) }
    }

    private var width: Int { EngineBench.width }
    private var classes: Int { EngineBench.classes }

    func probabilities(_ example: Int) -> [Double] {
        let outputs = (0..<classes).map { c in
            (0..<width).reduce(parameters[classes * width + c]) { $0 + parameters[c * width + $1] * inputs[example][$1] }
        }
        return Self.softmax(outputs)
    }

    private static func softmax(_ outputs: [Double]) -> [Double] {
        let powers = outputs.map { exp($0 - (outputs.max() ?? 0)) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    /// A class's row of weights after another, then biases.
    private func spread(_ residual: [Double], _ example: Int) -> [Double] {
        residual.flatMap { r in inputs[example].map { r * $0 } } + residual
    }

    /// gᵢ = (p − e_y) ⊗ x̃.
    func gradient(_ example: Int) -> [Double] {
        var residual = probabilities(example)
        residual[labels[example]] -= 1
        return spread(residual, example)
    }

    func squaredNorm(_ example: Int) -> Double { gradient(example).reduce(0) { $0 + $1 * $1 } }

    /// (1/n) Σ (diag p − ppᵀ) ⊗ x̃x̃ᵀ, without weight decay.
    var hessian: DenseMatrix {
        let order = classes * (width + 1)
        var sum = DenseMatrix(rows: order, columns: order)
        for example in inputs.indices {
            let p = probabilities(example)
            for c in 0..<classes {
                // Of a direction that moves output c alone.
                let column = (0..<classes).map { p[$0] * (($0 == c ? 1 : 0) - p[c]) / Double(inputs.count) }
                let image = spread(column, example)
                for row in 0..<order {
                    for j in 0..<width { sum[row, c * width + j] += image[row] * inputs[example][j] }
                    sum[row, classes * width + c] += image[row]
                }
            }
        }
        return sum
    }

    /// (1/n) Σ gᵢgᵢᵀ.
    var fisher: DenseMatrix {
        let order = classes * (width + 1)
        var sum = DenseMatrix(rows: order, columns: order)
        for example in inputs.indices {
            let g = gradient(example)
            for i in 0..<order { for j in 0..<order { sum[i, j] += g[i] * g[j] / Double(inputs.count) } }
        }
        return sum
    }

    /// gᵢ·(C + λI)⁻¹gᵢ of all examples.
    func selfInfluence(_ curvature: DenseMatrix, lambda: Double) -> [Double] {
        let damped = curvature.plus(diagonal: lambda)
        return inputs.indices.map { example in
            let g = gradient(example)
            return zip(g, damped.solved(for: g)).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }
}
