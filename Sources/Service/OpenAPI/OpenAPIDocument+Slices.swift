internal import HTTPTypes
internal import JSON

// Slices of the training data × slices of tests.
extension OpenAPIDocument {
    var slices: OpenAPIOperation {
        OpenAPIOperation(
            method: .post, path: "/influence/slices", id: "influenceOfSlices", tag: .attribution,
            summary: "Which parts of the training data help or harm which tests?",
            description: """
                The scores of all pairs of a training example of one slice and a test of another, as their mean, mean absolute value, sum and \
                counts of helpful and harmful ones, for each pair of slices; and how alike the slices of tests see the training data (FastIF, \
                Guo et al. 2021, section 6.2, tables 5 and 6).
                """,
            body: .init(schema: "SlicesRequest", examples: RequestExample.slices),
            answer: .init(
                description: "A row for each slice of the training data, with a cell for each slice of tests.",
                schema: .named("SlicesAnswer"), headers: [.serverTiming]),
            refusals: refusals)
    }

    var slicesSchemas: Schema.Members {
        let requests = slicesRequests.schemas
        return [
            "SlicesRequest": .oneOf(of: requests).described("By one method: influence where none is named."),
            "TestSlices": testSlices, "Slice": Self.slice, "SlicesAnswer": Self.slicesAnswer, "SliceCell": Self.sliceCell,
        ] + requests
    }

    private var slicesRequests: MethodRequests {
        MethodRequests(
            prefix: "SlicesBy", methods: RoutedMethod.all,
            required: [
                "model": Self.modelName,
                "training_slices": slices("Parts of the training data, which may overlap. No two have one name."),
                "test_slices": .named("TestSlices"),
            ],
            optional: [
                "correlations": Schema.boolean.defaulting(to: .bool(true)).described(
                    "Whether the answer says how alike the slices of tests see the training data."),
                "id": Self.requestID, "checkpoint": Self.checkpointName, "deadline_ms": deadline,
            ],
            shared: Self.scoringMembers)
    }

    private var testSlices: Schema {
        .request([
            "dataset": .string().described("The name of the dataset that the tests are of."),
            "slices": slices(
                "Parts of that dataset, \(configuration.maximumSliceTests) tests together at most. No test is in two. No two have one name."
            ),
        ])
    }

    private func slices(_ description: String) -> Schema {
        .array(of: .named("Slice"), count: 1...configuration.maximumSlices).described(description)
    }

    private static let slice = named(ExampleSet.schemas("Its members; one named twice is one."))

    private static let slicesAnswer = Schema.object(
        [
            "id": answerID, "model": .string(), "checkpoint": .string(), "method": .choice(of: InfluenceRequest.methods),
            "orientation": .string().described("What the sign of a score means."),
            "n_train": Schema.integer(in: 1 ... .max).described("n: training examples."),
            "training_slices": .array(of: .object(["name": .string(), "size": sliceSize]), count: 1 ... .max).described(
                "The rows of the matrix."),
            "test_slices": .array(
                of: .object(
                    ["name": .string(), "size": sliceSize],
                    optional: [
                        "mean_loss": Schema.number().described("ℓ over its tests, where losses are known."),
                        "accuracy": Schema.number(in: 0...1).described(
                            "The share of its tests whose predicted label is the target, where there are labels."),
                    ]), count: 1 ... .max
            ).described("The columns of the matrix."),
            "matrix": .array(of: .array(of: .named("SliceCell"), count: 1 ... .max), count: 1 ... .max),
            "diagnostics": Schema.oneOf(diagnosticsSchemas.list.map { .named($0.name) }).described(
                "Of the test whose system was solved least exactly: `residual` is the largest. `converged`: whether all did."),
            "timing": timing,
        ],
        optional: [
            "correlations": .array(
                of: .array(
                    of: .object(
                        optional: [
                            "spearman": Schema.number(in: -1...1).described(
                                "Spearman's ρ; absent where a slice tells no examples apart."),
                            "kendall_tau": Schema.number(in: -1...1).described("Kendall's τ-b; absent as above."),
                        ]), count: 1 ... .max), count: 1 ... .max
            ).described("Of each slice of tests with each: of the mean scores of all training examples over the tests of either.")
        ])

    private static let sliceCell = Schema.object(
        [
            "mean": Schema.number().described("The mean score of all pairs of a training example and a test."),
            "mean_absolute": Schema.number(atLeast: 0).described("The mean |score|."), "sum": .number(),
            "helpful": Schema.integer().described("Pairs whose score is above zero."),
            "harmful": Schema.integer().described("Pairs whose score is below zero."),
            "zero": Schema.integer().described("Pairs whose score is zero."),
        ],
        optional: [
            "mean_helpful": Schema.number(atLeast: 0).described("The mean |score| of helpful pairs, where there are any."),
            "mean_harmful": Schema.number(atLeast: 0).described("The mean |score| of harmful pairs, where there are any."),
            "predicted_loss_change_if_removed": Schema.number().described(
                """
                What the mean loss of the slice of tests is predicted to change by if the whole slice of the training data is removed, to first \
                order: sum / n / tests. By methods that predict a change.
                """),
            "predicted_measurement_change_if_removed": Schema.number().described(
                "The same of another measurement's mean, in its place."),
        ])

    private static let sliceSize = Schema.integer(in: 1 ... .max).described("Its members.")
}
