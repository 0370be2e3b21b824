internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// τᵢ = ((1/M) Σ_m φ_m(z_test)ᵀ(Φ_mᵀΦ_m + λI)⁻¹φ_im) · ((1/M) Σ_m (1 − p_im)) with projected gradients φ of the margin log p/(1 − p), of M
/// checkpoints or models (Park, Georgiev, Ilyas, Leclerc & Madry 2023, section 3); see `TRAKKernel`.
struct TRAKMethod: MethodChoice {
    static let name = "trak"
    static let summary = """
        φ_testᵀ(ΦᵀΦ + λI)⁻¹φᵢ·(1 − pᵢ) with projected gradients φ of the margin log p/(1 − p), of one checkpoint, or averaged over several or \
        over several models (TRAK, Park et al. 2023). λ is `damping`, in units of ΦᵀΦ. Takes the projected gradient caches of all of them.
        """
    static let fields: Schema.Members = [
        "checkpoints": CheckpointList.schema.described(
            "The model's checkpoints that are averaged over; the request's by default."),
        "models": .array(of: .string(), count: 1...64).unique.described(
            "Further models of the same training dataset, each at its latest checkpoint, that are averaged over too."),
    ]
    static let uses: Set<SharedMember> = [.damping, .dampingMode, .gradients]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members) = (
        [
            "averaged": .array(
                of: .object(
                    [
                        "model": .string(), "checkpoint": .string(),
                        "damping": .number(atLeast: 0).described("λ, in units of ΦᵀΦ."),
                        "mean_eigenvalue": Schema.number(atLeast: 0).described("trace(ΦᵀΦ)/d, the unit of a relative damping."),
                        "unresolved": Schema.integer().described(
                            "Examples that the model is too sure of for their φ to be known, which count for nothing."),
                    ]), count: 1 ... .max)
        ], [:]
    )

    private let checkpoints: CheckpointList?
    private let models: [String]

    var names: [String] { (checkpoints?.names ?? []) + models }

    init(_ object: JSONObjectReader) {
        checkpoints = CheckpointList("checkpoints", of: object)
        models = (object.optionalArray("models", count: 1...64) ?? []).compactMap { $0.string() }
        if Set(models).count < models.count { object.report("models", "names a model twice") }
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let members = try members(of: subjects, in: engine, interruption: interruption)
        // One after another: of each only what scores are made with stays.
        let parts = try members.map {
            try TRAKMember(subjects, at: $0, $1, engine, interruption).part(of: members.count, engine, interruption)
        }
        return Scoring(
            parts.map(\.term), multipliers: parts.count == 1 ? nil : Self.multipliers(parts),
            orientation: .measurement(.margin, isContrast: false),
            diagnostics: ["averaged": .array(parts.map(\.json))])
    }

    /// Means of 1 − p, added up in an order that is not that of names in the request: no bit depends on it.
    private static func multipliers(_ parts: [TRAKPart]) -> [Float] {
        TRAKKernel.multipliers(
            meanOf: parts.sorted { $0.digest.description < $1.digest.description }.map(\.marginWeights))
    }

    /// What is averaged over: looked at before any of the work.
    private func members(
        of subjects: MethodSubjects, in engine: Engine, interruption: Interruption
    ) throws -> [(ModelRecord, CheckpointRecord)] {
        let model = subjects.model
        let list = try checkpoints?.records(of: model.record, in: engine) ?? [model.checkpoint]
        let others = try models.enumerated().map { place, name in
            let (record, checkpoint) = try engine.records(name, checkpoint: nil, at: "/models/\(place)")
            guard record.dataset == model.record.dataset, record.name != model.record.name else {
                throw Problem(
                    at: "/models/\(place)",
                    record.name == model.record.name
                        ? "is the request's own model; name its checkpoints in checkpoints"
                        : "must be a model of dataset '\(model.record.dataset)'; '\(name)' was trained on '\(record.dataset)'")
            }
            return (record, checkpoint, "/models/\(place)")
        }
        let all = list.map { (model.record, $0, "/method") } + others
        if all.count > 1 {
            try MemoryBudget(bytes: engine.memoryBytes).require(
                .floatBytes(3, all.count, model.gradients.count), of: .quarter,
                for: "what \(all.count) checkpoints say of \(model.gradients.count) examples",
                at: checkpoints == nil ? "/models" : "/checkpoints")
        }
        return try all.map { record, checkpoint, pointer in
            let there = try engine.model(record.name, checkpoint: checkpoint.name, interruption: interruption)
            try there.requireMargin(at: pointer)
            let chosen = try engine.gradientsOnDemand(of: there, named: subjects.request.gradients, interruption: interruption)
            guard case .cache(let cache) = chosen.source, GradientCacheKind(name: cache.kind)?.projection != nil else {
                throw try Problem.notProjected(there, in: engine)
            }
            return (record, checkpoint)
        }
    }
}

extension LoadedModel {
    /// Refuses a model whose loss knows no margin, or has gradients that are no multiples of its margin's.
    /// - Throws: 422 saying which losses do.
    fileprivate func requireMargin(at pointer: String) throws {
        let network = try network(at: pointer, "has no probabilities; use influence or gradient_dot").network
        if case .crossEntropy(let smoothing) = network.loss, smoothing > 0 {
            throw Problem(
                at: pointer,
                "trak takes losses whose gradients are those of margins times 1 − p, and label_smoothing makes them others; use influence, "
                    + "or a model without it")
        }
        do {
            try network.loss.requireMargin(outputWidth: network.outputWidth)
        } catch {
            throw Problem(at: pointer, error.description)
        }
    }
}
