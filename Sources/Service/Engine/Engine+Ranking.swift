internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Store

// From directions to the two ends: scores of the selected examples, and what is asked of them.
extension Engine {
    /// The results of each plan's subjects.
    func rank(
        _ plans: [Result<InfluencePlan, any Error>], _ solutions: Solutions, _ interruptions: [Interruption],
        _ common: Interruption
    ) -> [Result<[InfluenceAnswer.Result], any Error>] {
        var results: [Result<[InfluenceAnswer.Result?], any Error>] = plans.map { plan in
            plan.map { Array(repeating: nil, count: $0.subjects.count) }
        }
        var scan = ScanSchedule(engine: self)
        for (index, plan) in plans.enumerated() {
            results[index] = Result {
                let plan = try plan.get()
                // All subjects need their vectors before any is scored.
                let solved = try plan.scoring.solving?.sides.map { try solutions[$0.key]!.get() }
                guard plan.request.candidates == nil else { return try rankSelected(plan, solved, interruptions[index]) }
                for subject in plan.subjects.indices {
                    scan.add(ScanSchedule.Part(plan, index: index, subject: subject, solution: solved?[subject]))
                }
                return Array(repeating: nil, count: plan.subjects.count)
            }
        }
        scan.run(interruption: common) { part, outcome in
            results[part.index] = Result {
                var made = try results[part.index].get()
                let scanned = try outcome.get()
                var solution = part.solution
                if let image = scanned.image, let solved = solution, let solving = part.plan.scoring.solving {
                    solution = try measured(solved, by: image, solving.sides[part.subject], of: solving)
                }
                made[part.subject] = try result(
                    of: part.plan, subject: part.subject, solution, scores: scanned.scores, ends: scanned.ends,
                    interruptions[part.index])
                return made
            }
        }
        return results.map { $0.map { $0.compactMap { $0 } } }
    }

    /// A solution whose residual is measured by the image of its vector, and kept for whoever asks again.
    private func measured(
        _ solution: Solution, by image: [Float], _ side: Solving.Side, of solving: Solving
    ) throws -> Solution {
        let measured = solution.measured(by: image, of: side.gradient, in: solving.system.damped)
        guard measured.residuals.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
        solutions.insert(measured, for: side.key)
        return measured
    }

    /// Solutions whose residuals are measured by a product over all examples, where they are not known.
    func measured(
        _ solved: [Solution], of solving: Solving, _ interruption: Interruption
    ) throws -> [Solution] {
        try zip(solved, solving.sides).map { solution, side in
            guard !solution.isMeasured else { return solution }
            var image = [Float](repeating: 0, count: solution.vectors.count)
            try solving.system.damped.data.product(
                of: solution.vectors, to: &image, vectorCount: 1, parallel: parallel, interruption: interruption)
            return try measured(solution, by: image, side, of: solving)
        }
    }

    /// The results of a plan that scores some examples only.
    private func rankSelected(
        _ plan: InfluencePlan, _ solved: [Solution]?, _ interruption: Interruption
    ) throws -> [InfluenceAnswer.Result] {
        let solved = try solved.flatMap { solved in
            try plan.scoring.solving.map { try measured(solved, of: $0, interruption) }
        }
        let formulas = plan.subjects.indices.map { plan.scoring.formula(of: $0, solved?[$0]) }
        func scores(_ selection: RowSelection, _ formulas: [ScoreFormula]) throws -> [[Float]] {
            try ScoreFormula.scores(of: selection, by: formulas, parallel: parallel, interruption: interruption)
        }
        let candidates = try candidates(of: plan, interruption)
        // Named examples are the same for all subjects, and scored in one pass; each has neighbours of its own.
        if plan.named != nil, let selection = candidates.first?.selection {
            let shared = try scores(selection, formulas)
            return try plan.subjects.indices.map {
                try result(of: plan, subject: $0, solved?[$0], candidates: candidates[$0], scores: shared[$0], interruption)
            }
        }
        return try plan.subjects.indices.map {
            let own = try scores(candidates[$0].selection, [formulas[$0]])
            return try result(of: plan, subject: $0, solved?[$0], candidates: candidates[$0], scores: own[0], interruption)
        }
    }

    private func result(
        of plan: InfluencePlan, subject: Int, _ solution: Solution?, candidates: CandidateChoice? = nil, scores: [Float],
        ends: RankedEnds? = nil, _ interruption: Interruption
    ) throws -> InfluenceAnswer.Result {
        try interruption.check()
        guard Vectors.areFinite(scores) else { throw SolverError.notFinite }
        let formula = plan.scoring.formula(of: subject, solution)
        let selection = candidates?.selection ?? .all
        let include = plan.request.include
        let ranking = try formula.ranking(
            of: scores, selection: selection, ends: ends, k: plan.request.k, parallel: parallel, interruption: interruption)
        let groups = try plan.groups.map {
            try formula.groupScore(of: $0, parallel: parallel, interruption: interruption)
        }
        return InfluenceAnswer.Result(
            subject: subject, tests: plan.subjects[subject], ranking: ranking,
            groups: zip(plan.groups, groups).map { ($0.count, $1) },
            allScores: include.contains(.allScores) ? scores : nil, candidates: candidates,
            sTest: include.contains(.sTest) ? solution?.vectors : nil,
            contributions: plan.scoring.isBrokenDown ? try contributions(to: ranking, by: formula, interruption) : [:],
            solved: solution.map { SolvedSide($0) })
    }

    /// What each term of a formula adds to the scores of ranked examples, by example.
    private func contributions(
        to ranking: Ranking, by formula: ScoreFormula, _ interruption: Interruption
    ) throws -> [Int: [Float]] {
        let listed = (ranking.proponents + ranking.opponents).map(\.index)
        let scores = try formula.contributions(
            to: listed.map { UInt32($0) }, parallel: parallel, interruption: interruption)
        return Dictionary(
            listed.enumerated().map { place, index in (index, scores.map { $0[place] }) }, uniquingKeysWith: { first, _ in first }
        )
    }
}
