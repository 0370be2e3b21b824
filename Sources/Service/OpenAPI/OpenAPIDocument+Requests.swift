internal import JSON
internal import Networks

// What requests may say, as their decoders read it.
extension OpenAPIDocument {
    var requestSchemas: Schema.Members {
        [
            "InfluenceRequest": influenceRequest, "PredictRequest": predictRequest, "Goal": Self.goal,
            "Candidates": Self.candidates, "Group": Self.group,
        ] + Self.solverSchemas + Self.testSchemas
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
                "method": Self.method,
                "compare": .array(of: .choice(of: InfluenceRequest.methods), count: 2...InfluenceRequest.methods.count).described(
                    """
                    In place of method: answers under each of these, none named twice, and says how far they agree. A member that not all \
                    of them take is for those that do.
                    """),
                "measurement": Self.measurement,
            ] + Self.systemMembers + [
                "until": Schema.named("Goal").described(
                    """
                    Goes on in rounds of lissa until this is reached, or until `deadline_ms` comes near: the best so far is the answer then, \
                    marked by `until_reached`.
                    """),
                "gradients": Self.gradients,
                "k": .integer(in: 1...configuration.maximumK).defaulting(to: 10).described("Examples at each end of a ranking."),
                "candidates": Schema.named("Candidates").described("Which training examples are scored; all by default."),
                "groups": .array(of: .named("Group"), count: 1...configuration.maximumGroups).described(
                    "Sets of training examples that are also scored as wholes. No two have one name."),
                "include": .array(of: .choice(of: InfluenceRequest.Include.names.map(\.0)), count: 0...8)
                    .defaulting(to: ["metadata"]).described(
                        "What answers carry beside indices and scores; the last two as tensors."),
                "deadline_ms": deadline,
            ] + Self.methodFields)
    }

    static let method = Schema.choice(of: InfluenceRequest.methods).defaulting(to: "influence").described(methods)
    static let measurement = Schema.choice(of: OutputMeasurement.self).defaulting(to: "loss").described(
        """
        What of a test is asked about: its loss, or the logit, margin (log p/(1 − p)) or probability of its target. A proponent \
        lowers a loss, and raises each of the others.
        """)
    static let gradients = Schema.string().defaulting(to: .string(ChosenGradients.exact)).described(
        "By which training gradients examples are scored: `exact`, or the `name` of one of the model's caches, whose measured error comes "
            + "with the answer.")

    /// What is solved, and by whom.
    static let systemMembers: Schema.Members = [
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
        "solver": .oneOf(InfluenceRequest.Solver.kinds.map { .named($0.schemaName + "Solver") }).described(
            "Who solves for s_test; LiSSA with automatic settings by default."),
    ]

    var deadline: Schema {
        .integer(in: 1...configuration.maximumDeadlineMilliseconds)
            .defaulting(to: .integer(configuration.deadlineMilliseconds)).described(
                "Milliseconds after its arrival at which a request is given up with 504.")
    }

    /// What each method is, and which of the members that not all share it takes.
    private static var methods: String {
        let kinds = InfluenceRequest.Method.kinds.map { kind in
            let members = SharedMember.allCases.filter { kind.uses.contains($0) }.map(\.rawValue) + kind.fields.list.map(\.name)
            return "`\(kind.name)`: \(kind.summary) Takes \(members.isEmpty ? "none of these" : members.joined(separator: ", "))."
        }
        let shared = SharedMember.allCases.map(\.rawValue).joined(separator: ", ")
        return "How training examples are scored. Not every method takes \(shared). " + kinds.joined(separator: " ")
    }

    /// Members that are one method's own.
    static var methodFields: Schema.Members {
        var fields: Schema.Members = [:]
        for field in InfluenceRequest.Method.kinds.flatMap({ $0.fields.list })
        where !fields.list.contains(where: { $0.name == field.name }) { fields.list.append(field) }
        return fields
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

    private static let candidates = Schema.oneOf([
        .request(
            [
                "nearest_neighbors": .integer(in: 1...Int(Int32.max)).described(
                    "Only so many training examples, those nearest to each test by ℓ₂ distance (FastIF, Guo et al. 2021).")
            ], optional: ["layer": FeatureLayer.schema, "indices": .null, "where": .null, "target": .null, "id": .null]),
        .request(
            ["indices": indices.described("Only these training examples.")],
            optional: ["nearest_neighbors": .null, "layer": .null, "where": .null, "target": .null, "id": .null]),
        Schema.request(
            optional: ExampleFilter.schema + ["nearest_neighbors": .null, "layer": .null, "indices": .null]
        ).described("Only the training examples that meet all conditions, of which there is one at least."),
    ])

    private static let group = Schema.request(
        ["name": .string(count: 1...128).described("What the answer calls it.")],
        optional: [
            "indices": indices.described("Its members; one named twice counts twice. These, or conditions that they meet.")
        ]
            + ExampleFilter.schema)

    private static let indices = Schema.array(of: .integer(in: 0...Int(Int32.max)), count: 1 ... .max)
}
