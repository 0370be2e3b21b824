internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

// From s_test to the two ends: scores of the selected examples, and what is asked of them.
extension Engine {
    /// Bytes of scores that are held at a time.
    private var scoreBytes: Int { memoryBytes / 16 }

    /// One subject that scores all examples.
    private struct Scan {
        let plan: Int
        let subject: Int
        let solution: Solution
        /// How many examples are ranked, and one more.
        let endCount: Int
    }

    /// The results of each plan's subjects.
    func rank(
        _ plans: [Result<InfluencePlan, any Error>], _ solutions: Solutions, _ interruptions: [Interruption],
        _ common: Interruption
    ) -> [Result<[InfluenceAnswer.Result], any Error>] {
        var results: [Result<[InfluenceAnswer.Result?], any Error>] = plans.map { plan in
            plan.map { Array(repeating: nil, count: $0.subjects.count) }
        }
        var scans: [(model: LoadedModel, gradients: ChosenGradients, parts: [Scan])] = []
        for (index, plan) in plans.enumerated() {
            results[index] = Result {
                let plan = try plan.get()
                // All subjects need their vectors before any is scored.
                let solved = try plan.subjects.map { try solutions[$0.key]!.get() }
                guard plan.request.candidates == nil else { return try rankSelected(plan, solved, interruptions[index]) }
                let parts = solved.enumerated().map {
                    Scan(plan: index, subject: $0.offset, solution: $0.element, endCount: plan.request.k + 1)
                }
                let known = scans.firstIndex { $0.model === plan.model && $0.gradients.source == plan.space.gradients.source }
                if let known {
                    scans[known].parts += parts
                } else {
                    scans.append((plan.model, plan.space.gradients, parts))
                }
                return Array(repeating: nil, count: plan.subjects.count)
            }
        }
        for (_, chosen, parts) in scans {
            let gradients = chosen.gradients
            let width = max(1, min(64, scoreBytes / max(1, gradients.count * MemoryLayout<Float>.stride)))
            for start in stride(from: 0, to: parts.count, by: width) {
                let part = parts[start..<min(start + width, parts.count)]
                let scan = Result {
                    try gradients.scan(
                        along: part.flatMap(\.solution.vectors),
                        ends: part.map { WantedEnds(count: $0.endCount, directions: $0.solution.repeats.flatMap { $0 }) },
                        parallel: parallel, interruption: common)
                }
                for (direction, wanted) in part.enumerated() {
                    results[wanted.plan] = Result {
                        var made = try results[wanted.plan].get()
                        let (scores, ends) = try scan.get()
                        made[wanted.subject] = try result(
                            of: plans[wanted.plan].get(), subject: wanted.subject, wanted.solution, selection: .all,
                            scores: scores[direction], ends: ends?[direction], interruptions[wanted.plan])
                        return made
                    }
                }
            }
        }
        return results.map { $0.map { $0.compactMap { $0 } } }
    }

    /// The results of a plan that scores some examples only.
    private func rankSelected(
        _ plan: InfluencePlan, _ solved: [Solution], _ interruption: Interruption
    ) throws -> [InfluenceAnswer.Result] {
        // Named examples are the same for all subjects, and scored in one pass; each has neighbours of its own.
        func scores(_ selection: RowSelection, _ solutions: [Solution]) throws -> Scores {
            try plan.space.gradients.gradients.scores(
                of: selection, along: solutions.flatMap(\.vectors), parallel: parallel, interruption: interruption)
        }
        if case .indices(let indices) = plan.request.candidates {
            let selection = RowSelection.indices(Set(indices).sorted().map { UInt32($0) })
            let shared = try scores(selection, solved)
            return try plan.subjects.indices.map {
                try result(of: plan, subject: $0, solved[$0], selection: selection, scores: shared[$0], interruption)
            }
        }
        return try plan.subjects.indices.map {
            let selection = try neighbors(of: plan.subjects[$0], plan, interruption)
            let own = try scores(selection, [solved[$0]])
            return try result(of: plan, subject: $0, solved[$0], selection: selection, scores: own[0], interruption)
        }
    }

    private func result(
        of plan: InfluencePlan, subject: Int, _ solution: Solution, selection: RowSelection, scores: [Float],
        ends: RankedEnds? = nil, _ interruption: Interruption
    ) throws -> InfluenceAnswer.Result {
        guard scores.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        let gradients = plan.space.gradients.gradients
        let include = plan.request.include
        let ranking = try gradients.ranking(
            of: 0, scores: scores, selection: selection, ends: ends, solution: solution, k: plan.request.k, parallel: parallel,
            interruption: interruption)
        let groups = try plan.request.groups.map {
            try gradients.groupScore(
                of: $0.indices.map { UInt32($0) }, test: 0, solution: solution, parallel: parallel, interruption: interruption)
        }
        let candidates: [UInt32]? = if case .indices(let indices) = selection { indices } else { nil }
        return InfluenceAnswer.Result(
            tests: plan.subjects[subject].tests, ranking: ranking, groups: groups,
            allScores: include.contains(.allScores) ? scores : nil, candidates: candidates,
            sTest: include.contains(.sTest) ? solution.vectors : nil, residual: solution.residuals[0],
            converged: solution.converged[0], iterations: solution.iterations.first, accuracy: solution.accuracies.first)
    }

    /// The training examples nearest to a subject's tests: of an aggregate's the union, since each brings those near to it.
    private func neighbors(
        of subject: InfluencePlan.Subject, _ plan: InfluencePlan, _ interruption: Interruption
    ) throws -> RowSelection {
        guard case .nearestNeighbors(let count) = plan.request.candidates else { return .all }
        let features = try neighborFeatures(of: plan.model, interruption: interruption)
        let union = try subject.tests.reduce(into: Set<UInt32>()) { union, test in
            let network = try plan.model.network(at: test.test.pointer)
            let query = try network.hidden(
                of: network.features(of: test.input), parallel: Parallel(threads: 1), interruption: interruption)
            union.formUnion(
                try NearestNeighbors.indices(
                    of: query.values(of: 0), in: features, count: count, parallel: parallel, interruption: interruption))
        }
        return .indices(union.sorted())
    }
}
