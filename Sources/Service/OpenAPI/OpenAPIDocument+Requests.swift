internal import JSON
internal import Networks

// What requests may say, as their decoders read it.
extension OpenAPIDocument {
    var requestSchemas: Schema.Members {
        let influence = influenceRequests.schemas + ["InfluenceByComparison": influenceRequests.comparison]
        return [
            "InfluenceRequest": .oneOf(of: influence).described("By one method, influence where none is named, or by several."),
            "PredictRequest": predictRequest, "Goal": Self.goal, "Candidates": Self.candidates, "Group": Self.group,
        ] + influence + Self.solverSchemas + Self.testSchemas
    }

    private var influenceRequests: MethodRequests {
        MethodRequests(
            prefix: "InfluenceBy", methods: RoutedMethod.all,
            required: [
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
                "k": .integer(in: 1...configuration.maximumK).defaulting(to: 10).described("Examples at each end of a ranking."),
                "candidates": Schema.named("Candidates").described("Which training examples are scored; all by default."),
                "groups": .array(of: .named("Group"), count: 1...configuration.maximumGroups).described(
                    "Sets of training examples that are also scored as wholes. No two have one name."),
                "deadline_ms": deadline,
            ],
            shared: Self.scoringMembers + [
                "until": Schema.named("Goal").described(
                    """
                    Goes on in rounds of lissa until this is reached, or until `deadline_ms` comes near: the best so far is the answer then, \
                    marked by `until_reached`.
                    """)
            ],
            include: { hasSTest in
                let names = InfluenceRequest.Include.names.filter { hasSTest || $0.1 != .sTest }.map(\.0)
                return .array(of: .choice(of: names), count: 0...8).defaulting(to: ["metadata"]).described(
                    "What answers carry beside indices and scores; all_scores and s_test as tensors.")
            })
    }

    /// What says how training examples are scored and means something to several methods.
    static let scoringMembers: Schema.Members =
        ["measurement": measurement] + systemMembers + ["gradients": gradients]

    private static let measurement = Schema.choice(of: OutputMeasurement.self).defaulting(to: "loss").described(
        """
        What of a test is asked about: its loss, or the logit, margin (log p/(1 − p)) or probability of its target. A proponent \
        lowers a loss, and raises each of the others.
        """)
    private static let gradients = Schema.string().defaulting(to: .string(ChosenGradients.exact)).described(
        "By which training gradients examples are scored: `exact`, or the `name` of one of the model's caches, whose measured error comes "
            + "with the answer.")

    /// What is solved, and by whom for a test.
    static let systemMembers: Schema.Members =
        curvatureMembers + [
            "solver": .oneOf(InfluenceRequest.Solver.kinds.map { .named($0.schemaName + "Solver") }).described(
                "Who solves for s_test; LiSSA with automatic settings by default.")
        ]

    /// What is solved.
    static let curvatureMembers: Schema.Members = [
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
    ]

    var deadline: Schema {
        .integer(in: 1...configuration.maximumDeadlineMilliseconds)
            .defaulting(to: .integer(configuration.deadlineMilliseconds)).described(
                "Milliseconds after its arrival at which a request is given up with 504.")
    }

    private var predictRequest: Schema {
        .request(
            [
                "model": Self.modelName,
                "tests": .array(
                    of: .oneOf([.named("RowToPredict"), .named("InputToPredict")]), count: 1...configuration.maximumTests
                )
                .described("What is predicted for."),
            ], optional: ["id": Self.requestID, "checkpoint": Self.checkpointName])
    }

    static let requestID = Schema.string(count: 1...128).described(
        "Comes back in the answer; without one the service makes one.")
    static let modelName = Schema.string().described("The name of a model in the store.")
    static let checkpointName = Schema.string().described("The name of one of its checkpoints; the latest by default.")

    private static var solverSchemas: Schema.Members {
        var schemas: Schema.Members = [:]
        schemas.list = InfluenceRequest.Solver.kinds.map { kind in
            let name = Schema.constant(.string(kind.name))
            // Whoever names none means the standard one.
            let isStandard = kind == type(of: InfluenceRequest.Solver.standard.choice)
            let schema: Schema =
                isStandard
                ? .request(optional: ["name": name.defaulting(to: .string(kind.name))] + kind.fields)
                : .request(["name": name], optional: kind.fields)
            return (kind.schemaName + "Solver", schema.described(kind.summary))
        }
        return schemas
    }

    private static let goal = Schema.oneOf([
        .request(
            [
                "rank_stable": Schema.boolean.described(
                    "Until the k-th and the next score differ by more than two standard errors at both ends.")
            ], optional: ["relative_error": .null]),
        .request(
            [
                "relative_error": Schema.number(in: 1e-5...0.5).described(
                    "Until s_test is estimated to be as near as this to the exact one.")
            ],
            optional: ["rank_stable": .null]),
    ])

    private static let candidates = Schema.oneOf(
        [
            .request(
                [
                    "nearest_neighbors": .integer(in: 1...Int(Int32.max)).described(
                        "Only so many training examples, those nearest to each test by ℓ₂ distance (FastIF, Guo et al. 2021).")
                ], optional: ["layer": FeatureLayer.schema] + ExampleSet.nulls)
        ]
            + ExampleSet.schemas("Only these training examples.").map { set in
                .request(set.required, optional: set.optional + ["nearest_neighbors": .null, "layer": .null])
            })

    private static let group = named(ExampleSet.schemas("Its members; one named twice counts twice."))

    /// A set of examples under a name.
    static func named(_ sets: [(required: Schema.Members, optional: Schema.Members)]) -> Schema {
        let name: Schema.Members = ["name": .string(count: 1...128).described("What the answer calls it.")]
        return .oneOf(sets.map { .request(name + $0.required, optional: $0.optional) })
    }
}
