internal import Attribution
internal import LinearAlgebra

/// What comes of `POST /influence/slices`: filled test by test, no more being kept of each than its part of the sums.
struct SlicesAnswer: Sendable {
    /// What is known of a slice's tests.
    struct TestSlice: Sendable {
        private(set) var size = 0
        private var lossSum = 0.0
        private var losses = 0
        private var predicted = 0
        private var right = 0

        /// Over all of its tests; nil where the loss of one is not known.
        var meanLoss: Double? { losses == size && lossSum.isFinite ? lossSum / Double(size) : nil }
        /// The share whose predicted label is the target; nil where there are no labels.
        var accuracy: Double? { predicted == size ? Double(right) / Double(size) : nil }

        fileprivate mutating func add(_ test: ResolvedTest) {
            size += 1
            if let loss = test.loss {
                lossSum += loss
                losses += 1
            }
            if let label = test.prediction?.label, let target = test.target {
                predicted += 1
                right += Double(label) == target ? 1 : 0
            }
        }
    }

    let request: SlicesRequest
    let model: LoadedModel
    /// How examples were scored; of the first test.
    let scoring: Scoring
    /// Examples of each slice of the training data.
    let trainingSizes: [Int]
    private(set) var testSlices: [TestSlice]
    private(set) var matrix: SliceMatrix
    /// How alike slices of tests are; nil where that was not asked for.
    private(set) var correlations: [[SliceCorrelation]]?
    /// The test whose system was solved least exactly, or the first where nothing was solved: its place in an answer without scores.
    private(set) var worst: (answer: InfluenceAnswer, result: Int)?
    /// Tests whose systems were solved as the solver set out to.
    private(set) var convergedCount = 0
    private(set) var sTestMilliseconds = 0.0
    var scoreMilliseconds = 0.0

    /// Before any test.
    /// - Parameter plan: of one of them.
    init(_ request: SlicesRequest, _ plan: InfluencePlan, trainingSizes: [Int], _ matrix: SliceMatrix) {
        (self.request, model, scoring) = (request, plan.model, plan.scoring)
        (self.trainingSizes, self.matrix) = (trainingSizes, matrix)
        testSlices = request.testSlices.map { _ in TestSlice() }
    }

    /// Tests that came in.
    var testCount: Int { testSlices.reduce(0) { $0 + $1.size } }

    /// Adds what came of the next tests, the slice of each given.
    /// - Throws: `Interrupted`.
    mutating func add(_ answer: InfluenceAnswer, to slices: [Int], interruption: Interruption) throws {
        sTestMilliseconds += answer.sTestMilliseconds
        let shown = answer.withoutScores()
        for (place, (result, slice)) in zip(answer.results, slices).enumerated() {
            try (result.allScores ?? []).withUnsafeBufferPointer {
                try matrix.add($0, to: slice, interruption: interruption)
            }
            for test in result.tests { testSlices[slice].add(test) }
            if result.solved?.isConverged == true { convergedCount += 1 }
            let isWorse = (result.solved?.residual ?? 0) > (worst.flatMap { $0.answer.results[$0.result].solved?.residual } ?? 0)
            if worst == nil || isWorse { worst = (shown, place) }
        }
    }

    /// Finds how alike the slices of tests are, all of which have come in.
    /// - Throws: `Interrupted`.
    mutating func correlate(parallel: Parallel, interruption: Interruption) throws {
        correlations = try matrix.correlations(parallel: parallel, interruption: interruption)
    }
}
