internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// How near an example is to the test, by inputs or by what a layer makes of them: the baseline of all the papers (RelatIF, appendix H;
/// FastIF, section 3.2).
struct NearestNeighborMethod: MethodChoice {
    static let name = "nearest_neighbor"
    static let summary = """
        How near an example is to the test, by the output of a layer or by the input: 1/(1 + ‖x − x_test‖₂), or the cosine. The nearest are the \
        strongest proponents; opponents there are by cosine alone.
        """
    static let fields: Schema.Members = [
        "metric": .choice(of: NeighborMetric.self).defaulting(to: .string(NeighborMetric.l2.rawValue)).described(
            "What near means."),
        "layer": FeatureLayer.schema,
    ]
    static let uses: Set<SharedMember> = []
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members) = (
        ["metric": .choice(of: NeighborMetric.self), "layer": Schema.string().described("By whose output; `input` for none's.")],
        [:]
    )
    static let details: Schema.Members = [
        "distance": Schema.number(atLeast: 0).described("Of nearest_neighbor by l2: ‖x − x_test‖₂; of several tests the mean.")
    ]

    private let metric: NeighborMetric
    private let layer: FeatureLayer

    var names: [String] { layer.names }

    init(_ object: JSONObjectReader) {
        metric = object.choice("metric", default: .l2)
        layer = FeatureLayer(object)
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        _ = try subjects.model.network(at: "/method", "needs a network to tell examples by; use gradient_cosine or gradient_dot")
        let features = try engine.features(of: subjects.model, at: layer, pointer: "/layer", interruption: interruption)
        let queries = try subjects.tests.map { tests in
            try tests.map { test in
                guard !test.input.isEmpty else {
                    throw Problem(at: test.test.pointer, "must have an input: a gradient is near to no example")
                }
                return try features.features(of: test.input, interruption: interruption)
            }
        }
        // A score is not linear in a test's features: several tests are one direction, and a source of its own kind.
        let together = queries[0].count
        let rows = FeatureSimilarities(features.rows, metric: metric, testsTogether: together)
        let source = ChosenGradients.Source.derived(
            "features \(metric.rawValue) \(features.name) of \(together)", subjects.model.identity)
        let directions = queries.map { ExampleGradients(vectors: $0.flatMap { $0 }, count: 1) }
        let (metric, parallel) = (metric, engine.parallel)
        return Scoring(
            [Scoring.Term(source, rows, .given(directions))], multipliers: Self.multipliers(subjects, rows.count),
            orientation: .similarity,
            diagnostics: ["metric": .string(metric.rawValue), "layer": .string(features.name)]
        ) { subject, example in
            guard metric == .l2 else { return [:] }
            let distances = queries[subject].compactMap {
                try? rows.measures(of: [UInt32(example)], to: $0, parallel: parallel).first
            }
            let mean = distances.reduce(0, +) / Double(distances.count)
            return mean.isFinite ? ["distance": .double(mean)] : [:]
        }
    }

    /// What makes a mean of a sum.
    private static func multipliers(_ subjects: MethodSubjects, _ count: Int) -> [Float]? {
        guard subjects.request.aggregate == .mean else { return nil }
        return [Float](repeating: 1 / Float(subjects.tests[0].count), count: count)
    }
}
