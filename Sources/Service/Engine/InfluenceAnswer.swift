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
        /// ‖(C + λI)s − v‖/‖v‖ on all examples, and whether the solver reached what it set out for.
        let residual: Double
        let converged: Bool
        /// Of a solver whose steps depend on the test.
        let iterations: Int?
        /// Of a solver that estimates its own.
        let accuracy: SolutionAccuracy?
        /// Whether the request's goal was reached; nil where it has none.
        var isGoalReached: Bool?

        /// The same, with what came of the goal.
        func with(isGoalReached: Bool?) -> Result {
            var result = self
            result.isGoalReached = isGoalReached
            return result
        }
    }

    let request: InfluenceRequest
    let model: LoadedModel
    let gradients: ChosenGradients
    let curvature: InfluenceRequest.Curvature
    /// λ_effective.
    let shift: Double
    let solver: any SettledSolver
    let results: [Result]
    /// What is known of the examples that are listed.
    let annotations: [Int: ExampleAnnotation]
    /// Their inputs, where they were asked for and there are any.
    let inputs: [Int: [Float]]
    let sTestMilliseconds: Double
    let scoreMilliseconds: Double
}
