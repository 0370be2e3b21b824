internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Store

/// All that `POST /influence` computes for a request.
struct InfluenceAnswer: Sendable {
    /// One test, or one group of tests.
    struct Result: Sendable {
        /// Its place among the request's.
        let subject: Int
        /// More than one for an aggregate.
        let tests: [ResolvedTest]
        let ranking: Ranking
        /// How many members each group has, and their score.
        let groups: [(size: Int, score: GroupScore)]
        /// The scored examples and their scores, where they were asked for.
        fileprivate(set) var allScores: [Float]?
        /// Which examples were scored; nil for all.
        let candidates: CandidateChoice?
        let sTest: [Float]?
        /// What each of the method's terms adds to the listed examples' scores, by example, where that was asked for.
        let contributions: [Int: [Float]]
        /// The scored examples, where not all are.
        var candidateIndices: [UInt32]? {
            guard case .indices(let indices) = candidates?.selection else { return nil }
            return indices
        }
        /// What came of its system; nil where nothing is solved.
        let solved: SolvedSide?
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
    let scoring: Scoring
    private(set) var results: [Result]
    /// What is known of the examples that are listed.
    let annotations: [Int: ExampleAnnotation]
    /// Their inputs, where they were asked for and there are any.
    let inputs: [Int: [Float]]
    let sTestMilliseconds: Double
    let scoreMilliseconds: Double

    /// The same without the scores of all examples.
    func withoutScores() -> InfluenceAnswer {
        var answer = self
        for result in results.indices { answer.results[result].allScores = nil }
        return answer
    }
}

/// What is known of the solution for one right-hand side.
struct SolvedSide: Sendable {
    /// ‖(C + λI)s − v‖/‖v‖ on all examples, and whether the solver reached what it set out for.
    let residual: Double
    let isConverged: Bool
    /// Of a solver whose steps depend on the test.
    let iterations: Int?
    /// Of a solver that estimates its own.
    let accuracy: SolutionAccuracy?

    /// Of the first of a solution's right-hand sides.
    init(_ solution: Solution) {
        residual = solution.residuals[0]
        isConverged = solution.converged[0]
        iterations = solution.iterations.first
        accuracy = solution.accuracies.first
    }
}
