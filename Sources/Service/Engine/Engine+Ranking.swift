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
    private struct Part {
        let plan: Int
        let subject: Int
        let solution: Solution
        /// How many examples are ranked, and one more.
        let endCount: Int
    }

    /// Subjects that one reading of all examples serves.
    private struct Reading {
        let model: LoadedModel
        let gradients: ChosenGradients
        /// What their residuals are measured in on the way, where they are not known.
        let curvature: (key: CurvatureKey, operation: any CurvatureOperator)?
        var parts: [Part]
    }

    /// The results of each plan's subjects.
    func rank(
        _ plans: [Result<InfluencePlan, any Error>], _ solutions: Solutions, _ interruptions: [Interruption],
        _ common: Interruption
    ) -> [Result<[InfluenceAnswer.Result], any Error>] {
        var results: [Result<[InfluenceAnswer.Result?], any Error>] = plans.map { plan in
            plan.map { Array(repeating: nil, count: $0.subjects.count) }
        }
        var readings: [Reading] = []
        for (index, plan) in plans.enumerated() {
            results[index] = Result {
                let plan = try plan.get()
                // All subjects need their vectors before any is scored.
                let solved = try plan.subjects.map { try solutions[$0.key]!.get() }
                guard plan.request.candidates == nil else { return try rankSelected(plan, solved, interruptions[index]) }
                for (subject, solution) in solved.enumerated() {
                    let part = Part(plan: index, subject: subject, solution: solution, endCount: plan.request.k + 1)
                    let curvature = solution.isMeasured ? nil : plan.system.key.curvature
                    let known = readings.firstIndex {
                        $0.model === plan.model && $0.gradients.source == plan.space.gradients.source
                            && $0.curvature?.key == curvature
                    }
                    if let known {
                        readings[known].parts.append(part)
                    } else {
                        readings.append(
                            Reading(
                                model: plan.model, gradients: plan.space.gradients,
                                curvature: curvature.map { ($0, plan.system.damped.data) }, parts: [part]))
                    }
                }
                return Array(repeating: nil, count: plan.subjects.count)
            }
        }
        for reading in readings {
            let (gradients, parts) = (reading.gradients.gradients, reading.parts)
            let width = max(1, min(64, scoreBytes / max(1, gradients.count * MemoryLayout<Float>.stride)))
            for start in stride(from: 0, to: parts.count, by: width) {
                let part = parts[start..<min(start + width, parts.count)]
                let scan = Result {
                    try gradients.scan(
                        along: part.flatMap(\.solution.vectors),
                        ends: part.map { WantedEnds(count: $0.endCount, directions: $0.solution.repeats.flatMap { $0 }) },
                        imaging: reading.curvature?.operation, parallel: parallel, interruption: common)
                }
                for (direction, wanted) in part.enumerated() {
                    results[wanted.plan] = Result {
                        var made = try results[wanted.plan].get()
                        let (plan, scan) = try (plans[wanted.plan].get(), scan.get())
                        let solution = try scan.images.map { images in
                            let length = plan.space.dimension
                            return try measured(
                                wanted.solution, by: Array(images[direction * length..<(direction + 1) * length]),
                                plan.subjects[wanted.subject], of: plan)
                        }
                        made[wanted.subject] = try result(
                            of: plan, subject: wanted.subject, solution ?? wanted.solution, selection: .all,
                            scores: scan.scores[direction], ends: scan.ends?[direction], interruptions[wanted.plan])
                        return made
                    }
                }
            }
        }
        return results.map { $0.map { $0.compactMap { $0 } } }
    }

    /// A solution whose residual is measured by the image of its vector, and kept for whoever asks again.
    private func measured(
        _ solution: Solution, by image: [Float], _ subject: InfluencePlan.Subject, of plan: InfluencePlan
    ) throws -> Solution {
        let measured = solution.measured(by: image, of: subject.gradient, in: plan.system.damped)
        guard measured.residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        solutions.insert(measured, for: subject.key)
        return measured
    }

    /// Solutions whose residuals are measured by a product over all examples, where they are not known.
    private func measured(
        _ solved: [Solution], of plan: InfluencePlan, _ interruption: Interruption
    ) throws -> [Solution] {
        try zip(solved, plan.subjects).map { solution, subject in
            guard !solution.isMeasured else { return solution }
            var image = [Float](repeating: 0, count: solution.vectors.count)
            try plan.system.damped.data.product(
                of: solution.vectors, to: &image, vectorCount: 1, parallel: parallel, interruption: interruption)
            return try measured(solution, by: image, subject, of: plan)
        }
    }

    /// The results of a plan that scores some examples only.
    private func rankSelected(
        _ plan: InfluencePlan, _ solved: [Solution], _ interruption: Interruption
    ) throws -> [InfluenceAnswer.Result] {
        let solved = try measured(solved, of: plan, interruption)
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
