internal import InverseCurvature
internal import LinearAlgebra

extension InfluenceRequest.Goal {
    /// Rounds at most, and the relative error beyond which single precision has little to add.
    private static let (mostRounds, leastError) = (1000, 1e-4)

    /// The rounds that lead to it.
    /// - Throws: 422 for a solver that has none.
    func settled(_ solver: InfluenceRequest.Solver, for system: InfluenceSystem, in engine: Engine, interruption: Interruption)
        throws
        -> any SettledSolver
    {
        guard var lissa = solver.choice as? LiSSAChoice ?? (solver.choice is AutomaticChoice ? LiSSAChoice() : nil) else {
            throw Problem(
                at: "/until",
                "needs lissa, which goes on in rounds and measures its own errors; \(solver.name) does neither. Leave it out")
        }
        guard lissa.choice.rounds == nil else {
            throw Problem(at: "/solver/rounds", "must be left out beside until, which says how many rounds there are")
        }
        lissa.choice.rounds = Self.mostRounds
        lissa.choice.relativeError = if case .relativeError(let error) = self { error } else { Self.leastError }
        return try lissa.settled(for: system, in: engine, interruption: interruption)
    }
}
