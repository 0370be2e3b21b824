internal import InverseCurvature
internal import LinearAlgebra
internal import Networks

// Hessians of networks that are not convex may fall along some directions, and C + λI with them: no s_test is right then.
extension Engine {
    /// Steps of the search for the smallest eigenvalue: products over all examples, once for a checkpoint.
    private static let steps = 32

    /// Refuses a system that is not positive definite, as far as the search sees, and names the damping that makes it so.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func checkDefinite(_ system: InfluenceSystem, interruption: Interruption) throws {
        guard system.mayBeIndefinite else { return }
        let ends = try ends(of: system, interruption: interruption)
        guard ends.shiftNeeded > 0, system.damped.shift <= ends.shiftNeeded else { return }
        throw Problem(notPositiveDefinite: system, ends)
    }

    /// What `body` solves; where it finds that the system is not positive definite, the refusal names the damping.
    /// - Throws: what `body` throws, and as `checkDefinite` does.
    func namingDamping<Value>(
        of system: InfluenceSystem, interruption: Interruption, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch SolverError.notPositiveDefinite where system.mayBeIndefinite {
            throw Problem(notPositiveDefinite: system, try ends(of: system, interruption: interruption))
        }
    }

    private func ends(of system: InfluenceSystem, interruption: Interruption) throws -> SpectrumEnds {
        let kind = system.key.curvature.kind
        return try derived(
            "ends-\(kind.rawValue)", of: system.model, ["\(Self.steps)"],
            isSound: { ($0.smallest.value + $0.largest.value).isFinite }
        ) {
            try SpectrumEnds(
                of: system.damped.data, steps: Self.steps, parallel: parallel, interruption: interruption)
        }
    }
}

extension Problem {
    fileprivate init(notPositiveDefinite system: InfluenceSystem, _ ends: SpectrumEnds) {
        let damping = Problem.rounded(ends.dampingNeeded(weightDecay: system.model.weightDecay))
        self.init(
            at: "/damping",
            "the Hessian has negative curvature here, an eigenvalue of about \(Float(ends.smallest.value)): C plus lambda_effective "
                + "\(system.damped.shift) is not positive definite. Set damping to at least \(damping) (damping_mode absolute), or use the "
                + "gauss_newton curvature, which has none")
    }
}
