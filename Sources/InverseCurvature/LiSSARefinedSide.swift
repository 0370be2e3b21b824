internal import Foundation
internal import LinearAlgebra

/// One right-hand side, how far it has come, and what its rounds have shown.
struct RefinedSide: Sendable {
    /// v.
    let rightHandSide: [Float]
    /// ‖v‖.
    let size: Double
    /// s.
    private(set) var solution: [Float]
    /// s before the last round plus each of its corrections: independent, given the rounds before.
    private(set) var repeats: [[Float]] = []
    /// v − (D + λI)s; nil until it is measured.
    var remainder: [Float]?
    /// ‖v − (D + λI)s‖/‖v‖; nil until it is measured.
    var residual: Double?
    /// Rounds tried, each with its own streams, and rounds taken.
    private(set) var attempts = 0
    private(set) var rounds = 0
    /// Recursions that each correction of the next round is the mean of.
    private(set) var effort = 1
    /// Whether its recursions grew, or were mostly noise: its next rounds are cautious ones, where there are such.
    var isCautious = false
    /// Whether the round tried last was one.
    var wasCautious = false
    /// ‖mean δₜ‖ of each round taken, less what noise adds to it.
    private(set) var correctionSizes: [Double] = []
    /// The standard error of the solution's length in all directions together; nil for a single repeat.
    private(set) var noise: Double?

    /// Recursions for a correction at most: beyond it nothing but time is gained.
    private static let greatestEffort = 256

    init(_ rightHandSide: [Float]) {
        self.rightHandSide = rightHandSide
        size = Vectors.norm(rightHandSide)
        solution = [Float](repeating: 0, count: rightHandSide.count)
        remainder = rightHandSide
        residual = size == 0 ? 0 : 1
    }

    /// Whether s = 0 is the solution.
    var isZero: Bool { size == 0 }

    /// Adds the mean of a round's independent corrections, unless they hold more noise than what they correct: a round would not
    /// lower the error then, and the next one averages more of them.
    /// - Throws: `Interrupted`; nothing has changed then.
    mutating func take(_ corrections: [[Float]], interruption: Interruption = .never) throws(Interrupted) {
        let mean = try Self.mean(of: corrections, interruption)
        let squaredSize = mean.reduce(0) { $0 + $1 * $1 }
        var variance: Double?
        if corrections.count > 1 {
            var squares = 0.0
            for correction in corrections {
                try interruption.check()
                for i in mean.indices {
                    let distance = Double(correction[i]) - mean[i]
                    squares += distance * distance
                }
            }
            variance = squares / Double(corrections.count) / Double(corrections.count - 1)
        }
        attempts += 1
        // The mean of T independent corrections is as long as their expectation and its own noise together.
        if rounds > 0, let variance, 2 * variance > squaredSize {
            effort = min(4 * effort, Self.greatestEffort)
            isCautious = true
            return
        }
        if let variance, 2 * variance > squaredSize { isCautious = true }
        correctionSizes.append(max(0, squaredSize - (variance ?? 0)).squareRoot())
        noise = variance?.squareRoot()
        if rounds == 0 {
            // Not added to zero: this is plain LiSSA, and the single repeat its own mean, to the last bit.
            solution = corrections.count == 1 ? corrections[0] : mean.map { Float($0) }
            repeats = corrections
        } else {
            repeats = corrections.map { zip(solution, $0).map { $0 + $1 } }
            solution = zip(solution, mean).map { Float(Double($0) + $1) }
        }
        (remainder, residual) = (nil, nil)
        rounds += 1
    }

    /// What is known of the error.
    ///
    /// A round that began with the error e has corrected (I − M)e, and leaves Me as its bias, with ‖M‖ ≤ β where the scale is a safe one:
    /// no more than β/(1 − β) of the correction. Where β is no bound to speak of, the most that a round corrected beside the one before
    /// takes its place, from the third round on: a flat direction hides behind the first round's correction, not behind the second's.
    ///
    /// With a preconditioner ‖M‖ is that in the norm of P, ‖P^½x‖, and soft directions count for more in ‖x‖: for up to √κ(P) times as much,
    /// were the error all along the softest. `stretch` times is assumed, of either estimate, and the smaller one taken.
    ///
    /// - Parameters:
    ///   - contraction: β.
    ///   - samplingBias: what the first round's way to draw adds, relative to its correction.
    ///   - stretch: 1 without a preconditioner.
    func accuracy(contraction: Double, samplingBias: Double, stretch: Double = 1) -> SolutionAccuracy {
        let length = Vectors.norm(solution)
        guard rounds > 0, length > 0 else {
            return SolutionAccuracy(rounds: rounds, noise: isZero ? 0 : nil, bias: isZero ? 0 : nil)
        }
        func relative(_ contraction: Double) -> Double { contraction / (1 - contraction) * (correctionSizes.last ?? 0) / length }
        let seen = zip(correctionSizes, correctionSizes.dropFirst()).map { $0 > 0 ? $1 / $0 : 0 }.max()
        var bias: Double?
        if contraction <= 0.9 { bias = stretch * relative(contraction) + (rounds == 1 ? samplingBias : 0) }
        if contraction > 0.9 || stretch > 1, rounds > 2, let seen, seen <= 0.9 {
            bias = min(bias ?? .infinity, stretch * relative(seen))
        }
        if noise == nil, rounds > 1 {
            // A single repeat says nothing of its noise; the rounds do, which correct what the last one left of both.
            bias = seen.flatMap { seen in seen <= 0.9 ? bias.map { max($0, relative(seen)) } : nil }
        }
        return SolutionAccuracy(rounds: rounds, noise: noise.map { $0 / length }, bias: bias)
    }

    /// Averages in double precision and in order.
    private static func mean(of corrections: [[Float]], _ interruption: Interruption) throws(Interrupted) -> [Double] {
        var sums = [Double](repeating: 0, count: corrections[0].count)
        for correction in corrections {
            try interruption.check()
            for i in sums.indices { sums[i] += Double(correction[i]) }
        }
        let factor = 1 / Double(corrections.count)
        return sums.map { $0 * factor }
    }
}
