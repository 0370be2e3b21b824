internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks

/// ∇ℓ_test · gᵢ / (‖∇ℓ_test‖·‖gᵢ‖): how alike a test and an example are to the network (Charpiat et al. 2019, "Input similarity from the
/// neural network perspective", section 2.2), whatever the size of their losses.
struct GradientCosineMethod: MethodChoice {
    static let name = "gradient_cosine"
    static let summary = """
        The cosine of the angle between ∇ℓ_test and gᵢ: similarity from the network's perspective (Charpiat et al. 2019). 0 for an example \
        whose gradient vanishes.
        """
    static let uses: Set<SharedMember> = [.measurement, .gradients]

    init(_ object: JSONObjectReader) {}

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        // In the space of rows that are projections, lengths are those of projections.
        let projection = (subjects.space.gradients.gradients as? RowGradients)?.projection
        let directions = try subjects.gradients(parallel: engine.parallel, interruption: interruption).map { gradient in
            let image =
                try projection?.project(gradient.vectors, count: 1, parallel: engine.parallel, interruption: interruption)
                ?? gradient.vectors
            let inverse = Float(1 / Vectors.norm(image))
            return gradient.scaled(by: [inverse.isFinite ? inverse : 0])
        }
        return Scoring(
            [Scoring.Term(subjects.space.gradients, .given(directions))],
            multipliers: try engine.inverseGradientNorms(of: subjects.space.gradients, interruption: interruption),
            orientation: Orientation(subjects.request))
    }
}
