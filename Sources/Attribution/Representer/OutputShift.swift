internal import Foundation
internal import LinearAlgebra
internal import Networks

/// How far a retrained last layer's outputs are from the model's on the training examples: representer points explain the retrained layer,
/// and the model no better than the two agree ("a model different from the original one", TracIn, appendix A.2).
///
/// Changes are of probabilities where the loss knows them, of a class each or of the label 1; of outputs otherwise.
public struct OutputShift: Sendable, Equatable {
    /// The share of examples whose predicted label is another; nil where the loss predicts no labels.
    public let changedLabels: Double?
    /// The mean of |Δ| over all examples and outputs.
    public let meanChange: Double
    /// The largest |Δ|.
    public let largestChange: Double
    /// Pearson's correlation of all outputs before and after; nil where either are all equal.
    public let correlation: Double?

    init(changedLabels: Double?, meanChange: Double, largestChange: Double, correlation: Double?) {
        self.changedLabels = changedLabels
        self.meanChange = meanChange
        self.largestChange = largestChange
        self.correlation = correlation
    }

    /// What two layers make of the same features, of at least one example.
    /// - Throws: `Interrupted`.
    init(
        from before: TrainedNetwork, to after: TrainedNetwork, on features: FeatureRows, parallel: Parallel,
        interruption: Interruption
    ) throws {
        let (a, b) = (
            try before.outputs(of: features, parallel: parallel, interruption: interruption),
            try after.outputs(of: features, parallel: parallel, interruption: interruption)
        )
        let width = before.network.outputWidth
        let loss = before.network.loss
        var pace = PacedInterruption(interruption)
        var moments = Moments()
        var (changed, sum, largest) = (0, 0.0, 0.0)
        for row in 0..<features.count {
            try pace.check(after: 200 * width)
            let (x, y) = (a.start + row * width, b.start + row * width)
            for c in 0..<width { moments.add(Double(x[c]), Double(y[c])) }
            if Self.label(x, width, loss) != Self.label(y, width, loss) { changed += 1 }
            let (p, q) = (Self.numbers(x, width, loss), Self.numbers(y, width, loss))
            for (p, q) in zip(p, q) {
                sum += abs(p - q)
                largest = max(largest, abs(p - q))
            }
        }
        changedLabels = Self.label(a.start, width, loss) == nil ? nil : Double(changed) / Double(features.count)
        meanChange = sum / Double(features.count * width)
        largestChange = largest
        correlation = moments.correlation
    }

    /// The predicted label: the likeliest class, or the side of zero that an output is on; nil for numbers.
    private static func label(_ outputs: UnsafePointer<Float>, _ width: Int, _ loss: LossSpec) -> Int? {
        switch loss {
        case .crossEntropy: (1..<width).reduce(0) { outputs[$1] > outputs[$0] ? $1 : $0 }
        case .binaryCrossEntropy, .smoothHinge: outputs[0] > 0 ? 1 : 0
        case .meanSquaredError: nil
        }
    }

    /// Probabilities or outputs, in double precision.
    private static func numbers(_ outputs: UnsafePointer<Float>, _ width: Int, _ loss: LossSpec) -> [Double] {
        switch loss {
        case .crossEntropy:
            let top = Double((1..<width).reduce(outputs[0]) { max($0, outputs[$1]) })
            let powers = (0..<width).map { exp(Double(outputs[$0]) - top) }
            let total = powers.reduce(0, +)
            return powers.map { $0 / total }
        case .binaryCrossEntropy: return [1 / (1 + exp(-Double(outputs[0])))]
        case .meanSquaredError, .smoothHinge: return [Double(outputs[0])]
        }
    }

    /// What Pearson's correlation is made of, by Welford's updates.
    private struct Moments {
        private var count = 0.0
        private var (meanX, meanY, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)

        mutating func add(_ x: Double, _ y: Double) {
            count += 1
            let (dx, dy) = (x - meanX, y - meanY)
            meanX += dx / count
            meanY += dy / count
            xx += dx * (x - meanX)
            yy += dy * (y - meanY)
            xy += dx * (y - meanY)
        }

        var correlation: Double? { xx > 0 && yy > 0 ? min(1, max(-1, xy / (xx * yy).squareRoot())) : nil }
    }
}
