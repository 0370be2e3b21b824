internal import Attribution
internal import LinearAlgebra
internal import Networks
internal import Store

/// The training gradients of a checkpoint that come into memory whenever they are read, through the engine's caches, and are not held in
/// between: a sum over many checkpoints takes the memory of one.
struct CheckpointGradients: TrainingGradients {
    private let engine: Engine
    private let model: String
    private let checkpoint: String
    private let identity: ContentDigest
    private let name: String?
    /// Whether directions are in the space of projected rows, and not in θ.
    private let isProjected: Bool
    let count: Int
    let dimension: Int

    /// Those that a request names of a model at a checkpoint.
    /// - Parameter projectedWidth: of projected ones, numbers in a row, which directions are then as long as; nil for directions in θ.
    init(_ engine: Engine, _ model: LoadedModel, named name: String?, projectedWidth: Int? = nil) {
        self.engine = engine
        (self.model, checkpoint, identity) = (model.record.name, model.checkpoint.name, model.identity)
        self.name = name
        isProjected = projectedWidth != nil
        (count, dimension) = (model.gradients.count, projectedWidth ?? model.dimension)
    }

    /// - Throws: `StoreError` also where the checkpoint is another by now: whoever asked asks again.
    private func loaded(_ interruption: Interruption) throws -> any TrainingGradients {
        let loaded = try engine.model(model, checkpoint: checkpoint, interruption: interruption)
        guard loaded.identity == identity else {
            throw StoreError.notFound(
                kind: .cache, name: name ?? ChosenGradients.exact, within: "checkpoint '\(checkpoint)'", nearby: [])
        }
        let gradients = try engine.gradients(of: loaded, named: name, interruption: interruption).gradients
        guard isProjected, let projected = gradients as? RowGradients else { return gradients }
        return RowGradients(rows: projected.rows)
    }

    func scores(
        of selection: RowSelection, along directions: [Float], parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        try loaded(interruption).scores(of: selection, along: directions, parallel: parallel, interruption: interruption)
    }

    func scores(
        of selection: RowSelection, like gradients: ExampleGradients, parallel: Parallel, interruption: Interruption
    ) throws -> Scores {
        try loaded(interruption).scores(of: selection, like: gradients, parallel: parallel, interruption: interruption)
    }

    func squaredNorms(parallel: Parallel, interruption: Interruption) throws -> [Double] {
        try loaded(interruption).squaredNorms(parallel: parallel, interruption: interruption)
    }

    func scan(
        along directions: [Float], ends: [WantedEnds], imaging curvature: (any CurvatureOperator)?, parallel: Parallel,
        interruption: Interruption
    ) throws -> Scan {
        try loaded(interruption).scan(
            along: directions, ends: ends, imaging: curvature, parallel: parallel, interruption: interruption)
    }
}
