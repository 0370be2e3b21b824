internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// What is near C + λI and easily inverted, as requests name it.
enum Preconditioning: String, Sendable, CaseIterable {
    case none, diagonal, ekfac

    /// P⁻¹ for a system; nil is the identity.
    /// - Throws: `Problem` where there is none for it; `SolverError`, `StoreError`, `Interrupted`.
    func preconditioner(
        for system: InfluenceSystem, in engine: Engine, interruption: Interruption
    ) throws -> (any RootedPreconditioner)? {
        switch self {
        case .none: return nil
        case .ekfac:
            return try EKFACChoice.approximation(of: system, in: engine, interruption: interruption)
                .inverse(shift: system.damped.shift)
        case .diagonal:
            return DiagonalPreconditioner(
                diagonal: try engine.diagonal(of: system, interruption: interruption), shift: system.damped.shift)
        }
    }

    /// The same with what LiSSA's settings are chosen by.
    func lissa(
        for system: InfluenceSystem, in engine: Engine, interruption: Interruption
    ) throws -> LiSSA.Preconditioning? {
        guard let preconditioner = try preconditioner(for: system, in: engine, interruption: interruption) else { return nil }
        return LiSSA.Preconditioning(
            preconditioner,
            spectrum: try engine.spectrum(of: system, by: preconditioner, named: rawValue, interruption: interruption))
    }
}

extension Engine {
    /// The spectrum of a preconditioned system, found once. It goes to the store where it is for the λ that most requests have.
    fileprivate func spectrum(
        of system: InfluenceSystem, by preconditioner: any RootedPreconditioner, named name: String, interruption: Interruption
    ) throws -> PreconditionedSpectrum {
        let key = PreconditionedKey(system: system.key, name: name)
        return try preconditionedSpectra.value(for: key, cost: { _ in 512 }) {
            func make() throws -> PreconditionedSpectrum {
                try PreconditionedSpectrum(
                    of: system.damped, by: preconditioner, parallel: parallel, interruption: interruption)
            }
            guard system.isUndamped else { return try make() }
            return try derived(
                "spectrum-\(name)-\(system.key.curvature.kind.rawValue)", of: system.model, ["\(system.damped.shift)"], make: make
            )
        }
    }
}

/// Names the spectrum of a preconditioned system.
struct PreconditionedKey: Hashable, Sendable {
    let system: FactorKey
    let name: String
}
