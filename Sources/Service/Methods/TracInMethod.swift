internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// TracInCP(z, z′) = Σ_c η_c ∇ℓ(z; θ_c) · ∇ℓ(z′; θ_c) over checkpoints c with their learning rates η_c (Pruthi, Liu, Kale & Sundararajan
/// 2020, section 3.3): by how much steps on the example, at the times of the checkpoints, lowered the test's loss.
struct TracInMethod: MethodChoice {
    static let name = "tracin_cp"
    static let summary = """
        Σ η_c ∇ℓ_test · gᵢ over checkpoints c with learning rates η_c: by how much steps of training on the example lowered the test's loss \
        (TracInCP, Pruthi et al. 2020).
        """
    static let fields: Schema.Members = [
        "checkpoints": CheckpointList.schema.described(
            "The checkpoints that are summed over, each of which needs a learning rate: by default all, or the request's `checkpoint`."
        ),
        "contributions": Schema.boolean.defaulting(to: .bool(false)).described(
            "Whether the listed examples come with what each checkpoint adds to their scores."),
    ]
    static let uses: Set<SharedMember> = [.measurement, .gradients]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members) = (
        [
            "checkpoints": .array(
                of: .object(
                    ["name": .string(), "learning_rate": .number(atLeast: 0)],
                    optional: GradientCache.Summary.fields), count: 1 ... .max)
        ], [:]
    )

    /// Nil for what the request's `checkpoint` says.
    private let checkpoints: CheckpointList?
    private let isBrokenDown: Bool

    var names: [String] { checkpoints?.names ?? [] }

    init(_ object: JSONObjectReader) {
        checkpoints = CheckpointList("checkpoints", of: object)
        isBrokenDown = object.bool("contributions", default: false)
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let (request, model) = (subjects.request, subjects.model)
        let (records, rates) = try summed(request.checkpoint, of: model.record, in: engine)
        try MemoryBudget(bytes: engine.memoryBytes).require(
            .floatBytes(2, records.count, request.tests.count, subjects.space.dimension), of: .quarter,
            for: "the gradients of \(request.tests.count) tests at \(records.count) checkpoints", at: "/checkpoints")
        var terms: [Scoring.Term] = []
        var shown: [JSON] = []
        for (record, rate) in zip(records, rates) {
            let there = try subjects.moved(to: record, in: engine, interruption: interruption)
            let directions = try there.gradients(parallel: engine.parallel, interruption: interruption)
            let gradients = there.space.gradients
            terms.append(
                Scoring.Term(gradients, .given(directions.map { $0.scaled(by: [Float(rate)]) }), label: record.name))
            var members: JSONObject = ["name": .string(record.name), "learning_rate": .double(rate)]
            for (name, value) in gradients.accuracy.members { members[name] = value }
            shown.append(.object(members))
        }
        return Scoring(
            terms, orientation: Orientation(request), isBrokenDown: isBrokenDown, diagnostics: ["checkpoints": .array(shown)])
    }

    /// The checkpoints that are summed over, with their learning rates.
    /// - Parameter checkpoint: the one that a request names for everything.
    /// - Throws: 404 for one that is not there; 422 where one has no learning rate.
    private func summed(
        _ checkpoint: String?, of model: ModelRecord, in engine: Engine
    ) throws -> (records: [CheckpointRecord], rates: [Double]) {
        let list = checkpoints ?? checkpoint.map { .named([$0]) } ?? .all
        let records = try list.records(of: model, in: engine)
        let pointer = checkpoints == nil && checkpoint != nil ? "/checkpoint" : "/checkpoints"
        return (records, try Self.learningRates(of: records, model, at: pointer, in: engine))
    }

    /// η of each checkpoint.
    /// - Throws: 422 naming those of the model that have one, where one has none.
    private static func learningRates(
        of records: [CheckpointRecord], _ model: ModelRecord, at pointer: String, in engine: Engine
    ) throws -> [Double] {
        let unknown = records.filter { $0.training.learningRate == nil }
        guard unknown.isEmpty else {
            let known = try engine.store.checkpoints(of: model).filter { $0.training.learningRate != nil }.map(\.name)
            let names = unknown.map(\.name).joined(separator: ", ")
            let remedy =
                known.isEmpty ? "Import" : "Name those that have one in checkpoints: \(known.joined(separator: ", ")); or import"
            throw Problem(
                at: pointer,
                "must be checkpoints with learning rates, by which tracin_cp weighs them: \(names) of model '\(model.name)' came without. "
                    + "\(remedy) them with --learning-rate, or use gradient_dot, which weighs nothing")
        }
        return records.compactMap(\.training.learningRate)
    }
}

extension TracInMethod: SelfScoring {
    static let summaryOfSelf = """
        Σ η_c‖gᵢ‖² over checkpoints c with learning rates η_c: by how much steps of training on the example lowered its own loss (TracIn, \
        section 4.1).
        """

    /// One checkpoint after another: of each only norms stay.
    func selfInfluence(
        for request: SelfInfluenceRequest, of model: LoadedModel, in engine: Engine, interruption: Interruption
    ) throws -> SelfInfluence {
        let (records, rates) = try summed(request.checkpoint, of: model.record, in: engine)
        let count = model.gradients.count
        if isBrokenDown {
            try MemoryBudget(bytes: engine.memoryBytes).require(
                .floatBytes(2, records.count, count), of: .quarter,
                for: "what \(records.count) checkpoints add to \(count) scores", at: "/contributions")
        }
        // Whatever order they were named in, they are added up in that of the training.
        let order = records.indices.sorted { records[$0].sequence < records[$1].sequence }
        var scores = [Double](repeating: 0, count: count)
        var added: [(name: String, scores: [Double])] = []
        var shown: [JSON] = []
        for (record, rate) in order.map({ (records[$0], rates[$0]) }) {
            let there = try engine.model(model.record.name, checkpoint: record.name, interruption: interruption)
            let gradients = try engine.gradientsOnDemand(of: there, named: request.gradients, interruption: interruption)
            let own = try engine.squaredGradientNorms(of: gradients, interruption: interruption).map { rate * $0 }
            for (example, score) in own.enumerated() { scores[example] += score }
            if isBrokenDown { added.append((record.name, own)) }
            shown.append(
                .object(
                    (["name": .string(record.name), "learning_rate": .double(rate)] as JSONObject).merging(
                        JSONObject(gradients.accuracy.members))))
        }
        return SelfInfluence(
            scores,
            orientation:
                "score = Σ η‖g‖²; large: steps of training on the example lowered its own loss by much, as where its label is wrong",
            diagnostics: ["gradients": .string(request.gradients ?? ChosenGradients.exact), "checkpoints": .array(shown)]
        ) { [added] example in
            guard !added.isEmpty else { return [:] }
            return [
                "contributions": .array(
                    added.map { ["checkpoint": .string($0.name), "score": .double($0.scores[example])] })
            ]
        }
    }
}
