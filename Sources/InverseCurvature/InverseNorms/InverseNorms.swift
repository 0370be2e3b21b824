/// Which of RelatIF's two denominators (Barshan, Brunet & Dziugaite 2020, "RelatIF: Identifying explanatory training samples via relative
/// influence").
public enum RelatIFDenominator: Sendable, Hashable, CaseIterable {
    /// ‖(C + λI)⁻¹gᵢ‖: the parameters' change is bounded (proposition 3.1).
    case theta
    /// √(gᵢᵀ(C + λI)⁻¹gᵢ), the root of an example's influence on itself: the expected change of predictions is bounded, which is what the
    /// Fisher matrix measures (proposition 3.3); with a Hessian it is the same to first order (appendix A).
    case loss
}

/// How long (C + λI)⁻¹gᵢ is for each of n training examples, and what gᵢ makes of it: both of RelatIF's denominators, and self-influence.
///
/// An example whose gradient is zero has zeros here, and so do those whose numbers are too small for double precision. Such an example
/// moves nothing and its influence on any test is zero: relative influence 0/0 is taken for 0, and `multipliers` are 0 there. The zeros
/// stay to be seen, as of how many examples a relative ranking knows nothing.
public struct InverseNorms: Sendable, Equatable {
    /// What is wanted of all examples.
    public enum Quantity: Sendable, Hashable, CaseIterable {
        /// gᵢᵀ(C + λI)⁻¹gᵢ alone: half of the work with a triangular factor.
        case selfInfluence
        /// That and ‖(C + λI)⁻¹gᵢ‖².
        case both
    }

    /// gᵢᵀ(C + λI)⁻¹gᵢ, never negative: to first order n times what leaving the example out changes of its own loss.
    public let selfInfluence: [Double]
    /// ‖(C + λI)⁻¹gᵢ‖²; nil where it was not wanted.
    public let squaredSteps: [Double]?

    /// n.
    public var count: Int { selfInfluence.count }

    /// Numbers that are known: none negative, none infinite.
    init(selfInfluence: [Double], squaredSteps: [Double]?) {
        precondition(squaredSteps?.count ?? selfInfluence.count == selfInfluence.count, "as many of one as of the other")
        (self.selfInfluence, self.squaredSteps) = (selfInfluence, squaredSteps)
    }

    /// Bytes that the numbers take.
    public var byteCount: Int { (count + (squaredSteps?.count ?? 0)) * MemoryLayout<Double>.stride }

    /// The denominators of all examples; nil for `.theta` where lengths were not wanted.
    public func denominators(_ kind: RelatIFDenominator) -> [Double]? {
        switch kind {
        case .theta: squaredSteps.map { $0.map { $0.squareRoot() } }
        case .loss: selfInfluence.map { $0.squareRoot() }
        }
    }

    /// What an example's influence is multiplied by to be relative: one over the denominator, 0 where that is 0. All are finite.
    public func multipliers(_ kind: RelatIFDenominator) -> [Double]? {
        denominators(kind).map { $0.map { $0 > 0 ? 1 / $0 : 0 } }
    }

    /// The same of wᵢ∇ℓᵢ, where these are of √wᵢ∇ℓᵢ, which is how `FisherRows` has gradients: times wᵢ. No weights are weights of 1.
    /// - Throws: `SolverError.notFinite` where a product is beyond double precision, or a weight is negative or not finite.
    public func weighted(by weights: [Float]?) throws(SolverError) -> InverseNorms {
        guard let weights else { return self }
        precondition(weights.count == count, "a weight for each example")
        func products(_ numbers: [Double]) -> [Double] { zip(numbers, weights).map { $0 * Double($1) } }
        let (influence, steps) = (products(selfInfluence), squaredSteps.map(products))
        guard (influence + (steps ?? [])).allSatisfy({ $0 >= 0 && $0.isFinite }) else { throw SolverError.notFinite }
        return InverseNorms(selfInfluence: influence, squaredSteps: steps)
    }
}

/// A solver that is no symmetric and positive inverse, though the curvature it is for is definite along what it gave: an estimate
/// so far off that an example seems to be its own opponent. Such a solver has no RelatIF denominators.
public struct NegativeSelfInfluence: Error, Equatable, Sendable, CustomStringConvertible {
    /// The first such example.
    public let example: Int
    /// gᵢᵀs of the s that stands for (C + λI)⁻¹gᵢ.
    public let value: Double
    /// λ.
    public let shift: Double

    /// What would do, in words.
    public var description: String {
        "the solver's estimate of the influence of training example \(example) on itself is \(value), which can't be negative where the "
            + "curvature plus \(shift) is positive definite; use the exact solver, ekfac, or a fitted sketch, or more damping"
    }
}
