internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// The closed form on the empirical Fisher matrix's layers.
struct DataInfChoice: SolverChoice {
    static let name = "datainf"
    static let servesAllExamples = true
    static let summary = """
        DataInf (Kwon et al. 2024, equation 5): C taken for the empirical Fisher matrix, layer by layer, and the inverse of its mean over \
        examples for the mean of their inverses. One way through the data and nothing to prepare; `residual` says what that leaves.
        """

    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) -> any SettledSolver { self }
}

extension DataInfChoice: SettledSolver {
    var members: JSONObject { ["solver": .string(Self.name)] }

    func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SystemSolver {
        DataInf(rows: try system.fisherRows(in: engine, interruption: interruption))
    }
}
