internal import Attribution
internal import Dispatch
internal import InverseCurvature
internal import LinearAlgebra
internal import Store

// The main job: s_test for every test at once where a method solves, one scan over the training gradients, the two ends. For several
// requests at a time.
extension Engine {
    /// A request, what says that its answer is no longer wanted, and when it is wanted by, where its answer gets the better with time.
    struct Asked<Request: Sendable>: Sendable {
        let request: Request
        let interruption: Interruption
        var deadline: DispatchTime?
    }

    /// Computes the answers of several requests, to each what it would get alone: right-hand sides of one system are solved together,
    /// and one pass over the data serves all that score all examples.
    ///
    /// Each fails for itself, with `Problem`, `SolverError`, `StoreError` or `Interrupted`.
    func influence(_ asked: [Asked<InfluenceRequest>]) -> [Result<InfluenceAnswer, any Error>] {
        zip(asked, answers(to: asked)).map { asked, outcome in
            // Who was reading a cache that has been removed or replaced since gets what there is now.
            guard case .failure(StoreError.notFound(kind: .cache, _, _, _)) = outcome else { return outcome }
            return answers(to: [asked])[0]
        }
    }

    private func answers(to asked: [Asked<InfluenceRequest>]) -> [Result<InfluenceAnswer, any Error>] {
        let plans = asked.map { asked in Result { try InfluencePlan(asked.request, self, asked.interruption) } }
        let interruptions = asked.map(\.interruption)
        // What is done for all goes on as long as one wants it who gets something of it.
        let wanted = zip(plans, interruptions).compactMap { plan, interruption in (try? plan.get()).map { _ in interruption } }
        let common = Interruption { wanted.allSatisfy(\.isRaised) }

        let begin = DispatchTime.now()
        let solved = plans.compactMap { try? $0.get() }.filter { $0.request.until == nil }.compactMap(\.scoring.solving)
        var solutions = solve(solved, interruption: common)
        let refined = zip(plans, asked).map { plan, asked in (try? plan.get()).flatMap { refine($0, asked, &solutions) } }
        let halfway = DispatchTime.now()
        let results = rank(plans, solutions, interruptions, common)
        let scored = DispatchTime.now()

        return results.enumerated().map { place, results in
            Result {
                let plan = try plans[place].get()
                let results = try results.get().enumerated().map { $1.with(isGoalReached: refined[place]?.isReached[$0]) }
                let listed = Set(results.flatMap { $0.ranking.proponents + $0.ranking.opponents }.map(\.index))
                let training = plan.model.training
                let annotations = try store.annotations(of: training.record, at: listed.sorted()) {
                    try interruptions[place].check()
                }
                let inputs = plan.request.include.contains(.inputs) ? try training.inputs(of: listed, from: store) : [:]
                return InfluenceAnswer(
                    request: plan.request, model: plan.model, gradients: plan.gradients, scoring: plan.scoring, results: results,
                    annotations: Dictionary(annotations.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }),
                    inputs: inputs, sTestMilliseconds: begin.milliseconds(to: halfway),
                    scoreMilliseconds: halfway.milliseconds(to: scored))
            }
        }
    }

    /// Refines the answer to a request that has a goal, and files its solutions.
    private func refine(
        _ plan: InfluencePlan, _ asked: Asked<InfluenceRequest>, _ solutions: inout Solutions
    ) -> Refined? {
        guard let goal = plan.request.until, let solving = plan.scoring.solving, let settled = solving.solver as? SettledLiSSA
        else { return nil }
        do {
            let refined = try refine(plan, solving, by: settled.lissa, to: goal, deadline: asked.deadline, asked.interruption)
            for (side, solution) in zip(solving.sides, refined.solutions) { solutions[side.key] = .success(solution) }
            return refined
        } catch {
            for side in solving.sides { solutions[side.key] = .failure(error) }
            return nil
        }
    }

    /// The answer to one request.
    func influence(
        _ request: InfluenceRequest, interruption: Interruption, deadline: DispatchTime? = nil
    ) throws -> InfluenceAnswer {
        try influence([Asked(request: request, interruption: interruption, deadline: deadline)])[0].get()
    }
}

extension DispatchTime {
    /// Milliseconds from here to another moment; negative to an earlier one.
    func milliseconds(to other: DispatchTime) -> Double {
        (Double(other.uptimeNanoseconds) - Double(uptimeNanoseconds)) / 1e6
    }
}
