internal import Attribution
internal import Dispatch
internal import HTTPTypes
internal import JSON
internal import LinearAlgebra
internal import Store

// Slices of training data × slices of tests: as many tests at a time as a scan serves, each scored as `POST /influence` scores it.
extension Engine {
    /// Tests that are solved and scored at a time: more gain nothing, and take memory.
    private static let window = 64

    /// The statistics of the scores of each pair of slices (FastIF, Guo et al. 2021, section 6.2 and tables 5 and 6).
    ///
    /// O(tests · (solve + scan)); the memory of a window of tests, and what `SliceMatrix` takes.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func slices(_ request: SlicesRequest, interruption: Interruption) throws -> SlicesAnswer {
        do {
            return try answer(request, interruption)
        } catch let problem as Problem {
            // Whoever asked about slices named no tests.
            throw problem.moved(from: "/tests", to: "/test_slices")
        }
    }

    private func answer(_ request: SlicesRequest, _ interruption: Interruption) throws -> SlicesAnswer {
        let start = DispatchTime.now()
        let tests = try SliceTests(of: request, in: self, interruption: interruption)
        // Of one test, to know what it takes: all that can be refused is, before the work.
        let plan = try InfluencePlan(request.scoring(tests.tests(0..<1)), self, interruption)
        let members = try trainingMembers(of: request, plan.model, interruption)
        var answer = SlicesAnswer(
            request, plan, trainingSizes: members.map(\.count), try matrix(of: request, members, plan, interruption))
        let width = windowWidth(of: plan)
        for first in stride(from: 0, to: tests.members.count, by: width) {
            let range = first..<min(first + width, tests.members.count)
            let part = try influence(request.scoring(tests.tests(range)), interruption: interruption)
            guard part.model.checkpoint == plan.model.checkpoint, part.scoring.sources == plan.scoring.sources,
                try datasetRecord(request.dataset, at: "/test_slices/dataset") == tests.dataset
            else { throw Problem.storeChanged }
            try answer.add(part, to: tests.members[range].map(\.slice), interruption: interruption)
        }
        if request.isCorrelated { try answer.correlate(parallel: parallel, interruption: interruption) }
        answer.scoreMilliseconds = start.milliseconds(to: .now()) - answer.sTestMilliseconds
        return answer
    }

    /// The examples of each slice of the training data, each once.
    private func trainingMembers(
        of request: SlicesRequest, _ model: LoadedModel, _ interruption: Interruption
    ) throws -> [[UInt32]] {
        try indices(
            ofEach: request.trainingSlices.map { ($0.members, $0.pointer) }, in: model, for: "the examples of training slices",
            interruption: interruption
        ).map { Set($0).sorted() }
    }

    private func matrix(
        of request: SlicesRequest, _ members: [[UInt32]], _ plan: InfluencePlan, _ interruption: Interruption
    ) throws -> SliceMatrix {
        do {
            return try SliceMatrix(
                exampleCount: plan.model.gradients.count, trainingSlices: members, testSliceCount: request.testSlices.count,
                correlating: request.isCorrelated, memoryLimit: memoryBytes / MemoryBudget.Part.quarter.rawValue,
                interruption: interruption)
        } catch let error as SliceError {
            throw Problem(at: "/test_slices", error.description)
        }
    }

    /// How many tests fit into memory together: their gradients for each of the method's terms, what is solved for them, and their scores.
    private func windowWidth(of plan: InfluencePlan) -> Int {
        let vectors = 2 * plan.scoring.terms.count + (plan.scoring.solving?.solver.vectorsPerSolution ?? 0)
        let (dimension, count) = (plan.model.dimension, plan.model.gradients.count)
        func fitting(_ part: Int, _ bytes: Int?) -> Int { bytes.map { memoryBytes / part / max(1, $0) } ?? 0 }
        return max(1, min(Self.window, fitting(4, .floatBytes(vectors, dimension)), fitting(16, .floatBytes(2, count))))
    }
}

extension SlicesRequest {
    /// The question about some tests.
    fileprivate func scoring(_ tests: [InfluenceRequest.Test]) -> InfluenceRequest {
        var request = scoring
        request.tests = tests
        return request
    }
}

extension Scoring {
    /// What its scores are read from: equal for the same gradients of the same checkpoints.
    fileprivate var sources: [ChosenGradients.Source] { terms.map(\.source) }
}

extension Problem {
    /// What is asked about was replaced while it was computed: one answer can't be about both.
    fileprivate static let storeChanged = Problem(
        .serviceUnavailable, "store-changed",
        "the model's checkpoints, its caches or the tests' dataset were replaced meanwhile; ask again", fields: [.retryAfter: "1"]
    )
}
