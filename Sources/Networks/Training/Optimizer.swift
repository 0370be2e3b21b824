/// How a run gets from one θ to the next, with its settings.
public enum Optimizer: Sendable, Hashable {
    /// Limited-memory quasi-Newton steps over all examples.
    case lbfgs(LBFGS = LBFGS())
    /// Truncated Newton steps over all examples.
    case newtonCG(NewtonCG = NewtonCG())
    /// Stochastic gradient descent with momentum.
    case sgd(SGD)
    /// Steps scaled by the gradients' moments.
    case adam(Adam)

    /// Its name in settings and messages.
    public var name: String {
        switch self {
        case .lbfgs: "lbfgs"
        case .newtonCG: "newton_cg"
        case .sgd: "sgd"
        case .adam: "adam"
        }
    }

    /// Whether a step can be made on some of the examples.
    var takesBatches: Bool {
        switch self {
        case .lbfgs, .newtonCG: false
        case .sgd, .adam: true
        }
    }

    /// The learning rate of an epoch's steps; nil where the optimiser finds the lengths of its steps itself.
    public func learningRate(inEpoch epoch: Int) -> Double? {
        switch self {
        case .lbfgs, .newtonCG: nil
        case .sgd(let sgd): sgd.schedule.rate(sgd.learningRate, inEpoch: epoch)
        case .adam(let adam): adam.schedule.rate(adam.learningRate, inEpoch: epoch)
        }
    }

    func validate() throws(TrainingError) {
        switch self {
        case .lbfgs(let lbfgs): try lbfgs.validate()
        case .newtonCG(let newton): try newton.validate()
        case .sgd(let sgd): try sgd.validate()
        case .adam(let adam): try adam.validate()
        }
    }

    /// What the optimiser remembers before its first step.
    func makeMemory(dimension: Int) -> any OptimizerMemory {
        switch self {
        case .lbfgs(let lbfgs): LBFGSMemory(lbfgs, dimension: dimension)
        case .newtonCG(let newton): NewtonCGMemory(newton)
        case .sgd(let sgd): SGDMemory(sgd, dimension: dimension)
        case .adam(let adam): AdamMemory(adam, dimension: dimension)
        }
    }
}

/// What a step left of the point it began at.
enum StepResult {
    /// θ has moved; its loss and gradient are not known yet.
    case moved
    /// θ has moved, and everything about it over all examples is known.
    case evaluated
    /// There is no step that makes F smaller: θ is where it was.
    case stuck
}

/// What an optimiser carries from step to step.
protocol OptimizerMemory: Sendable {
    /// Steps without progress that it takes to see that there will be none; nil for stochastic methods, whose progress is not one
    /// step's matter.
    var patience: Int? { get }

    /// Makes a step from a point whose gradient is known. Where it throws, neither the point's θ nor the memory has changed.
    /// - Parameters:
    ///   - rate: the learning rate, for methods that have one.
    ///   - number: of the step within the run, from 1.
    mutating func step(_ point: inout TrainingPoint, rate: Double, number: Int, on landscape: Landscape) throws -> StepResult

    /// Whether all that it remembers is finite, as far as θ does not show it.
    var isFinite: Bool { get }

    func encode(to writer: inout TrainingWriter)
    mutating func decode(from reader: inout TrainingReader) throws(TrainingError)
}

extension OptimizerMemory {
    var isFinite: Bool { true }
}
