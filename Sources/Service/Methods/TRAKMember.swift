internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// What one of the checkpoints that TRAK averages over adds to scores.
struct TRAKPart {
    let term: Scoring.Term
    /// Of all that determines it.
    let digest: ContentDigest
    /// 1 − pᵢ of every training example.
    let marginWeights: [Double]
    let json: JSON
}

/// One of the checkpoints that TRAK averages over, with its projected gradients in memory.
struct TRAKMember {
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
    static func notProjected(_ model: LoadedModel, in engine: Engine) throws -> Problem {
        let known = try engine.caches(of: model.checkpoint, model.record).filter { !$0.isStale }.map(\.record.kind)
            .filter { GradientCacheKind(name: $0)?.projection != nil }
        return Problem(
            at: "/gradients",
            "must be a cache of projected gradients, which trak takes, of checkpoint '\(model.checkpoint.name)' of model "
                + "'\(model.record.name)': "
                + (known.isEmpty ? "it has none; `influenced cache --kind projected` builds one" : known.joined(separator: ", ")))
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
