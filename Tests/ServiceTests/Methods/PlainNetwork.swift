import Foundation
import TestSupport

/// A network of linear layers with tanh between them, computed by its definition in double precision: θ is each layer's W row by row and
/// then b, objectives are (1/n) Σ wᵢℓᵢ + (λ/2)‖θ‖².
struct PlainNetwork: Sendable {
    enum Loss: Sendable {
        case crossEntropy(smoothing: Double)
        case binaryCrossEntropy
        case smoothHinge(temperature: Double)
        case squaredError
    }

    let widths: [Int]
    let loss: Loss
    let theta: [Double]

    init(_ widths: [Int], _ loss: Loss, _ theta: [Float]) {
        (self.widths, self.loss, self.theta) = (widths, loss, theta.map(Double.init))
    }

    init(_ network: PlainNetwork, theta: [Double]) { (widths, loss, self.theta) = (network.widths, network.loss, theta) }

    static func parameterCount(_ widths: [Int]) -> Int { zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 } }

    // MARK: Forwards

    /// What each layer gets, and what the last puts out.
    func activations(_ x: [Double]) -> [[Double]] {
        var (all, next) = ([x], 0)
        for (layer, (inputs, outputs)) in zip(widths, widths.dropFirst()).enumerated() {
            let (w, b) = (next, next + inputs * outputs)
            next = b + outputs
            var z = (0..<outputs).map { o -> Double in
                (0..<inputs).reduce(theta[b + o]) { $0 + theta[w + o * inputs + $1] * all[layer][$1] }
            }
            if layer + 2 < widths.count { z = z.map { tanh($0) } }
            all.append(z)
        }
        return all
    }

    func outputs(_ x: [Double]) -> [Double] { activations(x).last ?? [] }

    // MARK: Backwards

    /// Jᵀu.
    func pullback(_ x: [Double], _ u: [Double]) -> [Double] {
        let all = activations(x)
        var (gradient, delta) = ([Double](repeating: 0, count: theta.count), u)
        var end = theta.count
        for layer in stride(from: widths.count - 2, through: 0, by: -1) {
            let (inputs, outputs) = (widths[layer], widths[layer + 1])
            let w = end - (inputs + 1) * outputs
            for o in 0..<outputs {
                for i in 0..<inputs { gradient[w + o * inputs + i] = delta[o] * all[layer][i] }
                gradient[w + inputs * outputs + o] = delta[o]
            }
            delta = (0..<inputs).map { i -> Double in
                let arriving = (0..<outputs).reduce(0.0) { $0 + delta[$1] * theta[w + $1 * inputs + i] }
                return arriving * (1 - all[layer][i] * all[layer][i])
            }
            end = w
        }
        return gradient
    }

    /// ∇ℓ.
    func gradient(_ x: [Double], _ y: Double) -> [Double] { pullback(x, slope(outputs(x), y)) }

    // MARK: Losses

    static func softmax(_ f: [Double]) -> [Double] {
        let largest = f.max() ?? 0
        let powers = f.map { exp($0 - largest) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    func value(_ f: [Double], _ y: Double) -> Double {
        switch loss {
        case .crossEntropy(let smoothing):
            let logs = Self.softmax(f).map { log($0) }
            return -(1 - smoothing) * logs[Int(y)] - smoothing / Double(f.count) * logs.reduce(0, +)
        case .binaryCrossEntropy: return log(1 + exp(f[0])) - y * f[0]
        case .smoothHinge(let t): return t * log(1 + exp((1 - y * f[0]) / t))
        case .squaredError: return (f[0] - y) * (f[0] - y)
        }
    }

    /// ∂ℓ/∂f.
    func slope(_ f: [Double], _ y: Double) -> [Double] {
        switch loss {
        case .crossEntropy(let smoothing):
            Self.softmax(f).enumerated().map { $1 - smoothing / Double(f.count) - ($0 == Int(y) ? 1 - smoothing : 0) }
        case .binaryCrossEntropy: [Self.sigmoid(f[0]) - y]
        case .smoothHinge(let t): [-y * Self.sigmoid((1 - y * f[0]) / t)]
        case .squaredError: [2 * (f[0] - y)]
        }
    }

    /// ∂²ℓ/∂f².
    private func bend(_ f: [Double], _ y: Double) -> [[Double]] {
        switch loss {
        case .crossEntropy:
            let p = Self.softmax(f)
            return p.indices.map { i in p.indices.map { j in (i == j ? p[i] : 0) - p[i] * p[j] } }
        case .binaryCrossEntropy:
            let p = Self.sigmoid(f[0])
            return [[p * (1 - p)]]
        case .smoothHinge(let t):
            let p = Self.sigmoid((1 - y * f[0]) / t)
            return [[p * (1 - p) * y * y / t]]
        case .squaredError: return [[2]]
        }
    }

    // MARK: Curvature

    /// (1/n) Σ wᵢ Jᵢᵀ(∂²ℓ/∂f²)Jᵢ + λI: of a network of one layer also the Hessian.
    func gaussNewton(_ data: PlainData, lambda: Double) -> DenseMatrix {
        mean(data, lambda) { x, y, weight, sum in
            let f = outputs(x)
            let rows = f.indices.map { c in pullback(x, f.indices.map { $0 == c ? 1 : 0 }) }
            for (c, line) in bend(f, y).enumerated() {
                for (d, number) in line.enumerated() { Self.add(weight * number, rows[c], rows[d], to: &sum) }
            }
        }
    }

    /// (1/n) Σ gᵢgᵢᵀ/wᵢ + λI with gᵢ = wᵢ∇ℓᵢ.
    func empiricalFisher(_ data: PlainData, lambda: Double) -> DenseMatrix {
        mean(data, lambda) { x, y, weight, sum in
            let g = gradient(x, y)
            Self.add(weight, g, g, to: &sum)
        }
    }

    /// ∇² of the mean loss by central differences of its gradient, + λI.
    func hessian(_ data: PlainData, lambda: Double) -> DenseMatrix {
        var matrix = DenseMatrix(rows: theta.count, columns: theta.count)
        for column in theta.indices {
            let sides = [-1e-5, 1e-5].map { step in
                var moved = theta
                moved[column] += step
                return data.meanGradient(PlainNetwork(self, theta: moved))
            }
            for row in theta.indices { matrix[row, column] = (sides[1][row] - sides[0][row]) / 2e-5 }
        }
        return matrix.plus(diagonal: lambda)
    }

    private func mean(
        _ data: PlainData, _ lambda: Double, _ add: ([Double], Double, Double, inout DenseMatrix) -> Void
    ) -> DenseMatrix {
        var sum = DenseMatrix(rows: theta.count, columns: theta.count)
        for i in data.inputs.indices { add(data.inputs[i], data.targets[i], data.weight(i) / Double(data.count), &sum) }
        return sum.plus(diagonal: lambda)
    }

    private static func add(_ factor: Double, _ a: [Double], _ b: [Double], to sum: inout DenseMatrix) {
        for i in a.indices { for j in b.indices { sum[i, j] += factor * a[i] * b[j] } }
    }
}

/// Examples in double precision.
struct PlainData: Sendable {
    let inputs: [[Double]]
    let targets: [Double]
    let weights: [Double]?

    var count: Int { inputs.count }

    func weight(_ i: Int) -> Double { weights?[i] ?? 1 }

    /// gᵢ = wᵢ∇ℓᵢ.
    func gradient(_ i: Int, _ network: PlainNetwork) -> [Double] {
        network.gradient(inputs[i], targets[i]).map { $0 * weight(i) }
    }

    func gradients(_ network: PlainNetwork) -> [[Double]] { inputs.indices.map { gradient($0, network) } }

    func meanGradient(_ network: PlainNetwork) -> [Double] {
        var sum = [Double](repeating: 0, count: network.theta.count)
        for g in gradients(network) { for i in sum.indices { sum[i] += g[i] / Double(count) } }
        return sum
    }

    /// The same without some examples, or the mean as of `count` ones.
    func without(_ removed: Set<Int>) -> PlainData {
        let kept = inputs.indices.filter { !removed.contains($0) }
        return PlainData(
            inputs: kept.map { inputs[$0] }, targets: kept.map { targets[$0] }, weights: weights.map { w in kept.map { w[$0] } })
    }

    /// The minimum of (1/n) Σ wᵢℓᵢ + (λ/2)‖θ‖² of a convex network by Newton's method with shorter steps where a whole one does not lower
    /// it, n being that of all even where some are removed.
    func trained(_ start: PlainNetwork, lambda: Double, of n: Int) -> PlainNetwork {
        var network = start
        let share = Double(count) / Double(n)
        func objective(_ network: PlainNetwork) -> Double {
            let losses = inputs.indices.map { weight($0) * network.value(network.outputs(inputs[$0]), targets[$0]) }
            return losses.reduce(0, +) / Double(n) + lambda / 2 * network.theta.dot(network.theta)
        }
        for _ in 0..<100 {
            let slope = zip(meanGradient(network), network.theta).map { $0 * share + lambda * $1 }
            // The data's part counts as much as there is left of it.
            let curvature = network.gaussNewton(self, lambda: lambda / share)
            let step = curvature.solved(for: slope.map { $0 / share })
            let before = objective(network)
            var (length, next) = (1.0, network)
            repeat {
                next = PlainNetwork(network, theta: zip(network.theta, step).map { $0 - length * $1 })
                length /= 2
            } while objective(next) > before && length > 1e-6
            network = next
            if step.allSatisfy({ abs($0) < 1e-13 }) { break }
        }
        return network
    }
}

extension [Double] {
    /// The inner product.
    func dot(_ other: [Double]) -> Double { zip(self, other).reduce(0) { $0 + $1.0 * $1.1 } }

    /// ‖·‖₂.
    var norm: Double { dot(self).squareRoot() }
}
