internal import JSON

// What the computing routes answer, as it is encoded.
extension OpenAPIDocument {
    var answerSchemas: Schema.Members {
        [
            "InfluenceAnswer": Self.influenceAnswer, "ComparisonAnswer": comparisonAnswer, "InfluenceResult": influenceResult,
            "TestedRow": Self.testedRow,
            "TestedInput": Self.testedInput, "TestedGradient": Self.testedGradient,
            "TestedStoredGradient": Self.testedStoredGradient, "AggregatedTests": aggregatedTests,
            "GroupScore": Self.groupScore, "PredictAnswer": Self.predictAnswer, "Prediction": Self.prediction,
        ] + Self.diagnosticsSchemas
    }

    private static let influenceAnswer = Schema.object([
        "id": answerID, "model": .string(), "checkpoint": .string(), "method": .choice(of: InfluenceRequest.methods),
        "n_train": Schema.integer(in: 1 ... .max).described("n: training examples."),
        "orientation": .string().described("What the sign of a score means."),
        "results": .array(of: .named("InfluenceResult"), count: 1 ... .max).described(
            "One for each test in their order, or one for all where they are aggregated. The same request on the same store gives "
                + "the same bytes here."), "timing": timing,
    ])

    static let timing = Schema.object([
        "queue_ms": milliseconds("Waiting to be computed"), "s_test_ms": milliseconds("Solving for s_test"),
        "score_ms": milliseconds("Scoring training examples"),
        "total_ms": milliseconds(
            "All of it; less than the others together where the computation was under way already for another request"),
    ])

    /// Of a request that compares methods.
    private var comparisonAnswer: Schema {
        .object([
            "id": Self.answerID, "model": .string(), "checkpoint": .string(),
            "compare": .array(of: .choice(of: InfluenceRequest.methods), count: 2 ... .max),
            "n_train": Schema.integer(in: 1 ... .max).described("n: training examples."),
            "results": .array(
                of: .object([
                    "test": Self.tested,
                    "methods": .array(
                        of: .object(
                            ["method": .choice(of: InfluenceRequest.methods), "orientation": .string()] + resultMembers.always,
                            optional: resultMembers.sometimes), count: 2 ... .max
                    ).described("What each method says, in the order in which they are named."),
                    "agreement": .array(of: Self.agreement, count: 1 ... .max).described(
                        "Of each method with each of those after it, over all scored examples."),
                ]), count: 1 ... .max
            ).described("One for each test, or one for all where they are aggregated."), "timing": Self.timing,
        ])
    }

    private static let agreement = Schema.object(
        ["methods": .array(of: .choice(of: InfluenceRequest.methods), count: 2...2)],
        optional: [
            "kendall_tau": Schema.number(in: -1...1).described(
                "Kendall's τ-b of all scores; absent where a method tells no examples apart."),
            "spearman": Schema.number(in: -1...1).described("Spearman's ρ of all scores."),
            "proponents_overlap": Schema.number(in: 0...1).described(
                "The share of the k proponents that are the same; absent where neither method has any."),
            "proponents_shared": Schema.integer().described("How many."),
            "opponents_overlap": Schema.number(in: 0...1).described("The same of opponents."),
            "opponents_shared": .integer(),
        ])

    private static let tested = Schema.oneOf([
        .named("TestedRow"), .named("TestedInput"), .named("TestedGradient"), .named("TestedStoredGradient"),
        .named("AggregatedTests"),
    ])

    private var influenceResult: Schema {
        .object(["test": Self.tested] + resultMembers.always, optional: resultMembers.sometimes)
    }

    /// What is said of a result, beside its test.
    private var resultMembers: (always: Schema.Members, sometimes: Schema.Members) {
        (
            [
                "proponents": ranking(.number(above: 0), "The most positive scores, strongest first: helpful examples."),
                "opponents": ranking(.number(below: 0), "The most negative scores, strongest first: harmful examples."),
                "diagnostics": .oneOf(Self.diagnosticsSchemas.list.map { .named($0.name) }),
            ],
            [
                "groups": .array(of: .named("GroupScore"), count: 1...configuration.maximumGroups).described(
                    "Where the request has groups: one each, in their order."),
                "n_candidates": Schema.integer(in: 1 ... .max).described(
                    "Where the request has candidates: how many were scored."),
                "candidates": CandidateChoice.schema.described("Where candidates are neighbours: how they were found."),
                "all_scores": Schema.named("Tensor").described("Where included: every scored example's score."),
                "all_scores_indices": .array(of: .integer()).described(
                    "Where the request has candidates: which examples all_scores are of. Without, they are 0, 1, 2, …"),
                "s_test": Schema.named("Tensor").described(
                    "Where included: s_test, in the order of the parameters, or in the projected space."),
            ]
        )
    }

    private func ranking(_ score: Schema, _ description: String) -> Schema {
        let example = Schema.object(
            [
                "index": .integer().described("The row in the training dataset, from 0."),
                "score": score.described("By the request's method; of influence s_test · gᵢ, in units of the loss times n."),
            ],
            optional: [
                "predicted_loss_change_if_removed": Self.lossChange,
                "predicted_measurement_change_if_removed": Self.measurementChange,
                "id": .string().described("The example's name elsewhere, where it has one."),
                "target": .number().described("Its label, or the value it should have, where there is one."),
                "weight": Self.weight, "standard_error": Self.standardError,
                "contributions": .array(of: .object(["checkpoint": .string(), "score": .number()]), count: 1 ... .max).described(
                    "Where asked for: what each checkpoint adds to the score."),
                "metadata": Self.metadata, "input": Self.input,
            ] + Self.detailsOfMethods)
        return .array(of: example, count: 0...configuration.maximumK).described(description)
    }

    private static let lossChange = Schema.number().described(
        "Where the method predicts it, score / n: by how much the test's loss should change if this is removed and the model trained anew; "
            + "positive = worse.")
    private static var detailsOfMethods: Schema.Members {
        var details: Schema.Members = [:]
        details.list = InfluenceRequest.Method.kinds.flatMap { $0.details.list }
        return details
    }

    private static let measurementChange = Schema.number().described(
        "The same of another measurement than the loss, or of the target's less that of versus: by how much it should change.")
    private static let standardError = Schema.number(atLeast: 0).described(
        "Of the score, over the solver's repeats; absent where there are none.")

    private static let groupScore = Schema.object(
        [
            "name": .string(), "size": Schema.integer(in: 1 ... .max).described("Members."),
            "score": .number().described("The sum of the members' scores."),
        ],
        optional: [
            "predicted_loss_change_if_removed": lossChange, "predicted_measurement_change_if_removed": measurementChange,
            "standard_error": standardError,
        ])

    private var aggregatedTests: Schema {
        .object([
            "aggregate": .choice(of: InfluenceRequest.Aggregate.allCases.filter { $0 != .none }.map(\.rawValue)),
            "tests": .array(
                of: .oneOf([
                    .named("TestedRow"), .named("TestedInput"), .named("TestedGradient"), .named("TestedStoredGradient"),
                ]),
                count: 1...configuration.maximumTests),
        ])
    }

    private static let testedRow = Schema.object(
        [
            "dataset": .string(), "index": .integer(), "target": label, "target_source": source([.dataset, .request]),
            "prediction": predicted, "loss": loss,
        ], optional: contrast)

    private static let testedInput = Schema.object(
        [
            "input": .constant("request"), "target": label, "target_source": source([.request, .predicted]),
            "prediction": predicted, "loss": loss,
        ], optional: contrast)

    private static let contrast: Schema.Members = [
        "versus": Schema.number().described("The label that the target is contrasted with."),
        "measured": Schema.number().described(
            "Where the request asks about another measurement than the loss, or contrasts labels: what it is now."),
    ]

    private static let testedGradient = Schema.object(["gradient": .constant("request")])

    private static let testedStoredGradient = Schema.object(
        ["dataset": .string(), "index": .integer(), "gradient": .constant("stored")],
        optional: ["target": label, "target_source": source([.dataset])]
    ).described("A training example of a model that is known by gradients alone: its gradient is as it was imported.")

    private static func source(_ sources: [ResolvedTest.TargetSource]) -> Schema {
        Schema.choice(of: sources.map(\.rawValue)).described("Where the target is from.")
    }

    private static let label = Schema.number().described("The label or value the loss is taken for.")
    private static let loss = Schema.number(atLeast: 0).described("ℓ(z; θ) as the model's loss defines it, without a weight.")
    static let predicted = Schema.object(
        [:],
        optional: [
            "label": predictedLabel, "probabilities": probabilities,
            "value": Schema.number().described("The output, where there are no probabilities."),
        ])
    private static let predictedLabel = Schema.integer(in: -1 ... .max).described(
        "The most probable class, the lowest of equals; -1 or 1 for smooth_hinge; absent for mean_squared_error.")
    private static let probabilities = Schema.array(of: .number(in: 0...1), count: 2 ... .max).described(
        "One for each class; absent where the loss knows none.")

    /// What answers say of each solver, and of each method that has nothing solved. Whoever chooses a solver automatically says what it
    /// chose.
    static var diagnosticsSchemas: Schema.Members {
        var schemas = solverDiagnostics
        schemas.list += InfluenceRequest.Method.kinds.filter { !$0.uses.contains(.solver) }.map { kind in
            (kind.schemaName + "Diagnostics", diagnostics(of: kind))
        }
        return schemas
    }

    static var solverDiagnostics: Schema.Members {
        var schemas: Schema.Members = [:]
        schemas.list = InfluenceRequest.Solver.kinds.compactMap { kind in
            kind.diagnostics.map { (kind.schemaName + "Diagnostics", diagnostics(of: kind.name, $0.always, $0.sometimes)) }
        }
        return schemas
    }

    private static func diagnostics(of solver: String, _ always: Schema.Members, _ sometimes: Schema.Members) -> Schema {
        let methods = InfluenceRequest.Method.kinds.filter { $0.uses.contains(.solver) }.flatMap {
            $0.diagnostics.always.list + $0.diagnostics.sometimes.list
        }
        var ofMethods: Schema.Members = [:]
        ofMethods.list = methods
        return .object(
            ["solver": .constant(.string(solver))] + always + [
                "curvature": .choice(of: InfluenceRequest.Curvature.self),
                "lambda_effective": Schema.number(atLeast: 0).described("λ: weight decay plus damping."),
                "residual": Schema.number(atLeast: 0).described("‖(C + λI)s − v‖ / ‖v‖ on all training examples."),
                "converged": .boolean,
            ],
            optional: ["gradients": usedGradients] + sometimes + ofMethods + [
                "solver_reason": .string().described("Where the solver is `auto`: why it is this one."),
                "until_reached": Schema.boolean.described("Where the request has until: whether it was reached in time."),
                "converged_tests": Schema.integer().described("Of slices: how many tests converged."),
            ] + ofScores)
    }

    private static func diagnostics(of method: any MethodChoice.Type) -> Schema {
        let always: Schema.Members = ["method": .constant(.string(method.name))]
        let usesCaches = method.uses.contains(.gradients)
        return .object(
            always + method.diagnostics.always + (usesCaches ? ["gradients": usedGradients] : [:]),
            optional: method.diagnostics.sometimes + ofScores)
    }

    private static let usedGradients = Schema.string().described(
        "By which training gradients examples were scored: `exact`, or a cache's.")

    /// What is said of scores, whoever made them.
    private static let ofScores: Schema.Members =
        GradientCache.Summary.fields + [
            "space": Schema.constant("projected").described(
                "Where a test was given as a projected gradient: all was solved and scored in the space of that cache's rows."),
            "rank_stable": Schema.boolean.described(
                """
                Whether the k-th and the next score differ by more than two standard errors at both ends; never where a solver without \
                repeats has not converged.
                """),
        ]

    private static let predictAnswer = Schema.object([
        "id": answerID, "model": .string(), "checkpoint": .string(),
        "results": Schema.array(of: .named("Prediction"), count: 1 ... .max).described("One for each test, in their order."),
    ])

    private static let prediction = Schema.object(
        [
            "outputs": Schema.array(of: .number(), count: 1 ... .max).described("What the last layer puts out.")
        ],
        optional: [
            "probabilities": probabilities, "label": predictedLabel, "dataset": .string(), "index": .integer(), "target": label,
            "loss": loss.described("ℓ(z; θ), where there is a target."),
        ])

    static let answerID = Schema.string().described("The request's, or one that the service made.")
    private static let count = Schema.integer(in: 1 ... .max)

    private static func milliseconds(_ description: String) -> Schema {
        Schema.number(atLeast: 0).described("\(description), in milliseconds.")
    }
}
