internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Store

/// A request for influence made ready: names resolved, tests evaluated, settings chosen, and everything checked that can be checked
/// before the work.
struct InfluencePlan: Sendable {
    let request: InfluenceRequest
    let model: LoadedModel
    /// What training examples are scored by, as answers name it.
    let gradients: ChosenGradients
    /// The tests of each subject: more than one for an aggregate.
    private(set) var subjects: [[ResolvedTest]]
    /// The members of each of the request's groups.
    let groups: [[UInt32]]
    /// The examples that are scored where the request names some, by rising index.
    let named: [UInt32]?
    /// How its method scores for them.
    private(set) var scoring: Scoring

    /// Prepares a request.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    init(_ request: InfluenceRequest, _ engine: Engine, _ interruption: Interruption) throws {
        try interruption.check()
        self.request = request
        let model = try engine.model(request.model, checkpoint: request.checkpoint, interruption: interruption)
        self.model = model
        try Self.check(request, against: model)
        groups = try engine.indices(
            ofEach: request.groups.enumerated().map { place, group in
                (group.members, JSONPointer.root.appending("groups").appending(place))
            }, in: model, for: "the examples of groups", interruption: interruption)
        if case .these(let set) = request.candidates {
            let pointer = JSONPointer.root.appending("candidates")
            named = try Set(engine.indices(of: set, in: model, at: pointer, interruption: interruption)).sorted()
        } else {
            named = nil
        }
        // What a method makes no use of is not read.
        let space =
            type(of: request.method.choice).uses.contains(.gradients)
            ? try engine.space(of: request, model, interruption: interruption)
            : InfluenceSpace(model, try engine.gradientsOnDemand(of: model, named: nil, interruption: interruption))
        gradients = space.gradients
        try MemoryBudget(bytes: engine.memoryBytes).require(
            space.byteCount(of: request.tests, model), of: .quarter, for: "the gradients of \(request.tests.count) tests",
            at: "/tests")
        let tests = try engine.resolve(
            request.tests, for: model, measurement: request.measurement, predictMissing: true, interruption: interruption)
        if case .nearestNeighbors = request.candidates, tests.contains(where: \.input.isEmpty) {
            throw Problem(
                at: "/candidates/nearest_neighbors", "needs tests with inputs: a gradient has no neighbours; use indices")
        }
        let subjects = MethodSubjects(request, model, space, tests)
        self.subjects = subjects.tests
        if request.include.contains(.allScores) {
            try MemoryBudget(bytes: engine.memoryBytes).require(
                .floatBytes(subjects.count, model.gradients.count), of: .eighth,
                for: "the scores of \(model.gradients.count) examples for \(subjects.count) tests", at: "/tests")
        }
        scoring = try request.method.choice.scoring(of: subjects, in: engine, interruption: interruption)
    }

    /// The same for one of its subjects.
    func only(_ subject: Int) -> InfluencePlan {
        var plan = self
        plan.subjects = [subjects[subject]]
        plan.scoring = scoring.only(subject)
        return plan
    }

    /// What only the model can tell of a request.
    private static func check(_ request: InfluenceRequest, against model: LoadedModel) throws {
        if !type(of: request.method.choice).uses.contains(.measurement),
            let test = request.tests.first(where: { $0.versus != nil })
        {
            throw Problem(
                at: test.pointer + "/versus",
                "has no meaning for \(request.method.name), which measures nothing. "
                    + InfluenceRequest.Method.remedy { $0.uses.contains(.measurement) })
        }
        if case .nearestNeighbors = request.candidates {
            _ = try model.network(at: "/candidates/nearest_neighbors", "needs features to tell neighbours by; use indices")
        }
    }
}
