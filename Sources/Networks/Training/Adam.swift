internal import Foundation
internal import LinearAlgebra

/// Adam (Kingma & Ba 2015, algorithm 1), by PyTorch's convention (`torch.optim.Adam`):
///
///     m ← β₁·m + (1 − β₁)·∇F,   v ← β₂·v + (1 − β₂)·∇F²
///     θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
///
/// Weight decay is part of ∇F: the L2 term of the objective, not the decoupled decay of AdamW.
public struct Adam: Sendable, Hashable {
    /// η in the first epoch.
    public var learningRate: Double
    /// β₁: how much of the first moment stays.
    public var beta1: Double
    /// β₂: how much of the second moment stays.
    public var beta2: Double
    /// ε: what keeps the division finite.
    public var epsilon: Double
    /// How η changes.
    public var schedule: LearningRateSchedule

    /// Settings, which `TrainingSettings.validate()` checks.
    public init(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        schedule: LearningRateSchedule = .constant
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.schedule = schedule
    }

    func validate() throws(TrainingError) {
        try TrainingError.require(rate: learningRate)
        try TrainingError.require(beta1 >= 0 && beta1 < 1, "betas[0]", "\(beta1) is not at least 0 and below 1; 0.9 is common")
        try TrainingError.require(beta2 >= 0 && beta2 < 1, "betas[1]", "\(beta2) is not at least 0 and below 1; 0.999 is common")
        try TrainingError.require(
            epsilon > 0 && Float(epsilon).isNormal, "eps",
            "\(epsilon) is not a positive number of single precision; 1e-8 is common")
        try schedule.validate(for: learningRate)
    }
}

/// m and v.
struct AdamMemory: OptimizerMemory {
    let settings: Adam
    var first: [Float]
    var second: [Float]
    let patience: Int? = nil

    init(_ settings: Adam, dimension: Int) {
        self.settings = settings
        first = [Float](repeating: 0, count: dimension)
        second = first
    }

    mutating func step(_ point: inout TrainingPoint, rate: Double, number: Int, on landscape: Landscape) throws -> StepResult {
        let (beta1, beta2, epsilon) = (Float(settings.beta1), Float(settings.beta2), Float(settings.epsilon))
        let (share1, share2) = (Float(1 - settings.beta1), Float(1 - settings.beta2))
        // The corrections for the zeros that the moments began with.
        let stepSize = Float(rate / (1 - pow(settings.beta1, Double(number))))
        let root = Float((1 - pow(settings.beta2, Double(number))).squareRoot())
        let count = point.parameters.count
        try point.parameters.withUnsafeMutableBufferPointer { parameters in
            try point.gradient.withUnsafeBufferPointer { gradient in
                try first.withUnsafeMutableBufferPointer { first in
                    try second.withUnsafeMutableBufferPointer { second in
                        nonisolated(unsafe) let (theta, g, m, v) = (
                            parameters.baseAddress!, gradient.baseAddress!, first.baseAddress!, second.baseAddress!
                        )
                        try landscape.parallel.forEachRange(of: count) { range in
                            for i in range {
                                m[i] = beta1 * m[i] + share1 * g[i]
                                v[i] = beta2 * v[i] + share2 * g[i] * g[i]
                                theta[i] -= stepSize * m[i] / (v[i].squareRoot() / root + epsilon)
                            }
                        }
                    }
                }
            }
        }
        return .moved
    }

    /// The square of a gradient can overflow, after which its parameter stays where it is for ever.
    var isFinite: Bool { Vectors.norm(second).isFinite }

    func encode(to writer: inout TrainingWriter) {
        writer.write(first)
        writer.write(second)
    }

    mutating func decode(from reader: inout TrainingReader) throws(TrainingError) {
        first = try reader.readFloats(first.count, "the first moments")
        second = try reader.readFloats(second.count, "the second moments")
        guard second.allSatisfy({ $0 >= 0 }) else { throw .damaged(reason: "a second moment is negative") }
    }
}
