public import InverseCurvature
public import LinearAlgebra
public import Networks

/// How one subject, a test or several as one, scores every training example: scoreᵢ = mᵢ · Σ_t v_t · gᵢ^t.
///
/// Every method is such a formula. Its terms are of one checkpoint each for TracInCP (Pruthi et al. 2020, section 3.3) and of one
/// model each for TRAK, and one alone for the others; v is s_test, or the test's gradient; m is the reciprocal of a denominator for RelatIF
/// and for cosines.
public struct ScoreFormula: Sendable {
    /// One source of gradients and the direction that they are multiplied with.
    public struct Term: Sendable {
        /// gᵢ^t.
        public let gradients: any ScoredExamples
        /// v_t, one; as its factors too, where it is an example's gradient.
        public let direction: ExampleGradients

        /// A term.
        public init(_ gradients: any ScoredExamples, along direction: ExampleGradients) {
            precondition(
                direction.count == 1 && direction.vectors.count == gradients.dimension, "a direction is as long as a gradient")
            self.gradients = gradients
            self.direction = direction
        }

        /// A term along a vector of which nothing more is known.
        public init(_ gradients: any ScoredExamples, along direction: [Float]) {
            self.init(gradients, along: ExampleGradients(vectors: direction, count: 1))
        }
    }

    /// At least one. Scores are summed in their order, in single precision.
    public let terms: [Term]
    /// Independent estimates that the direction of the only term is the mean of; none where it is no estimate.
    public let repeats: [[Float]]
    /// mᵢ of every example; nil for 1.
    public let multipliers: [Float]?

    /// A formula.
    public init(_ terms: [Term], repeats: [[Float]] = [], multipliers: [Float]? = nil) {
        precondition(!terms.isEmpty && (repeats.isEmpty || terms.count == 1), "repeats are of the only term")
        precondition(multipliers.map { $0.count == terms[0].gradients.count } ?? true, "one for each example")
        self.terms = terms
        self.repeats = repeats
        self.multipliers = multipliers
    }

    /// Scores along the solution for one of its right-hand sides.
    public init(_ gradients: any ScoredExamples, along solution: Solution, of side: Int = 0, multipliers: [Float]? = nil) {
        let part = side * gradients.dimension..<(side + 1) * gradients.dimension
        self.init(
            [Term(gradients, along: Array(solution.vectors[part]))], repeats: solution.repeats.map { Array($0[part]) },
            multipliers: multipliers)
    }

    /// Whether scores are products with one direction, and nothing else.
    public var isDirection: Bool { terms.count == 1 && multipliers == nil }

    /// Adds one term's scores of all examples to those of the terms before it: to nothing for the first. The last makes them the formula's.
    public func adding(_ scores: consuming [Float], of term: Int, to sum: [Float]) -> [Float] {
        adding(scores, of: term, to: sum, .all)
    }

    private func adding(_ scores: consuming [Float], of term: Int, to sum: [Float], _ selection: RowSelection) -> [Float] {
        var total = scores
        if term > 0 {
            precondition(sum.count == total.count, "terms score the same examples")
            total.withUnsafeMutableBufferPointer { total in
                sum.withUnsafeBufferPointer { sum in
                    for place in total.indices { total[place] += sum[place] }
                }
            }
        }
        if term == terms.count - 1 { multiply(&total, of: selection) }
        return total
    }

    /// scoreᵢ of some examples, with the bits that a scan of all gives.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public func scores(of selection: RowSelection, parallel: Parallel, interruption: Interruption) throws -> [Float] {
        try Self.scores(of: selection, by: [self], parallel: parallel, interruption: interruption)[0]
    }

    /// The same by several formulas whose terms are of the same gradients, which are read once for all.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public static func scores(
        of selection: RowSelection, by formulas: [ScoreFormula], parallel: Parallel, interruption: Interruption
    ) throws -> [[Float]] {
        var sums = [[Float]](repeating: [], count: formulas.count)
        for (index, term) in (formulas.first?.terms ?? []).enumerated() {
            let scores = try term.gradients.scores(
                of: selection, likeEach: formulas.map { $0.terms[index].direction }, parallel: parallel,
                interruption: interruption)
            for (place, formula) in formulas.enumerated() {
                sums[place] = formula.adding(scores[place], of: index, to: sums[place], selection)
            }
        }
        return sums
    }

    /// scoreᵢ of some examples along each of the repeats.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    func repeatScores(of selection: RowSelection, parallel: Parallel, interruption: Interruption) throws -> [[Float]] {
        guard !repeats.isEmpty else { return [] }
        let scores = try terms[0].gradients.scores(
            of: selection, along: repeats.flatMap { $0 }, parallel: parallel, interruption: interruption)
        return repeats.indices.map {
            var scores = scores[$0]
            multiply(&scores, of: selection)
            return scores
        }
    }

    /// What each term adds to the scores of some examples: [terms][examples].
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    public func contributions(to examples: [UInt32], parallel: Parallel, interruption: Interruption) throws -> [[Float]] {
        try terms.map {
            var scores = try $0.gradients.scores(
                of: .indices(examples), like: $0.direction, parallel: parallel, interruption: interruption)[0]
            multiply(&scores, of: .indices(examples))
            return scores
        }
    }

    private func multiply(_ scores: inout [Float], of selection: RowSelection) {
        guard let multipliers else { return }
        switch selection {
        case .all:
            precondition(multipliers.count == scores.count, "one for each example")
            scores.withUnsafeMutableBufferPointer { scores in
                multipliers.withUnsafeBufferPointer { multipliers in
                    for place in scores.indices { scores[place] *= multipliers[place] }
                }
            }
        case .indices(let indices): for (place, index) in indices.enumerated() { scores[place] *= multipliers[Int(index)] }
        }
    }
}
