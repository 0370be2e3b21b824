internal import InverseCurvature
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

extension InfluenceMethod: SelfScoring {
    static let summaryOfSelf = """
        gᵢ·(C + λI)⁻¹gᵢ: n times what the example's own loss is predicted to rise by if it is removed. By a solver that serves all \
        examples; what it finds is kept in the store, and serves `relatif` too.
        """
    static let usesForSelf: Set<SharedMember> = [.curvature, .damping, .dampingMode, .solver]
    static let diagnosticsOfSelf: (always: Schema.Members, sometimes: Schema.Members) = (
        [
            "solver": .choice(of: ExampleSolver.kinds.map { $0.name }), "curvature": .choice(of: InfluenceRequest.Curvature.self),
            "lambda_effective": Schema.number(atLeast: 0).described("λ: weight decay plus damping."),
        ], membersOfSolvers
    )

    /// What solvers that serve all examples say of themselves.
    private static let membersOfSolvers = Schema.Members.union(
        of: ExampleSolver.kinds.compactMap { $0.diagnostics?.always })

    func selfInfluence(
        for request: SelfInfluenceRequest, of model: LoadedModel, in engine: Engine, interruption: Interruption
    ) throws -> SelfInfluence {
        let space = InfluenceSpace(model, try engine.gradients(of: model, named: nil, interruption: interruption))
        let system = try InfluenceSystem(
            model, space, curvature: request.curvature, engine, interruption)
        let solver = try ExampleSolver.automatic(request.solver, for: system, in: engine)
        let (norms, members) = try engine.inverseNorms(of: system, by: solver, at: "/solver", interruption: interruption)
        return SelfInfluence(
            norms.norms.selfInfluence,
            orientation:
                "score = g·(C + λI)⁻¹g; large: the example's own loss rises by much if it is removed, as where its label is wrong",
            predictsOwnChange: true,
            diagnostics: members.merging([
                "curvature": .string(system.curvature.rawValue), "lambda_effective": .double(system.damped.shift),
            ]))
    }
}
