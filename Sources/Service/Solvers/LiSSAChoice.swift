public import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// LiSSA, in rounds of refinement.
struct LiSSAChoice: SolverChoice {
    static let name = "lissa"
    static let summary = """
        LiSSA (Agarwal et al. 2017): h ← r + h − (C_B + λI)h/s, and s_test grows by the mean over repeats of h/s. The first round has \
        r = v and is what others call LiSSA; each further one begins with r = v − (C + λI)s_test on all training examples. What is \
        `auto`, as everything is by default, is chosen from C's spectrum so that it converges.
        """
    static let fields: Schema.Members = [
        "recursion_depth": .automatic(.integer(in: 1...10_000_000)).described("J: steps of each recursion."),
        "num_repeat": .automatic(.integer(in: 1...256)).described("T: independent recursions of a round, averaged."),
        "batch_size": .automatic(.integer(in: 1...Int(Int32.max))).described(
            "B: training examples of each step, at most as many as there are."),
        "scale": .automatic(.number(in: 1e-12...1e12)).described(
            "s: what the curvature is divided by. Where it is too small the recursion diverges, which is answered with 422."),
        "averaged": .automatic(.integer(in: 1...10_000_000)).described(
            "K: steps at the end of each recursion whose mean it returns. `auto` is 1 where recursion_depth is given."),
        "preconditioner": Schema.choice(of: Preconditioning.self).defaulting(to: .string(Preconditioning.none.rawValue))
            .described(
                "P: a step is h ← h + P⁻¹(r − (C_B + λI)h)/s then. Worth it where λ is very small."),
        "rounds": .automatic(.integer(in: 1...1000)).described(
            "Rounds of refinement at most. `auto` is one where recursion_depth is given, and else as many as an error of 2 % of s_test needs, 5 % of more than 100,000 examples."
        ),
        "seed": .integer().defaulting(to: 0).described("Names the random streams: the same seed, the same answer."),
    ]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        [
            "recursion_depth": count, "num_repeat": count, "batch_size": count, "scale": .number(above: 0), "averaged": count,
            "preconditioner": .choice(of: Preconditioning.self), "seed": .integer(),
            "max_rounds": count, "rounds": Schema.integer().described("Rounds that were taken for this test."),
            "bias_below_noise": Schema.boolean.described(
                "Whether standard errors mean what they say: the exact score is then within two of them nine times in ten."),
        ],
        [
            "target_relative_error": Schema.number(above: 0).described("Rounds end where `relative_error` is no more than this."),
            "relative_error": estimate("‖s − s_exact‖ / ‖s_exact‖ as the rounds and repeats show it: noise and bias together"),
            "noise": estimate("The standard error that mini-batches leave of s_test, relative to it"),
            "bias": estimate("What s_test lacks beside noise, relative to it, from above"),
        ]
    )
    static let needsRandomAccess = true
    static let needsDefiniteness = true

    private static let count = Schema.integer(in: 1 ... .max)

    private static func estimate(_ description: String) -> Schema {
        Schema.number(atLeast: 0).described("\(description); absent where it can't be known.")
    }

    /// What is set.
    var choice = LiSSA.Choice()
    /// P.
    private var preconditioning = Preconditioning.none

    init(_ choice: LiSSA.Choice = LiSSA.Choice()) { self.choice = choice }

    init(_ object: JSONObjectReader) {
        choice = LiSSA.Choice(
            recursionDepth: object.automaticInteger("recursion_depth", in: 1...10_000_000),
            numRepeat: object.automaticInteger("num_repeat", in: 1...256),
            batchSize: object.automaticInteger("batch_size", in: 1...Int(Int32.max)),
            scale: object.automaticNumber("scale", in: 1e-12...1e12),
            averaged: object.automaticInteger("averaged", in: 1...10_000_000),
            seed: UInt64(object.integer("seed", default: 0, in: 0 ... .max)),
            rounds: object.automaticInteger("rounds", in: 1...1000))
        preconditioning = object.choice("preconditioner", default: .none)
    }

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        let count = system.damped.data.exampleCount
        if let batch = choice.batchSize, batch > count {
            throw Problem(at: "/solver/batch_size", "must be at most \(count), the number of training examples; got \(batch)")
        }
        let preconditioned = try preconditioning.lissa(for: system, in: engine, interruption: interruption)
        var choice = choice
        // By hand it is taken whatever it is expected to cost.
        choice.isPreconditioned = preconditioned != nil
        let lissa = LiSSA(
            choice, spectrum: system.spectrum, preconditioning: preconditioned, exampleCount: count, shift: system.damped.shift)
        return SettledLiSSA(lissa: lissa, preconditioning: preconditioning)
    }
}

/// LiSSA for one system.
struct SettledLiSSA: SettledSolver {
    let lissa: LiSSA
    let preconditioning: Preconditioning

    var members: JSONObject {
        let settings = lissa.settings
        var members: JSONObject = [
            "solver": .string(LiSSAChoice.name), "recursion_depth": .integer(settings.recursionDepth),
            "num_repeat": .integer(settings.numRepeat), "batch_size": .integer(settings.batchSize),
            "scale": .double(settings.scale), "averaged": .integer(settings.averaged),
            "preconditioner": .string(preconditioning.rawValue), "seed": .integer(Int(settings.seed)),
            "max_rounds": .integer(settings.rounds),
        ]
        if let target = settings.relativeError { members["target_relative_error"] = .double(target) }
        return members
    }

    /// The repeats on their way and as they are kept, and s, v and the remainder.
    var vectorsPerSide: Int { 2 * lissa.settings.numRepeat + 4 }
    var vectorsPerSolution: Int { lissa.settings.numRepeat + 1 }

    func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) -> any SystemSolver { lissa }
}

extension InfluenceRequest.Solver {
    /// What is set of LiSSA, where that is the solver.
    public var lissa: LiSSA.Choice? { (choice as? LiSSAChoice)?.choice }
}
