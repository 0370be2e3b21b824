internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// A request for influence made ready: names resolved, tests evaluated, settings chosen, and everything checked that can be checked
/// before the work.
struct InfluencePlan: Sendable {
    /// One right-hand side, and the tests it stands for.
    struct Subject: Sendable {
        /// More than one for an aggregate.
        let tests: [ResolvedTest]
        /// v.
        let gradient: [Float]
        /// Names its solution.
        let key: SolutionKey
    }

    let request: InfluenceRequest
    let model: LoadedModel
    /// What vectors and scores are in.
    let space: InfluenceSpace
    /// What is solved.
    let system: InfluenceSystem
    /// By whom.
    let solver: any SettledSolver
    private(set) var subjects: [Subject]

    /// Prepares a request.
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    init(_ request: InfluenceRequest, _ engine: Engine, _ interruption: Interruption) throws {
        try interruption.check()
        self.request = request
        let model = try engine.model(request.model, checkpoint: request.checkpoint, interruption: interruption)
        self.model = model
        try Self.check(request, against: model)
        let space = try engine.space(of: request, model, interruption: interruption)
        self.space = space
        try MemoryBudget(bytes: engine.memoryBytes).require(
            space.byteCount(of: request.tests, model), of: .quarter, for: "the gradients of \(request.tests.count) tests",
            at: "/tests")
        let tests = try engine.resolve(request.tests, for: model, predictMissing: true, interruption: interruption)
        if case .nearestNeighbors = request.candidates, tests.contains(where: \.input.isEmpty) {
            throw Problem(
                at: "/candidates/nearest_neighbors", "needs tests with inputs: a gradient has no neighbours; use indices")
        }
        let vectors = try space.vectors(of: tests, parallel: engine.parallel, interruption: interruption)

        system = try InfluenceSystem(
            model, space, curvature: request.curvature, damping: request.damping, mode: request.dampingMode, engine, interruption)
        let (system, solver) = (system, try Self.solver(request, system, engine, interruption))
        self.solver = solver
        let solverIdentity = solver.identity
        subjects = try Self.aggregate(tests, vectors, as: request.aggregate).map { tests, gradient in
            guard gradient.allSatisfy(\.isFinite) else {
                throw Problem(
                    at: "/tests", "make a loss gradient beyond single precision; their features are too large for the model")
            }
            let digest = ContentDigest(of: gradient.withUnsafeBytes { Data($0) })
            return Subject(
                tests: tests, gradient: gradient, key: SolutionKey(system: system.key, solver: solverIdentity, gradient: digest))
        }
        try checkMemory(limit: engine.memoryBytes / 4)
    }

    /// The same for one of its subjects.
    func only(_ subject: Int) -> InfluencePlan {
        var plan = self
        plan.subjects = [subjects[subject]]
        return plan
    }

    private static func aggregate(
        _ tests: [ResolvedTest], _ vectors: [[Float]], as aggregate: InfluenceRequest.Aggregate
    ) -> [(tests: [ResolvedTest], gradient: [Float])] {
        guard aggregate != .none else { return zip(tests, vectors).map { ([$0], $1) } }
        let factor = aggregate == .mean ? 1 / Double(tests.count) : 1
        let combined = vectors[0].indices.map { i in Float(vectors.reduce(0.0) { $0 + Double($1[i]) } * factor) }
        return [(tests, combined)]
    }

    private static func solver(
        _ request: InfluenceRequest, _ system: InfluenceSystem, _ engine: Engine, _ interruption: Interruption
    ) throws -> any SettledSolver {
        let choice = request.solver.choice
        if type(of: choice).needsRandomAccess, !system.hasResidentExamples {
            let rows = system.space.gradients
            let bytes = if case .projected(let record) = rows.source { " take \(record.layout.byteCount) bytes and" } else { "" }
            throw Problem(
                at: "/solver/name",
                "must be exact or cg: \(request.solver.name) takes single rows at random, and those of '\(rows.name)'\(bytes) stay on "
                    + "disk. \(GradientCacheBudget(memoryBytes: engine.memoryBytes).resident) bytes of memory are for such (a quarter of "
                    + "compute.memory_bytes); or raise that")
        }
        if type(of: choice).needsDefiniteness { try engine.checkDefinite(system, interruption: interruption) }
        guard let goal = request.until else { return try choice.settled(for: system, in: engine, interruption: interruption) }
        return try goal.settled(request.solver, for: system, in: engine, interruption: interruption)
    }

    /// Refuses solutions that would not fit together until they are scored.
    private func checkMemory(limit: Int) throws {
        let bytes = Int.floatBytes(solver.vectorsPerSolution, subjects.count, space.dimension)
        guard let bytes, bytes <= limit else {
            throw Problem(
                at: solver.vectorsPerSolution > 1 ? "/solver/num_repeat" : "/tests",
                "\(solver.vectorsPerSolution - 1) repeats for \(subjects.count) vectors take more memory than is allowed; lower num_repeat, "
                    + "or ask for fewer tests")
        }
    }

    /// What only the model can tell of a request.
    private static func check(_ request: InfluenceRequest, against model: LoadedModel) throws {
        if case .nearestNeighbors = request.candidates {
            _ = try model.network(at: "/candidates/nearest_neighbors", "needs features to tell neighbours by; use indices")
        }
        let count = model.gradients.count
        func range(_ indices: [Int], _ pointer: String) throws {
            guard let position = indices.firstIndex(where: { $0 >= count }) else { return }
            throw Problem(
                at: "\(pointer)/\(position)",
                "must be an example of '\(model.training.record.name)', 0 to \(count - 1); got \(indices[position])")
        }
        if case .indices(let indices) = request.candidates { try range(indices, "/candidates/indices") }
        for (position, group) in request.groups.enumerated() { try range(group.indices, "/groups/\(position)/indices") }
    }
}
