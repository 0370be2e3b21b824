internal import JSON

// What requests may say, as their decoders read it.
extension OpenAPIDocument {
    var requestSchemas: Schema.Members {
        [
            "InfluenceRequest": influenceRequest, "PredictRequest": predictRequest, "ExactSolver": Self.exactSolver,
            "LissaSolver": Self.lissaSolver, "Candidates": Self.candidates, "Group": Self.group,
        ] + Self.testSchemas
    }

    private var influenceRequest: Schema {
        .request(
            [
                "model": Self.modelName,
                "tests": .array(
                    of: .oneOf([.named("RowTest"), .named("InputTest"), .named("GradientTest")]),
                    count: 1...configuration.maximumTests
                ).described("What is asked about; one answer each, unless they are aggregated."),
            ],
            optional: [
                "id": Self.requestID, "checkpoint": Self.checkpointName,
                "aggregate": .choice(of: InfluenceRequest.Aggregate.self).defaulting(to: "none").described(
                    "Whether the tests get one answer each, or one together: for the sum or the mean of their losses."),
                "method": .choice(of: InfluenceRequest.methods).defaulting(to: "influence").described(
                    "How training examples are scored."),
                "curvature": .choice(of: InfluenceRequest.Curvature.self).described(
                    """
                    C. `hessian`: of the objective. `gauss_newton`: (1/n) Σ Jᵢᵀ (∂²ℓ/∂out²) Jᵢ. `empirical_fisher`: \
                    (1/n) Σ gᵢgᵢᵀ. Weight decay is added to each. By default the Hessian for models convex in θ, the Gauss-Newton \
                    matrix for others, and the empirical Fisher matrix where gradients are all that is known, or a test is given \
                    projected.
                    """),
                "damping": .number(in: 0...1e9).defaulting(to: 0).described("Added to C's diagonal, beside weight decay."),
                "damping_mode": .choice(of: InfluenceRequest.DampingMode.self).defaulting(to: "absolute").described(
                    "What damping is measured in: 1, or trace(C)/p with p parameters."),
                "solver": .oneOf([.named("LissaSolver"), .named("ExactSolver")]).described(
                    "Who solves for s_test; LiSSA with automatic settings by default."),
                "gradients": .string().defaulting(to: .string(ChosenGradients.exact)).described(
                    "By which training gradients examples are scored: `exact`, or the `name` of one of the model's caches, whose "
                        + "measured error comes with the answer."),
                "k": .integer(in: 1...configuration.maximumK).defaulting(to: 10).described("Examples at each end of a ranking."),
                "candidates": Schema.named("Candidates").described("Which training examples are scored; all by default."),
                "groups": .array(of: .named("Group"), count: 1...configuration.maximumGroups).described(
                    "Sets of training examples that are also scored as wholes. No two have one name."),
                "include": .array(of: .choice(of: InfluenceRequest.Include.names.map(\.0)), count: 0...8)
                    .defaulting(to: ["metadata"]).described(
                        "What answers carry beside indices and scores; the last two as tensors."),
                "deadline_ms": .integer(in: 1...configuration.maximumDeadlineMilliseconds)
                    .defaulting(to: .integer(configuration.deadlineMilliseconds)).described(
                        "Milliseconds after its arrival at which a request is given up with 504."),
            ])
    }

    private var predictRequest: Schema {
        .request(
            [
                "model": Self.modelName,
                "tests": .array(of: .oneOf([.named("RowTest"), .named("InputTest")]), count: 1...configuration.maximumTests)
                    .described("What is predicted for."),
            ], optional: ["id": Self.requestID, "checkpoint": Self.checkpointName])
    }

    private static let requestID = Schema.string(count: 1...128).described(
        "Comes back in the answer; without one the service makes one.")
    private static let modelName = Schema.string().described("The name of a model in the store.")
    private static let checkpointName = Schema.string().described("The name of one of its checkpoints; the latest by default.")

    private static let lissaSolver = Schema.request(
        optional: [
            "name": .constant("lissa").defaulting(to: "lissa"),
            "recursion_depth": automatic(.integer(in: 1...10_000_000)).described("J: steps of each recursion."),
            "num_repeat": automatic(.integer(in: 1...256)).described("T: independent recursions, averaged."),
            "batch_size": automatic(.integer(in: 1...Int(Int32.max))).described(
                "B: training examples of each step, at most as many as there are."),
            "scale": automatic(.number(in: 1e-12...1e12)).described(
                "s: what the curvature is divided by. Where it is too small the recursion diverges, which is answered with 422."),
            "seed": .integer().defaulting(to: 0).described("Names the random streams: the same seed, the same answer."),
        ]
    ).described(
        """
        LiSSA (Agarwal et al. 2017): h ← v + h − (C_B + λI)h/s, s_test being the mean over repeats of h/s. What is `auto`, as \
        everything is by default, is chosen from C's spectrum so that it converges.
        """)

    private static let exactSolver = Schema.request([
        "name": .choice(of: InfluenceRequest.solvers.filter { $0 != "lissa" })
    ]).described("The Cholesky factor of C + λI, where p² numbers fit into memory and C + λI is positive definite.")

    private static func automatic(_ schema: Schema) -> Schema {
        .oneOf([schema, .constant("auto")]).defaulting(to: "auto")
    }

    private static let candidates = Schema.oneOf([
        .request(
            [
                "nearest_neighbors": .integer(in: 1...Int(Int32.max)).described(
                    "Only so many training examples, those nearest to each test by ℓ₂ distance (FastIF, Guo et al. 2021).")
            ], optional: ["indices": .null]),
        .request(
            ["indices": indices.described("Only these training examples.")], optional: ["nearest_neighbors": .null]),
    ])

    private static let group = Schema.request([
        "name": .string(count: 1...128).described("What the answer calls it."),
        "indices": indices.described("Its members; one named twice counts twice."),
    ])

    private static let indices = Schema.array(of: .integer(in: 0...Int(Int32.max)), count: 1 ... .max)
}
