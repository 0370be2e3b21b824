internal import Attribution
internal import HTTPTypes
internal import JSON

// Which training examples move themselves most.
extension OpenAPIDocument {
    var selfInfluence: OpenAPIOperation {
        OpenAPIOperation(
            method: .post, path: QueryRoute.selfInfluence.rawValue, id: "selfInfluence", tag: .attribution,
            summary: "Which training examples move themselves most?",
            description: """
                Scores every training example by its influence on itself, and lists the largest: candidates for wrong labels and outliers \
                (TracIn, Pruthi et al. 2020, section 4.1; Koh & Liang 2017, section 5.4).
                """,
            body: .init(schema: "SelfInfluenceRequest", examples: RequestExample.selfInfluence),
            answer: .init(
                description: "The most self-influential examples, and how the scores of all are spread.",
                schema: .named("SelfInfluenceAnswer"), headers: [.serverTiming]),
            refusals: refusals)
    }

    var selfInfluenceSchemas: Schema.Members {
        let requests = selfInfluenceRequests.schemas
        return [
            "SelfInfluenceRequest": .oneOf(of: requests).described("By one method: influence where none is named."),
            "SelfInfluenceAnswer": selfInfluenceAnswer,
        ] + requests
    }

    private static let kinds = InfluenceRequest.Method.selfScoring

    private var selfInfluenceRequests: MethodRequests {
        MethodRequests(
            prefix: "SelfInfluenceBy",
            methods: Self.kinds.map { RoutedMethod(kind: $0, uses: $0.usesForSelf, summary: $0.summaryOfSelf) },
            required: ["model": Self.modelName],
            optional: [
                "id": Self.requestID, "checkpoint": Self.checkpointName,
                "k": .integer(in: 1...configuration.maximumK).defaulting(to: 10).described("Examples that are listed."),
                "include": .array(of: .choice(of: SelfInfluenceRequest.included.map(\.0)), count: 0...8)
                    .defaulting(to: ["metadata"]).described(
                        "What answers carry beside indices and scores; the last as a tensor."),
                "deadline_ms": deadline,
            ],
            shared: Self.curvatureMembers + [
                "solver": .oneOf(ExampleSolver.kinds.map { .named($0.schemaName + "Solver") }).described(
                    "Who solves for all training examples, which lissa, cg and others for single tests can't: by default exact where that "
                        + "takes seconds, and ekfac where not."),
                "gradients": .string().defaulting(to: .string(ChosenGradients.exact)).described(
                    "By which training gradients examples are scored: `exact`, or the `name` of one of the model's caches; by projected "
                        + "ones, estimates whose mean is right."),
            ])
    }

    private var selfInfluenceAnswer: Schema {
        .object(
            [
                "id": Self.answerID, "model": .string(), "checkpoint": .string(),
                "method": .choice(of: Self.kinds.map { $0.name }),
                "n_train": Schema.integer(in: 1 ... .max).described("n: training examples."),
                "orientation": .string().described("What the score is, and what a large one means."),
                "examples": .array(of: Self.selfInfluentialExample, count: 1...configuration.maximumK).described(
                    "The largest scores, largest first; of equals the lower index. k of them, or all where there are fewer."),
                "quantiles": .array(
                    of: .object(["probability": .number(in: 0...1), "score": .number()]),
                    count: ScoreDistribution.probabilities.count...ScoreDistribution.probabilities.count
                ).described(
                    """
                    Of all n scores, with linear interpolation between neighbours: type 7 of Hyndman & Fan (1996). Those of 0 and 1 are the \
                    smallest and the largest.
                    """),
                "mean": Schema.number().described("Of all n scores."),
                "diagnostics": .oneOf(Self.kinds.map(Self.diagnosticsOfSelf)),
                "timing": .object([
                    "queue_ms": Self.time("Waiting to be computed"), "score_ms": Self.time("Scoring training examples"),
                    "total_ms": Self.time("All of it"),
                ]),
            ],
            optional: [
                "all_scores": Schema.named("Tensor").described("Where included: every example's score, in single precision.")
            ])
    }

    private static var selfInfluentialExample: Schema {
        .object(
            [
                "index": .integer().described("The row in the training dataset, from 0."),
                "score": .number().described("By the request's method; see `orientation`."),
            ],
            optional: [
                "id": .string().described("The example's name elsewhere, where it has one."),
                "target": .number().described("Its label, or the value it should have, where there is one."), "weight": weight,
                "predicted_loss_change_if_removed": .number(atLeast: 0).described(
                    "Of influence, score / n: by how much the example's own loss should rise if it is removed and the model trained anew."
                ),
                "contributions": .array(of: .object(["checkpoint": .string(), "score": .number()]), count: 1 ... .max).described(
                    "Of tracin_cp, where asked for: what each checkpoint adds to the score."),
                "coefficients": Schema.array(of: .number(), count: 1 ... .max).described(
                    "Of representer_point: αᵢ, one number for each output."),
                "prediction": predicted.described("What the model says of it, where it is a network."), "metadata": metadata,
                "input": input,
            ])
    }

    private static func diagnosticsOfSelf(_ kind: any SelfScoring.Type) -> Schema {
        let caches: Schema.Members =
            kind.usesForSelf.contains(.gradients)
            ? ["gradients": Schema.string().described("By which gradients: `exact`, or a cache's.")] : [:]
        return .object(
            (["method": .constant(.string(kind.name))] as Schema.Members) + kind.diagnosticsOfSelf.always + caches,
            optional: kind.diagnosticsOfSelf.sometimes + (caches.list.isEmpty ? [:] : GradientCache.Summary.fields))
    }

    private static func time(_ description: String) -> Schema {
        .number(atLeast: 0).described("\(description), in milliseconds.")
    }
}
