internal import Attribution
internal import InverseCurvature
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

/// What one of the checkpoints that TRAK averages over adds to scores.
private struct TRAKPart {
    let term: Scoring.Term
    /// Of all that determines it.
    let digest: ContentDigest
    /// 1 − pᵢ of every training example.
    let marginWeights: [Double]
    let json: JSON
}

/// One of the checkpoints that TRAK averages over, with its projected gradients in memory.
private struct TRAKMember {
    let subjects: MethodSubjects
    let record: CacheRecord
    let rows: any GradientRows
    let projection: any DirectionProjection

    /// - Throws: 422 for a test that is a gradient; what evaluating tests and loading caches throws.
    init(
        _ asked: MethodSubjects, at model: ModelRecord, _ checkpoint: CheckpointRecord, _ engine: Engine,
        _ interruption: Interruption
    ) throws {
        for test in asked.tests.flatMap({ $0 }) where test.input.isEmpty {
            throw Problem(
                at: test.test.pointer, "must have an input: trak takes the gradient of a margin, and a given one is a loss's")
        }
        subjects = try asked.moved(
            to: checkpoint, of: model, measuring: .margin, isHeld: true, in: engine, interruption: interruption)
        guard case .cache(let record) = subjects.space.gradients.source,
            let cached = subjects.space.gradients.gradients as? RowGradients, let projection = cached.projection
        else { throw try Problem.notProjected(subjects.model, in: engine) }
        (self.record, rows, self.projection) = (record, cached.rows, projection)
    }

    /// What it adds to the scores of `count` together.
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    func part(of count: Int, _ engine: Engine, _ interruption: Interruption) throws -> TRAKPart {
        let weights = try engine.marginWeights(of: subjects.model, interruption: interruption)
        let (kernel, key) = try kernel(weights, in: engine, interruption)
        let sides = try subjects.directions(from: sides(in: engine, interruption))
        let directions = try refusing {
            try kernel.directions(
                for: sides.flatMap(\.vectors), modelCount: count, parallel: engine.parallel, interruption: interruption)
        }
        let width = kernel.dimension
        let each = Scoring.Directions.given(
            sides.indices.map { ExampleGradients(vectors: Array(directions[$0 * width..<($0 + 1) * width]), count: 1) })
        // Of a single model the margin weights cancel. The rows of many may be more than fits into memory.
        let term =
            count == 1
            ? Scoring.Term(.projected(record), RowGradients(rows: rows), each)
            : Scoring.Term(
                .derived("trak", key.digest),
                ScaledGradients(
                    CheckpointGradients(engine, subjects.model, named: subjects.request.gradients, projectedWidth: width),
                    by: kernel.reciprocals), each)
        return TRAKPart(term: term, digest: key.digest, marginWeights: weights, json: json(kernel))
    }

    /// Projected −∇margin of each test.
    private func sides(in engine: Engine, _ interruption: Interruption) throws -> [ExampleGradients] {
        try subjects.tests.flatMap { $0 }.map { test in
            let projected = try projection.project(
                test.gradient?.vectors ?? [], count: 1, parallel: engine.parallel, interruption: interruption)
            return ExampleGradients(vectors: projected, count: 1)
        }
    }

    private func kernel(
        _ weights: [Double], in engine: Engine, _ interruption: Interruption
    ) throws -> (kernel: TRAKKernel, key: PreparedKey) {
        let curvature = subjects.request.system.curvature
        let (damping, mode) = (curvature.damping, curvature.dampingMode)
        let key = PreparedKey(
            "trak-\(record.kind)", of: subjects.model.identity, parts: [record.key.description, "\(damping)", mode.rawValue],
            isUsual: damping == 0)
        let kernel = try refusing {
            try engine.prepared(key, of: subjects.model.checkpoint) {
                try $0.decoded { try TRAKKernel(decoding: $0, exampleCount: rows.count, dimension: rows.width) }
            } make: {
                try TRAKKernel(
                    of: rows, marginWeights: weights, weights: subjects.model.training.weights, damping: damping,
                    isRelative: mode == .relative, memoryLimit: engine.memoryBytes / 8, parallel: engine.parallel,
                    interruption: interruption)
            }
        }
        return (kernel, key)
    }

    /// Says what is wrong where in the request.
    private func refusing<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as TRAKError {
            let pointer =
                switch error {
                case .singular, .invalidDamping: "/damping"
                case .tooLarge: "/gradients"
                case .noExamples, .notFinite, .damaged: "/method"
                }
            throw Problem(at: pointer, error.description)
        }
    }

    private func json(_ kernel: TRAKKernel) -> JSON {
        [
            "model": .string(subjects.model.record.name), "checkpoint": .string(subjects.model.checkpoint.name),
            "damping": .double(kernel.damping), "mean_eigenvalue": .double(kernel.meanEigenvalue),
            "unresolved": .integer(kernel.unresolvedCount),
        ]
    }
}

extension Problem {
    /// A model's gradients that are no projected ones, with those that there are.
    /// - Throws: `StoreError`.
    fileprivate static func notProjected(_ model: LoadedModel, in engine: Engine) throws -> Problem {
        let known = try engine.caches(of: model.checkpoint, model.record).filter { !$0.isStale }.map(\.record.kind)
            .filter { GradientCacheKind(name: $0)?.projection != nil }
        return Problem(
            at: "/gradients",
            "must be a cache of projected gradients, which trak takes, of checkpoint '\(model.checkpoint.name)' of model "
                + "'\(model.record.name)': "
                + (known.isEmpty ? "it has none; `influenced cache --kind projected` builds one" : known.joined(separator: ", ")))
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

extension Engine {
    /// 1 − pᵢ of every training example of a model.
    /// - Throws: 422 for a loss that knows none; `Interrupted`.
    func marginWeights(of model: LoadedModel, interruption: Interruption) throws -> [Double] {
        let network = try model.network(at: "/method", "has no probabilities; use influence or gradient_dot")
        return try marginWeightsOfModels.value(for: model.identity, cost: { $0.count * MemoryLayout<Double>.stride }) {
            let outputs = try network.trained.outputs(
                of: network.examples.features, parallel: parallel, interruption: interruption)
            do {
                return try network.network.loss.marginWeights(
                    of: outputs, width: network.network.outputWidth, targets: network.examples.targets, parallel: parallel,
                    interruption: interruption)
            } catch let error as MeasurementError {
                throw Problem(at: "/method", error.description)
            }
        }
    }
}

extension TRAKKernel: Prepared {
    var byteCount: Int { Self.encodedByteCount(exampleCount: exampleCount, dimension: dimension) ?? .max }
    var summary: JSONObject { ["order": .integer(dimension), "damping": .double(damping)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try encoded.withUnsafeBytes(body) }
}
