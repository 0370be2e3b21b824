internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// A solver with all that determines what it makes of a right-hand side, for one system.
protocol SettledSolver: Sendable {
    /// Its name and every number that determines it, as answers show them. Two of equal members give equal solutions.
    var members: JSONObject { get }
    /// Vectors of p numbers that it holds for a right-hand side while it solves.
    var vectorsPerSide: Int { get }
    /// Vectors that its solution for a right-hand side is made of, which stay until all is scored.
    var vectorsPerSolution: Int { get }

    /// The solver itself, with what serves all right-hand sides: found where it is kept, or made.
    /// - Throws: `SolverError`, `Problem`, `StoreError`, `Interrupted`.
    func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SystemSolver
}

extension SettledSolver {
    var vectorsPerSide: Int { 4 }
    var vectorsPerSolution: Int { 1 }

    /// Its members as text: what determines it, to the last bit.
    var identity: String { JSON.object(members).text }
}
