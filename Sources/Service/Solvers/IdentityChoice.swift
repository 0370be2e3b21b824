internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// C + λI taken for the identity.
struct IdentityChoice: SolverChoice {
    static let name = "identity"
    static let servesAllExamples = true
    static let summary = "C + λI taken for the identity: s_test is the test's gradient, as in TracIn (Pruthi et al. 2020)."

    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) -> any SettledSolver { self }
}

extension IdentityChoice: SettledSolver {
    var members: JSONObject { ["solver": .string(Self.name)] }

    func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) -> any SystemSolver {
        IdentitySolver()
    }
}
