internal import HTTPTypes
internal import JSON

// The spectrum of a checkpoint.
extension OpenAPIDocument {
    var spectrum: OpenAPIOperation {
        OpenAPIOperation(
            method: .get, path: API.spectrumPath, id: "getSpectrum", tag: .attribution,
            summary: "What is the curvature like here, and did training converge?",
            description: """
                The largest eigenvalues of C, both of its ends, its trace and the density of all eigenvalues; whether C + λI is \
                positive definite, and what damping would make it so; how large the gradient of the objective is. Derived once for a \
                checkpoint and a curvature, by Lanczos recursions over the training examples, and kept in the store.
                """,
            parameters: [Self.modelOfPath, Self.checkpointOfPath] + spectrumParameters,
            answer: .init(
                description: "The spectrum; as SVG, a plot of its density.", schema: .named("SpectrumAnswer"),
                alternatives: [(MediaTypes.svg, .string())], headers: [.serverTiming]),
            refusals: refusals.filter { $0.status != .lengthRequired }, hasEntityTag: true)
    }

    private static let checkpointOfPath = OpenAPIOperation.Parameter(
        name: "checkpoint", location: .path, description: "The name of one of the model's checkpoints.", schema: pathName,
        example: "final")

    private var spectrumParameters: [OpenAPIOperation.Parameter] {
        [
            .init(
                name: "curvature", location: .query,
                description: "C, as in requests for influence; by default the one that those take.",
                schema: .choice(of: InfluenceRequest.Curvature.self)),
            .init(
                name: "damping_mode", location: .query, description: "What damping is measured in: 1, or trace(C)/p.",
                schema: .choice(of: InfluenceRequest.DampingMode.self).defaulting(to: "absolute")),
            .init(
                name: "k", location: .query, description: "How many of the largest eigenvalues.",
                schema: .integer(in: SpectrumRequest.counts).defaulting(to: 10)),
            .init(
                name: "damping", location: .query,
                description: "Added to C's diagonal, beside weight decay, where it is asked whether it is positive definite.",
                schema: .number(in: 0...1e9).defaulting(to: 0)),
            .init(
                name: "deadline_ms", location: .query,
                description:
                    "Milliseconds after its arrival at which a request is given up with 504. Who asks again goes on with "
                    + "what is missing.",
                schema: .integer(in: 1...configuration.maximumDeadlineMilliseconds)
                    .defaulting(to: .integer(configuration.deadlineMilliseconds))),
        ]
    }

    static let spectrumSchemas: Schema.Members = [
        "SpectrumAnswer": spectrumAnswer, "RitzValue": ritzValue, "Definiteness": definiteness, "Convergence": convergence,
        "SpectrumDensity": density,
    ]

    private static let spectrumAnswer = Schema.object([
        "model": .string(), "checkpoint": .string(), "curvature": .choice(of: InfluenceRequest.Curvature.self),
        "n_train": .integer(in: 1 ... .max).described("n: training examples."),
        "parameter_count": .integer(in: 1 ... .max).described("p, and how many eigenvalues C has."),
        "eigenvalues": .array(of: .named("RitzValue"), count: 1...SpectrumRequest.counts.upperBound).described(
            "The largest of C, weight decay inside and damping not, the largest first; fewer than k where no more are known. A repeated "
                + "one stands once, unless all are known."),
        "largest": .named("RitzValue"), "smallest": .named("RitzValue"),
        "lanczos_steps": .integer(in: 1 ... .max).described("Products over all training examples that the ends were found by."),
        "complete": .boolean.described("Whether the recursion found every eigenvalue: then all are exact but for rounding."),
        "trace": .number().described(
            "The sum of all eigenvalues, or an unbiased estimate: trace(C)/p is the unit of relative damping."),
        "definiteness": .named("Definiteness"), "convergence": .named("Convergence"), "density": .named("SpectrumDensity"),
    ])

    private static let ritzValue = Schema.object([
        "value": .number().described("What the recursion takes for an eigenvalue."),
        "residual": .number(atLeast: 0).described("An eigenvalue lies at most so far from it, rounding included."),
    ])

    private static let definiteness = Schema.object([
        "weight_decay": .number(atLeast: 0), "damping": .number(atLeast: 0),
        "damping_mode": .choice(of: InfluenceRequest.DampingMode.self),
        "lambda_effective": .number(atLeast: 0).described("λ: weight decay plus damping."),
        "positive_definite": .boolean.described("Whether the curvature of the losses plus λI is, as far as the recursion saw."),
        "negative_curvature": .boolean.described(
            "Whether the curvature of the losses has negative eigenvalues, weight decay apart."),
        "damping_needed": .number(atLeast: 0).described(
            "A `damping`, in mode `absolute`, that makes it positive definite with something to spare; 0 where weight decay does."
        ),
        "condition_number": .number(atLeast: 1).orNull.described(
            "The largest eigenvalue over the smallest, λ inside; null where it is not positive definite."),
        "summary": .string().described("The same in words."),
    ])

    private static let convergence = Schema.object([
        "converged": Schema.boolean.orNull.described("Whether the criterion is met; null where the gradient is not known."),
        "criterion": .constant(.string(Convergence.criterion)).described(
            "`one_example`: gradient_norm ≤ limit = max(1/n, 10⁻⁶)·example_gradient_norm, so that what is left of the gradient is no "
                + "more than what leaving out one typical example changes it by."),
        "limit": .number(atLeast: 0),
        "gradient_norm": .number(atLeast: 0).orNull.described(
            "‖∇F‖ of the objective, weight decay inside; null where the parameters it takes are not known."),
        "equivalent_examples": .number(atLeast: 0).orNull.described("n·‖∇F‖ over the norm of the typical example's gradient."),
        "example_gradient_norm": .number(atLeast: 0).described("√((1/n) Σ ‖gᵢ‖²), from a sample where there are many examples."),
        "mean_gradient_norm": .number(atLeast: 0).described("‖(1/n) Σ gᵢ‖: ∇F without weight decay."),
        "parameter_norm": .number(atLeast: 0).orNull.described("‖θ‖, where it is known."),
        "distance_bound": .number(atLeast: 0).orNull.described(
            "‖∇F‖/weight_decay, which bounds how far θ is from the minimum, where the objective is strongly convex."),
        "summary": .string().described("The same in words."),
    ])

    private static let density = Schema.object([
        "exact": .boolean.described("Whether every eigenvalue is known; if not, stochastic Lanczos quadrature estimates."),
        "probes": .integer(in: 1 ... .max).orNull.described("Random vectors that it was estimated by."),
        "sample_size": .integer(in: 1 ... .max).orNull.described("How many evenly spread examples stand for all; null for all."),
        "sigma": .number(above: 0).described(
            "The width of the normal distribution that each eigenvalue is spread to on the grid."),
        "positions": numbers(SpectrumCurve.points).described("The grid, evenly spaced."),
        "density": numbers(SpectrumCurve.points).described("How dense eigenvalues lie there; of area 1."),
        "counts": numbers(SpectrumCurve.points).described("Eigenvalues for each point of the grid."),
        "logarithmic": .object([
            "edges": numbers(SpectrumBins.count + 1).described(
                "Magnitudes, evenly spaced in their logarithms; the last is the largest."),
            "positive": numbers(SpectrumBins.count).described("Positive eigenvalues from each edge to the next."),
            "near_zero": .number(atLeast: 0).described("Eigenvalues smaller in magnitude than the first edge."),
            "negative": numbers(SpectrumBins.count).described(
                "Negative eigenvalues from each edge to the next, by their magnitude."),
        ]),
    ])

    private static func numbers(_ count: Int) -> Schema { .array(of: .number(), count: count...count) }
}
