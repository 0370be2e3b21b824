internal import LinearAlgebra

/// Stochastic gradient descent with momentum, by PyTorch's convention (`torch.optim.SGD`, dampening 0):
///
///     v ← μ·v + ∇F,   θ ← θ − η·v,   or with Nesterov's momentum θ ← θ − η·(∇F + μ·v)
///
/// so that a change of η applies at once to everything gathered in v. Weight decay is part of ∇F.
public struct SGD: Sendable, Hashable {
    /// η in the first epoch.
    public var learningRate: Double
    /// μ.
    public var momentum: Double
    /// Whether the momentum is Nesterov's (Sutskever et al. 2013, equations 3 and 4, in PyTorch's variables).
    public var nesterov: Bool
    /// How η changes.
    public var schedule: LearningRateSchedule

    /// Settings, which `TrainingSettings.validate()` checks.
    public init(
        learningRate: Double, momentum: Double = 0, nesterov: Bool = false, schedule: LearningRateSchedule = .constant
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.schedule = schedule
    }

    func validate() throws(TrainingError) {
        try TrainingError.require(rate: learningRate)
        try TrainingError.require(
            momentum >= 0 && momentum < 1, "momentum", "\(momentum) is not at least 0 and below 1; 0.9 is common")
        try TrainingError.require(!nesterov || momentum > 0, "nesterov", "Nesterov's momentum needs a momentum above 0")
        try schedule.validate(for: learningRate)
    }
}

/// v.
struct SGDMemory: OptimizerMemory {
    let settings: SGD
    var velocity: [Float]
    let patience: Int? = nil

    init(_ settings: SGD, dimension: Int) {
        self.settings = settings
        velocity = [Float](repeating: 0, count: settings.momentum == 0 ? 0 : dimension)
    }

    mutating func step(_ point: inout TrainingPoint, rate: Double, number: Int, on landscape: Landscape) throws -> StepResult {
        let (rate, momentum, nesterov) = (Float(rate), Float(settings.momentum), settings.nesterov)
        let count = point.parameters.count
        try point.parameters.withUnsafeMutableBufferPointer { parameters in
            try point.gradient.withUnsafeBufferPointer { gradient in
                try velocity.withUnsafeMutableBufferPointer { velocity in
                    nonisolated(unsafe) let (theta, g, v) = (
                        parameters.baseAddress!, gradient.baseAddress!, momentum == 0 ? nil : velocity.baseAddress
                    )
                    try landscape.parallel.forEachRange(of: count) { range in
                        guard let v else {
                            for i in range { theta[i] -= rate * g[i] }
                            return
                        }
                        for i in range {
                            v[i] = momentum * v[i] + g[i]
                            theta[i] -= rate * (nesterov ? g[i] + momentum * v[i] : v[i])
                        }
                    }
                }
            }
        }
        return .moved
    }

    func encode(to writer: inout TrainingWriter) { writer.write(velocity) }

    mutating func decode(from reader: inout TrainingReader) throws(TrainingError) {
        velocity = try reader.readFloats(velocity.count, "the velocity")
    }
}
