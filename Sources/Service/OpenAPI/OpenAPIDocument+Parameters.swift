internal import HTTPTypes
internal import JSON

// What removing training examples does to θ.
extension OpenAPIDocument {
    var parameters: OpenAPIOperation {
        OpenAPIOperation(
            method: .post, path: "/influence/parameters", id: "influenceOnParameters", tag: .attribution,
            summary: "How would the parameters change without these training examples?",
            description: """
                −(C + λI)⁻¹g of single training examples or of groups (Koh & Liang 2017, eq. 1), and the change of θ that it predicts if \
                they are removed and the model is trained anew: −1/n times that.
                """,
            body: .init(schema: "ParametersRequest", examples: RequestExample.parameters),
            answer: .init(
                description: "The predicted change of θ for each removal.", schema: .named("ParametersAnswer"),
                headers: [.serverTiming]),
            refusals: refusals)
    }

    var parametersSchemas: Schema.Members {
        ["ParametersRequest": parametersRequest, "ParametersAnswer": Self.parametersAnswer, "TensorChange": tensorChange]
    }

    private var parametersRequest: Schema {
        let examples: Schema.Members = [
            "examples": .array(of: .integer(in: 0...Int(Int32.max)), count: 1...configuration.maximumTests).described(
                "Training examples, each removed alone.")
        ]
        let groups: Schema.Members = [
            "groups": .array(of: .named("Group"), count: 1...configuration.maximumGroups).described(
                "Sets of training examples, each removed as a whole. No two have one name.")
        ]
        let shared: Schema.Members =
            ["id": Self.requestID, "checkpoint": Self.checkpointName] + Self.systemMembers + [
                "k": .integer(in: 1...configuration.maximumK).defaulting(to: 10).described(
                    "Entries of each tensor that are listed: those that change most."),
                "include": .array(of: .choice(of: ParametersRequest.Include.names.map(\.0)), count: 0...8)
                    .defaulting(to: ["metadata"]).described("What answers carry beside; `influence` as a tensor."),
                "deadline_ms": deadline,
            ]
        let model: Schema.Members = ["model": Self.modelName]
        return .oneOf([
            .request(model + examples, optional: groups + shared),
            .request(model + groups, optional: ["examples": .null] + shared),
        ]).described("Examples, groups, or both.")
    }

    private static let parametersAnswer = Schema.object([
        "id": answerID, "model": .string(), "checkpoint": .string(),
        "n_train": Schema.integer(in: 1 ... .max).described("n: training examples."),
        "results": .array(of: removalResult, count: 1 ... .max).described(
            "One for each example, then one for each group, in their order."),
    ])

    private static let removalResult = Schema.object(
        [
            "removed": .object(
                [:],
                optional: [
                    "index": .integer().described("Of an example."), "id": .string(), "target": .number(), "metadata": metadata,
                    "name": .string().described("Of a group."), "size": Schema.integer(in: 1 ... .max).described("Its members."),
                ]),
            "influence_norm": Schema.number(atLeast: 0).described("‖(C + λI)⁻¹g‖, g summed over what is removed."),
            "change_norm_if_removed": Schema.number(atLeast: 0).described("‖Δθ‖: that over n."),
            "tensors": .array(of: .named("TensorChange"), count: 1 ... .max),
            "diagnostics": .oneOf(solverDiagnostics.list.map { .named($0.name) }),
        ],
        optional: [
            "relative_change_if_removed": Schema.number(atLeast: 0).described("‖Δθ‖ / ‖θ‖."),
            "influence": Schema.named("Tensor").described("Where included: −(C + λI)⁻¹g, in the order of the parameters."),
        ])

    private var tensorChange: Schema {
        .object([
            "name": .string(), "shape": .array(of: .integer(in: 1 ... .max)),
            "change_norm_if_removed": .number(atLeast: 0),
            "largest": .array(
                of: .object(
                    [
                        "index": .array(of: .integer()), "change_if_removed": Schema.number().described("Its part of Δθ."),
                    ], optional: ["parameter": Schema.number().described("What it is now, where that is known.")]),
                count: 0...configuration.maximumK
            ).described("The entries that change most, those that do not change left out."),
        ])
    }
}
