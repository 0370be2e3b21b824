internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// Which curvature of which checkpoint.
struct CurvatureKey: Hashable, Sendable {
    let identity: ContentDigest
    let kind: CurvatureKind
}

/// Which factor: a curvature and its λ.
struct FactorKey: Hashable, Sendable {
    let curvature: CurvatureKey
    let shift: Double
}

/// A curvature and what is known of its spectrum.
struct CurvatureOfModel: Sendable {
    let operation: any CurvatureOperator
    let spectrum: SpectrumEstimate
}

// What is costly to derive is kept in memory, and in the store where it can be written.
extension Engine {
    /// A curvature of a model with its spectrum, which is estimated once for a checkpoint.
    func curvature(
        _ kind: CurvatureKind, of model: LoadedModel, in space: InfluenceSpace, interruption: Interruption
    ) throws -> CurvatureOfModel {
        let key = CurvatureKey(identity: space.identity, kind: kind)
        return try curvatures.value(
            for: key, cost: { $0.operation.keptByteCount + model.gradients.count * MemoryLayout<Float>.stride }
        ) {
            let operation = try space.curvature(
                kind, of: model, activationLimit: memoryBytes / 16, parallel: parallel, interruption: interruption)
            let name = "spectrum-\(kind.rawValue)"
            if let kept = try store.derived(of: model.checkpoint, kind: name, key: key.identity),
                let spectrum = try? JSONDecoder().decode(SpectrumEstimate.self, from: Data(kept.summary.utf8))
            {
                return CurvatureOfModel(operation: operation, spectrum: spectrum)
            }
            let spectrum = try SpectrumEstimate(of: operation, parallel: parallel, interruption: interruption)
            keep(
                name, of: model.checkpoint, key: key.identity,
                summary: String(decoding: try JSONEncoder().encode(spectrum), as: UTF8.self))
            return CurvatureOfModel(operation: operation, spectrum: spectrum)
        }
    }

    /// gᵢ of a system's training examples, as the empirical Fisher matrix has them.
    /// - Throws: `Interrupted`.
    func fisherRows(of system: InfluenceSystem, interruption: Interruption) throws -> any FisherRows {
        if let rows = system.damped.data as? RowFisher { return rows }
        let network = try system.model.network(at: "/solver/name")
        guard let softmax = network.softmax, let factors = system.model.gradients as? FactoredGradients else {
            return NetworkFisherRows(of: network.trained, over: network.examples)
        }
        let cost = factors.count * MemoryLayout<Double>.stride
        return try softmaxRows.value(for: system.model.identity, cost: { _ in cost }) {
            try SoftmaxFisherRows(
                model: softmax, features: network.examples.features, residuals: factors.residuals, parallel: parallel,
                interruption: interruption)
        }
    }

    /// The diagonal of a curvature's data part, of a network.
    /// - Throws: `Problem` where there is none; `Interrupted`.
    func diagonal(of system: InfluenceSystem, interruption: Interruption) throws -> [Float] {
        guard system.space.rows == nil else {
            throw Problem(
                at: "/solver/preconditioner", "must be none here: the diagonal of a curvature is known for networks only")
        }
        let network = try system.model.network(at: "/solver/preconditioner")
        let curvature = NetworkCurvature(system.key.curvature.kind, of: network.trained, over: network.examples)
        return try diagonals.value(for: system.key.curvature, cost: { $0.count * MemoryLayout<Float>.stride }) {
            try curvature.diagonal(parallel: parallel, interruption: interruption).values
        }
    }

    /// Puts something derived into the store. A store that can't be written, or is being written by somebody else, is no reason to
    /// fail: what was derived is in memory.
    func keep(
        _ name: String, of checkpoint: CheckpointRecord, key: ContentDigest, summary: String,
        bytes: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        guard store.isWritable else { return }
        _ = try? store.putDerived(of: checkpoint, kind: name, key: key, summary: summary, bytes: bytes)
    }
}
