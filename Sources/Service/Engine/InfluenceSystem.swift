internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// What is solved: (C + λI)s = v for one curvature of one checkpoint and one λ, with what is known of it.
struct InfluenceSystem: Sendable {
    let model: LoadedModel
    /// What vectors and scores are in.
    let space: InfluenceSpace
    /// The curvature as answers name it.
    let curvature: InfluenceRequest.Curvature
    let spectrum: SpectrumEstimate
    /// D + λI.
    let damped: DampedCurvature
    /// Names it.
    let key: FactorKey
    /// Whether λ is the weight decay alone.
    let isUndamped: Bool
    /// Whether what serves many requests is being prepared, and is to be kept in the store whatever its settings.
    let isBeingPrepared: Bool

    /// Finds the curvature, and adds λ.
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    init(
        _ model: LoadedModel, _ space: InfluenceSpace, curvature asked: CurvatureRequest,
        isBeingPrepared: Bool = false, _ engine: Engine, _ interruption: Interruption
    ) throws {
        let (named, kind) = try space.curvatureKind(asked.kind, of: model)
        let known = try engine.curvature(kind, of: model, in: space, interruption: interruption)
        let shift = Self.shift(asked, weightDecay: model.weightDecay, space.dimension, trace: known.spectrum.trace)
        (self.model, self.space, curvature, spectrum) = (model, space, named, known.spectrum)
        damped = DampedCurvature(known.operation, shift: shift)
        key = FactorKey(curvature: CurvatureKey(identity: space.identity, kind: kind), shift: shift)
        isUndamped = asked.damping == 0
        self.isBeingPrepared = isBeingPrepared
    }

    /// λ_effective = weight decay + damping.
    private static func shift(
        _ asked: CurvatureRequest, weightDecay: Double, _ dimension: Int, trace: Double
    ) -> Double {
        switch asked.dampingMode {
        case .absolute: weightDecay + asked.damping
        case .relative: weightDecay + asked.damping * (trace + weightDecay * Double(dimension)) / Double(dimension)
        }
    }

    /// Whether what belongs to single training examples is in memory.
    var hasResidentExamples: Bool { space.rows?.isResident ?? true }

    /// gᵢ, as the empirical Fisher matrix has them.
    /// - Throws: `Interrupted`.
    func fisherRows(in engine: Engine, interruption: Interruption) throws -> any FisherRows {
        try engine.fisherRows(of: self, interruption: interruption)
    }

    /// The network that the curvature is of; nil where gradients are all that is known.
    var network: NetworkModel? { space.rows == nil ? try? model.network(at: "") : nil }

    /// Whether the curvature is one that λ may leave indefinite: the Hessian of a network that is not convex in θ.
    var mayBeIndefinite: Bool { key.curvature.kind == .hessian && network.map { !$0.network.isConvex } ?? false }
}
