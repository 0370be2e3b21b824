internal import JSON
internal import LinearAlgebra

/// s_test · gᵢ with s_test = (C + λI)⁻¹∇ℓ(z_test): minus I_up,loss of Koh & Liang 2017 (eq. 2), so that a helpful example's score is
/// positive.
struct InfluenceMethod: MethodChoice {
    static let name = "influence"
    static let summary = """
        s_test · gᵢ, the influence on the test's loss (Koh & Liang 2017): n times what the loss is predicted to change by if the example is \
        removed.
        """
    static let uses = Set<SharedMember>.solving
    static let predictsChange = true

    init() {}

    init(_ object: JSONObjectReader) {}

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let solving = try Solving(for: subjects, in: engine, interruption: interruption)
        return Scoring(
            [Scoring.Term(subjects.space.gradients, .solved)], solving: solving, orientation: Orientation(subjects.request))
    }
}
