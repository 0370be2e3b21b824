internal import Attribution
internal import Dispatch
internal import InverseCurvature
internal import LinearAlgebra
internal import Store

// The main job: s_test for every test at once, one scan over the training gradients, the two ends. For several requests at a time.
extension Engine {
    /// A request, and what says that its answer is no longer wanted.
    typealias Asked<Request> = (request: Request, interruption: Interruption)

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
        let solutions = solve(plans.compactMap { try? $0.get() }, interruption: common)
        let solved = DispatchTime.now()
        let results = rank(plans, solutions, interruptions, common)
        let scored = DispatchTime.now()

        return zip(plans, results).map { plan, results in
            Result {
                let (plan, results) = try (plan.get(), results.get())
                let listed = Set(results.flatMap { $0.ranking.proponents + $0.ranking.opponents }.map(\.index))
                let training = plan.model.training
                let annotations = try store.annotations(of: training.record, at: listed.sorted())
                let inputs = plan.request.include.contains(.inputs) ? try training.inputs(of: listed, from: store) : [:]
                return InfluenceAnswer(
                    request: plan.request, model: plan.model, gradients: plan.space.gradients, curvature: plan.curvature,
                    shift: plan.system.shift, solver: plan.solver, results: results,
                    annotations: Dictionary(annotations.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }),
                    inputs: inputs, sTestMilliseconds: begin.milliseconds(to: solved),
                    scoreMilliseconds: solved.milliseconds(to: scored))
            }
        }
    }

    /// The answer to one request.
    func influence(_ request: InfluenceRequest, interruption: Interruption) throws -> InfluenceAnswer {
        try influence([(request, interruption)])[0].get()
    }
}

extension DispatchTime {
    /// Milliseconds from here to a later moment.
    func milliseconds(to later: DispatchTime) -> Double { Double(later.uptimeNanoseconds - uptimeNanoseconds) / 1e6 }
}
