internal import Attribution
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks

/// Influence relative to what an example does at all: s_test · gᵢ over ‖(C + λI)⁻¹gᵢ‖ or √(gᵢᵀ(C + λI)⁻¹gᵢ) (Barshan, Brunet & Dziugaite
/// 2020, propositions 3.1 and 3.3).
struct RelatIFMethod: MethodChoice {
    static let name = "relatif"
    static let summary = """
        Influence divided by how far removing the example moves the parameters, ‖(C + λI)⁻¹gᵢ‖ (`theta`), or the predictions, \
        √(gᵢᵀ(C + λI)⁻¹gᵢ) (`l`): outliers, which move everything, count for less (RelatIF, Barshan et al. 2020). The denominators of all \
        examples are found once for a checkpoint and kept in the store.
        """
    static let fields: Schema.Members = [
        "relatif_method": .choice(of: Kind.self).defaulting(to: .string(Kind.theta.rawValue)).described(
            "Which denominator: of the change of parameters (proposition 3.1), or of predictions (3.3)."),
        "denominators": .oneOf(ExampleSolver.kinds.map { .named($0.schemaName + "Solver") }).described(
            "Who solves for the denominators: by default the request's solver where it can, which one for single tests can't; "
                + "else exact where that takes seconds, and ekfac where not."),
    ]
    static let uses = Set<SharedMember>.solving
    static let predictsChange = true
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members) = (
        [:],
        [
            "relatif_method": .choice(of: Kind.self),
            "denominators": Schema.object(["solver": .choice(of: ExampleSolver.kinds.map { $0.name })], isOpen: true).described(
                "Of relatif: who found the denominators, and what determines it."),
            "zero_denominators": Schema.integer().described(
                "Of relatif: examples whose gradient vanishes, of whose influence nothing relative can be said; they score 0."),
        ]
    )
    static let details: Schema.Members = [
        "denominator": Schema.number(above: 0).described("Of relatif: what the example's influence is divided by.")
    ]

    enum Kind: String, CaseIterable {
        case theta, l

        var denominator: RelatIFDenominator { self == .theta ? .theta : .loss }
    }

    private let kind: Kind
    /// Nil for whoever suits.
    private let denominators: InfluenceRequest.Solver?

    init(_ object: JSONObjectReader) {
        kind = object.choice("relatif_method", default: .theta)
        denominators = object.optionalObject("denominators").flatMap { ExampleSolver.read($0) }
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let solving = try Solving(for: subjects, in: engine, interruption: interruption)
        let asked = subjects.request.system.solver
        let solver = try denominators ?? ExampleSolver.automatic(asked, for: solving.system, in: engine)
        let (norms, members) = try engine.inverseNorms(
            of: solving.system, by: solver, at: denominators == nil && solver == asked ? "/solver" : "/denominators",
            interruption: interruption)
        let all = norms.denominators(kind.denominator)
        return Scoring(
            [Scoring.Term(subjects.space.gradients, .solved)], multipliers: norms.multipliers(kind.denominator),
            solving: solving, orientation: Orientation(subjects.request),
            diagnostics: [
                "relatif_method": .string(kind.rawValue), "denominators": .object(members),
                "zero_denominators": .integer(all.count { $0 == 0 }),
            ]
        ) { _, example in all[example] > 0 ? ["denominator": .double(all[example])] : [:] }
    }
}
