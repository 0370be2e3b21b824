internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Store

/// All that `POST /influence` computes for a request.
struct InfluenceAnswer: Sendable {
    /// One test, or one group of tests.
    struct Result: Sendable {
        /// More than one for an aggregate.
        let tests: [ResolvedTest]
        let ranking: Ranking
        let groups: [GroupScore]
        /// The scored examples and their scores, where they were asked for.
        let allScores: [Float]?
        /// Which examples were scored; nil for all.
        let candidates: [UInt32]?
        let sTest: [Float]?
        let residual: Double
        let converged: Bool
    }

    /// What the solver was, with every number that determined it.
    enum Solver: Hashable, Sendable {
        case lissa(LiSSA.Settings)
        case exact
    }

    let request: InfluenceRequest
    let model: LoadedModel
    let gradients: ChosenGradients
    let curvature: InfluenceRequest.Curvature
    let shift: Double
    let solver: Solver
    let results: [Result]
    /// What is known of the examples that are listed.
    let annotations: [Int: ExampleAnnotation]
    /// Their inputs, where they were asked for and there are any.
    let inputs: [Int: [Float]]
    let sTestMilliseconds: Double
    let scoreMilliseconds: Double
}
