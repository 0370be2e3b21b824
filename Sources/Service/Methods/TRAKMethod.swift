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

    init(_ object: JSONObjectReader) {
        checkpoints = CheckpointList("checkpoints", of: object)
        models = (object.optionalArray("models", count: 1...64) ?? []).compactMap { $0.string() }
        if Set(models).count < models.count { object.report("models", "names a model twice") }
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let members = try members(of: subjects, in: engine, interruption: interruption)
        let kernels = try members.map { try $0.kernel(subjects.request, in: engine, interruption: interruption) }
        let sides = try members.map { try subjects.directions(from: $0.sides(in: engine, interruption: interruption)) }
        var terms: [Scoring.Term] = []
        for (place, member) in members.enumerated() {
            let kernel = kernels[place].kernel
            let directions = try member.refusing {
                try kernel.directions(
                    for: sides[place].flatMap(\.vectors), modelCount: members.count, parallel: engine.parallel,
                    interruption: interruption)
            }
            let width = kernel.dimension
            let each = sides[place].indices.map {
                ExampleGradients(vectors: Array(directions[$0 * width..<($0 + 1) * width]), count: 1)
            }
            // Of a single model the margin weights cancel.
            let rows = RowGradients(rows: member.rows)
            terms.append(
                members.count == 1
                    ? Scoring.Term(.projected(member.record), rows, .given(each))
                    : Scoring.Term(
                        .derived("trak", kernels[place].key.digest), ScaledGradients(rows, by: kernel.reciprocals), .given(each)))
        }
        return Scoring(
            terms,
            multipliers: members.count == 1 ? nil : try Self.multipliers(members, kernels.map(\.key.digest)),
            orientation: .measurement(.margin, isContrast: false),
            diagnostics: [
                "averaged": .array(zip(members, kernels).map { $0.json($1.kernel) })
            ])
    }

    /// Means of 1 − p, added up in an order that is not that of names in the request: no bit depends on it.
    private static func multipliers(_ members: [TRAKMember], _ digests: [ContentDigest]) throws -> [Float] {
        let ordered = zip(members, digests).sorted { $0.1.description < $1.1.description }
        return TRAKKernel.multipliers(meanOf: try ordered.map { try $0.0.marginWeights.get() })
    }

    /// What is averaged over.
    private func members(
        of subjects: MethodSubjects, in engine: Engine, interruption: Interruption
    ) throws -> [TRAKMember] {
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
        return try (list.map { (model.record, $0, "/method") } + others).map { record, checkpoint, pointer in
            // Before anything is measured: what can't be is no matter of a measurement that was asked for.
            try engine.model(record.name, checkpoint: checkpoint.name, interruption: interruption).requireMargin(at: pointer)
            return try TRAKMember(
                subjects.moved(
                    to: checkpoint, of: record, measuring: .margin, isHeld: true, in: engine, interruption: interruption), engine,
                interruption)
        }
    }
}

/// One of the checkpoints that TRAK averages over, with its projected gradients.
private struct TRAKMember {
    let subjects: MethodSubjects
    let record: CacheRecord
    let rows: any GradientRows
    let projection: any DirectionProjection
    /// 1 − pᵢ of every training example.
    let marginWeights: Result<[Double], any Error>

    init(_ subjects: MethodSubjects, _ engine: Engine, _ interruption: Interruption) throws {
        self.subjects = subjects
        guard case .cache(let record) = subjects.space.gradients.source,
            let cached = subjects.space.gradients.gradients as? RowGradients, let projection = cached.projection
        else {
            let model = subjects.model
            let known = try engine.caches(of: model.checkpoint, model.record).filter { !$0.isStale }.map(\.record.kind)
                .filter { GradientCacheKind(name: $0)?.projection != nil }
            throw Problem(
                at: "/gradients",
                "must be a cache of projected gradients, which trak takes, of checkpoint '\(model.checkpoint.name)' of model "
                    + "'\(model.record.name)': "
                    + (known.isEmpty
                        ? "it has none; `influenced cache --kind projected` builds one" : known.joined(separator: ", ")))
        }
        (self.record, rows, self.projection) = (record, cached.rows, projection)
        marginWeights = Result { try engine.marginWeights(of: subjects.model, interruption: interruption) }
    }

    /// Projected −∇margin of each test.
    func sides(in engine: Engine, interruption: Interruption) throws -> [ExampleGradients] {
        try subjects.tests.flatMap { $0 }.map { test in
            guard let gradient = test.gradient, !test.input.isEmpty else {
                throw Problem(
                    at: test.test.pointer, "must have an input: trak takes the gradient of a margin, and a given one is a loss's")
            }
            let projected = try projection.project(
                gradient.vectors, count: 1, parallel: engine.parallel, interruption: interruption)
            return ExampleGradients(vectors: projected, count: 1)
        }
    }

    func kernel(
        _ request: InfluenceRequest, in engine: Engine, interruption: Interruption
    ) throws -> (kernel: TRAKKernel, key: PreparedKey) {
        let (damping, mode) = (request.system.curvature.damping, request.system.curvature.dampingMode)
        let key = PreparedKey(
            "trak-\(record.kind)", of: subjects.model.identity, parts: [record.key.description, "\(damping)", mode.rawValue],
            isUsual: damping == 0)
        let weights = try marginWeights.get()
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
    func refusing<Result>(_ body: () throws -> Result) throws -> Result {
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

    func json(_ kernel: TRAKKernel) -> JSON {
        [
            "model": .string(subjects.model.record.name), "checkpoint": .string(subjects.model.checkpoint.name),
            "damping": .double(kernel.damping), "mean_eigenvalue": .double(kernel.meanEigenvalue),
            "unresolved": .integer(kernel.unresolvedCount),
        ]
    }
}

extension LoadedModel {
    /// Refuses a model whose loss knows no margin.
    /// - Throws: 422 saying which losses do.
    fileprivate func requireMargin(at pointer: String) throws {
        let network = try network(at: pointer, "has no probabilities").network
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
        let network = try model.network(at: "/method", "has no probabilities")
        let loss = network.network.loss
        if case .crossEntropy(let smoothing) = loss, smoothing > 0 {
            throw Problem(
                at: "/method",
                "trak takes losses whose gradients are those of margins times 1 − p, and label_smoothing makes them others; use influence, "
                    + "or a model without it")
        }
        return try marginWeightsOfModels.value(for: model.identity, cost: { $0.count * MemoryLayout<Double>.stride }) {
            let outputs = try network.trained.outputs(
                of: network.examples.features, parallel: parallel, interruption: interruption)
            do {
                return try loss.marginWeights(
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
