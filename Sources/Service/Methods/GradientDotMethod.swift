internal import JSON
internal import LinearAlgebra

/// ∇ℓ(z_test) · gᵢ: the first-order effect on the test's loss of a step of gradient descent on one example (Charpiat et al. 2019, section
/// 2.1), TracIn's of one checkpoint without its learning rate.
struct GradientDotMethod: MethodChoice {
    static let name = "gradient_dot"
    static let summary = """
        ∇ℓ_test · gᵢ: by how much a step of gradient descent on the example lowers the test's loss, for each unit of the learning rate \
        (Charpiat et al. 2019).
        """
    static let uses: Set<SharedMember> = [.measurement, .gradients]

    init(_ object: JSONObjectReader) {}

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let gradients = try subjects.gradients(parallel: engine.parallel, interruption: interruption)
        return Scoring([Scoring.Term(subjects.space.gradients, .given(gradients))], orientation: Orientation(subjects.request))
    }
}

extension GradientDotMethod: SelfScoring {
    static let summaryOfSelf = "‖gᵢ‖²: by how much a step of gradient descent on the example lowers its own loss."

    func selfInfluence(
        for request: SelfInfluenceRequest, of model: LoadedModel, in engine: Engine, interruption: Interruption
    ) throws -> SelfInfluence {
        let gradients = try engine.gradients(of: model, named: request.gradients, interruption: interruption)
        return SelfInfluence(
            try engine.squaredGradientNorms(of: gradients, interruption: interruption),
            orientation:
                "score = ‖g‖²; large: a step of gradient descent on the example lowers its own loss by much, as where its label is wrong",
            diagnostics: gradients.members)
    }
}
