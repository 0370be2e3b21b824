internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// Preconditioned conjugate gradients.
struct ConjugateGradientChoice: SolverChoice {
    static let name = "cg"
    static let summary = """
        Conjugate gradients (Hestenes & Stiefel 1952) on all training examples, which end at `tol`.
        """
    static let fields: Schema.Members = [
        "max_iter": Schema.integer(in: 1...100_000).defaulting(to: .integer(ConjugateGradient.Settings().maxIter)).described(
            "Steps at most, each a product with C."),
        "tol": Schema.number(in: 1e-7...1).defaulting(to: .double(ConjugateGradient.Settings().tol)).described(
            "The `residual` at which a test is solved."),
        "preconditioner": Schema.choice(of: Preconditioning.allCases.map(\.rawValue) + ["auto"])
            .defaulting(to: .string(Preconditioning.none.rawValue)).described(
                """
                What is near C + λI and easily inverted: its diagonal, or its approximation in Kronecker factors, which `auto` takes where \
                the store holds it and it saves steps.
                """),
    ]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        [
            "max_iter": .integer(in: 1 ... .max), "tol": .number(above: 0), "preconditioner": .choice(of: Preconditioning.self),
            "iterations": Schema.integer().described("Steps that were taken for this test."),
        ], [:]
    )

    /// The residual down to which EKFAC is worth its while whatever the network.
    private static let roughTol = 0.01

    private let maxIter: Int
    private let tol: Double
    /// Nil for `"auto"`.
    private let preconditioning: Preconditioning?

    init(_ object: JSONObjectReader) {
        let standard = ConjugateGradient.Settings()
        maxIter = object.integer("max_iter", default: standard.maxIter, in: 1...100_000)
        tol = object.number("tol", default: standard.tol, in: 1e-7...1)
        let word = object.choice(
            "preconditioner", of: Preconditioning.allCases.map(\.rawValue) + ["auto"], default: Preconditioning.none.rawValue)
        preconditioning = Preconditioning(rawValue: word)
    }

    /// With usual settings, and the preconditioner that the store holds.
    static let automatic = ConjugateGradientChoice()

    private init() {
        (maxIter, tol, preconditioning) = (ConjugateGradient.Settings().maxIter, ConjugateGradient.Settings().tol, nil)
    }

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        let preconditioning = try preconditioning ?? automatic(for: system, in: engine)
        // EKFAC's residuals need not be kept orthogonal: there are few steps, and none in the large eigenvalues' directions.
        let settings = ConjugateGradient.Settings(
            maxIter: maxIter, tol: tol,
            orthogonalized: preconditioning == .ekfac ? 0 : ConjugateGradient.Settings().orthogonalized)
        return Settled(settings: settings, preconditioning: preconditioning)
    }

    private func automatic(for system: InfluenceSystem, in engine: Engine) throws -> Preconditioning {
        guard let network = system.network else { return .none }
        // Measured: of a network that is not convex EKFAC saves half of the steps to 1e-2, and none to 1e-3.
        guard network.network.isConvex || tol >= Self.roughTol else { return .none }
        return try engine.holds(EKFACChoice.key(for: system), for: system) ? .ekfac : .none
    }

    private struct Settled: SettledSolver {
        let settings: ConjugateGradient.Settings
        let preconditioning: Preconditioning

        var members: JSONObject {
            [
                "solver": .string(ConjugateGradientChoice.name), "max_iter": .integer(settings.maxIter),
                "tol": .double(settings.tol), "preconditioner": .string(preconditioning.rawValue),
            ]
        }

        /// Residuals that are kept, with what the preconditioner makes of them.
        var vectorsPerSide: Int { 6 + settings.orthogonalized * (preconditioning == .none ? 1 : 2) }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            ConjugateGradient(
                settings,
                preconditioner: try preconditioning.preconditioner(for: system, in: engine, interruption: interruption))
        }
    }
}
