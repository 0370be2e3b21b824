internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// What a method has solved: one system, a right-hand side for each subject.
struct Solving: Sendable {
    /// One right-hand side.
    struct Side: Sendable {
        /// v.
        let gradient: [Float]
        /// Names its solution.
        let key: SolutionKey
    }

    let system: InfluenceSystem
    /// By whom.
    let solver: any SettledSolver
    /// One for each subject.
    private(set) var sides: [Side]

    /// What vectors and scores are in.
    var space: InfluenceSpace { system.space }

    /// The same for one of the subjects.
    func only(_ subject: Int) -> Solving {
        var solving = self
        solving.sides = [sides[subject]]
        return solving
    }
}

extension Solving {
    /// The system that a request is about, with the gradients of its subjects for right-hand sides, and the solver that it names.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    init(for subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws {
        let gradients = try subjects.gradients(parallel: engine.parallel, interruption: interruption).map(\.vectors)
        try self.init(
            subjects.request.system, until: subjects.request.until, subjects.model, subjects.space, gradients, engine,
            interruption)
    }

    /// A system of a model with some right-hand sides.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    init(
        _ request: SystemRequest, until goal: InfluenceRequest.Goal? = nil, _ model: LoadedModel, _ space: InfluenceSpace,
        _ gradients: [[Float]], _ engine: Engine, _ interruption: Interruption
    ) throws {
        let system = try InfluenceSystem(
            model, space, curvature: request.curvature, engine, interruption)
        try request.solver.check(for: system, in: engine, interruption: interruption)
        let solver =
            try goal?.settled(request.solver, for: system, in: engine, interruption: interruption)
            ?? request.solver.choice.settled(for: system, in: engine, interruption: interruption)
        let identity = solver.identity
        (self.system, self.solver) = (system, solver)
        sides = gradients.map { gradient in
            let digest = ContentDigest(of: gradient.withUnsafeBytes { Data($0) })
            return Side(gradient: gradient, key: SolutionKey(system: system.key, solver: identity, gradient: digest))
        }
        try checkMemory(limit: engine.memoryBytes / 4)
    }

    /// Refuses solutions that would not fit together until they are used.
    private func checkMemory(limit: Int) throws {
        let bytes = Int.floatBytes(solver.vectorsPerSolution, sides.count, space.dimension)
        guard let bytes, bytes <= limit else {
            throw Problem(
                at: solver.vectorsPerSolution > 1 ? "/solver/num_repeat" : "/tests",
                "\(solver.vectorsPerSolution - 1) repeats for \(sides.count) vectors take more memory than is allowed; lower num_repeat, "
                    + "or ask for fewer tests")
        }
    }
}

extension InfluenceRequest.Solver {
    /// Whether it can solve a system at all.
    /// - Throws: `Problem` saying what could; `SolverError`, `Interrupted`.
    func check(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws {
        if type(of: choice).needsRandomAccess, !system.hasResidentExamples {
            let rows = system.space.gradients
            let bytes = if case .projected(let record) = rows.source { " take \(record.layout.byteCount) bytes and" } else { "" }
            throw Problem(
                at: "/solver/name",
                "must be exact or cg: \(name) takes single rows at random, and those of '\(rows.name)'\(bytes) stay on "
                    + "disk. \(GradientCacheBudget(memoryBytes: engine.memoryBytes).resident) bytes of memory are for such (a quarter of "
                    + "compute.memory_bytes); or raise that")
        }
        if type(of: choice).needsDefiniteness { try engine.checkDefinite(system, interruption: interruption) }
    }
}
