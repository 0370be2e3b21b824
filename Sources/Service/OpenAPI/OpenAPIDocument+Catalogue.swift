internal import Attribution
internal import Formats
internal import JSON
internal import Store

// What the store holds, as the catalogue shows it.
extension OpenAPIDocument {
    static let catalogueSchemas: Schema.Members = [
        "Models": .object(["models": .array(of: .named("Model"))]), "Model": model, "ModelSpec": modelSpec,
        "Checkpoint": checkpoint, "GradientCache": gradientCache,
        "Datasets": .object(["datasets": .array(of: .named("Dataset"))]),
        "Dataset": dataset, "Example": example,
    ]

    private static let model = Schema.object([
        "name": .string(), "spec": .named("ModelSpec"),
        "parameter_count": .integer(in: 1 ... .max).described("p: trained numbers, or the numbers in a gradient."),
        "dataset": .string().described("What it was trained on."),
        "checkpoints": .array(of: .named("Checkpoint")).described("In the order of training; the last is the default."),
        "caches": .array(of: .named("GradientCache")),
    ])

    private static let modelSpec = Schema.oneOf([networkSpec, gradientSpec]).described("The spec, as it was imported.")

    private static let gradientSpec = Schema.object([
        "gradients": Schema.object(["width": .integer(in: 1 ... .max)]).described(
            "The model is known by the gradients of its training examples alone, which were computed elsewhere."),
        "weight_decay": .number(atLeast: 0),
    ])

    private static let networkSpec = Schema.object(
        [
            "layers": .array(of: .object(["type": .string()], isOpen: true), count: 1 ... .max).described(
                "First to last; types and fields carry PyTorch's names."),
            "loss": .object(["type": .string()], isOpen: true),
        ],
        optional: [
            "input_shape": .array(of: .integer(in: 1 ... .max)).orNull.described(
                "Extents of one example, where the first layer does not imply them."),
            "input_dtype": .string().orNull,
            "weight_decay": .number(atLeast: 0).orNull.described(
                "The objective has (weight_decay/2)·‖θ‖²; 0 where it is left out."),
        ])

    private static let checkpoint = Schema.object([
        "name": .string(), "step": .integer().orNull.described("Updates up to it."), "epoch": .integer().orNull,
        "learning_rate": .number(atLeast: 0).orNull.described("At that step."),
        "train_loss": .number().orNull.described("F(θ)."),
        "sha256": digest.described("Of its tensors, or of its gradients where it has none."),
    ])

    private static let gradientCache = Schema.object(
        [
            "checkpoint": .string(),
            "kind": .string().described(
                "In which form the gradients are kept: `factored`, exact, as the factors that they are products of; `dense`, written "
                    + "out; `projected`. Others were computed elsewhere."),
            "name": .string().described("What requests call it in `gradients`."),
            "dtype": .choice(of: ElementType.self).described("int8: with a scale for each block of 128 numbers."),
            "bytes": .integer(),
            "state": .choice(of: [CacheRecord.State.building, .complete].map(\.rawValue) + ["stale"]).described(
                "Only complete caches are used. Stale: made of another checkpoint, dataset or spec."),
        ],
        optional: [
            "proj_type": .choice(of: ProjectionChoice.Kind.self).described("Of projected gradients: which projection."),
            "proj_dim": Schema.integer(in: 1 ... .max).described("To so many numbers."),
            "proj_seed": .integer().described("By random numbers of this seed."),
            "relative_score_error": relativeScoreError, "rank_correlation": rankCorrelation,
        ])

    static let relativeScoreError = Schema.number(atLeast: 0).described(
        "Where gradients are approximate: ‖ŝ − s‖ / ‖s‖ of their scores ŝ and exact ones s, as measured when the cache was finished: "
            + "along the gradients of up to 16 training examples, for up to 512.")
    static let rankCorrelation = Schema.number(in: -1...1).described(
        "Where gradients are approximate: the mean of Spearman's rank correlations between these scores, one for each direction.")

    private static let dataset = Schema.object([
        "name": .string(), "n": .integer().described("Examples."),
        "shape": .array(of: .integer()).orNull.described(
            "Extents of one example's input; none for a single number, null where examples have no inputs."),
        "dtype": .choice(of: ElementType.self).orNull.described("How the numbers are stored."),
        "divisor": .number(above: 0).described("What stored numbers are divided by when they are read."),
        "target_dtype": .choice(of: ElementType.self).orNull.described(
            "int32 for labels, float32 for values; null where examples have no targets."),
        "weighted": .boolean.described("Whether examples have weights; if not, all count the same."),
        "bytes": .integer().described("Of all inputs, targets and weights."),
        "sha256": digest.described("Of types, shapes, divisor, inputs, targets and weights."),
        "created_at": .string(format: "date-time"),
    ])

    private static let example = Schema.object(
        [
            "index": .integer().described("The row, from 0."), "metadata": metadata,
        ],
        optional: [
            "target": .named("Values").described("The label, the value, or values nested in their shape, where there is one."),
            "input": input, "weight": weight,
            "id": .string().described("Its name elsewhere, where it has one."),
            "label": .string().described("The label as a text, where the target is one."),
        ])

    static let metadata = Schema.object(isOpen: true).described("What was imported with the example.")
    static let weight = Schema.number(atLeast: 0).described(
        "What the example's loss is multiplied by, where the dataset has weights.")
    static let input = Schema.named("Values").described(
        "The example's input, divisor applied, nested in its shape; absent where it has none.")
    private static let digest = Schema.string(pattern: "^[0-9a-f]{64}$")
}
