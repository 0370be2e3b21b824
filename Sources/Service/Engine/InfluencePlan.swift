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
    /// The curvature as the answer names it.
    let curvature: InfluenceRequest.Curvature
    let spectrum: SpectrumEstimate
    let system: DampedCurvature
    /// Names the system.
    let factor: FactorKey
    let solver: InfluenceAnswer.Solver
    let subjects: [Subject]

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
        let (named, kind) = try space.curvatureKind(request.curvature, of: model)
        curvature = named
        try MemoryBudget(bytes: engine.memoryBytes).require(
            space.byteCount(of: request.tests, model), of: .quarter, for: "the gradients of \(request.tests.count) tests",
            at: "/tests")
        let tests = try engine.resolve(request.tests, for: model, predictMissing: true, interruption: interruption)
        if case .nearestNeighbors = request.candidates, tests.contains(where: \.input.isEmpty) {
            throw Problem(
                at: "/candidates/nearest_neighbors", "needs tests with inputs: a gradient has no neighbours; use indices")
        }
        let vectors = try space.vectors(of: tests, parallel: engine.parallel, interruption: interruption)

        let known = try engine.curvature(kind, of: model, in: space, interruption: interruption)
        spectrum = known.spectrum
        let shift = Self.lambda(
            request, weightDecay: model.weightDecay, dimension: space.dimension, trace: known.spectrum.trace)
        let system = DampedCurvature(known.operation, shift: shift)
        self.system = system
        let solver = Self.solver(request, known.spectrum, exampleCount: model.gradients.count, shift: system.shift)
        self.solver = solver
        let factor = FactorKey(curvature: CurvatureKey(identity: space.identity, kind: kind), shift: system.shift)
        self.factor = factor
        subjects = try Self.aggregate(tests, vectors, as: request.aggregate).map { tests, gradient in
            guard gradient.allSatisfy(\.isFinite) else {
                throw Problem(
                    at: "/tests", "make a loss gradient beyond single precision; their features are too large for the model")
            }
            let digest = ContentDigest(of: gradient.withUnsafeBytes { Data($0) })
            return Subject(
                tests: tests, gradient: gradient, key: SolutionKey(system: factor, solver: solver, gradient: digest))
        }
        try checkMemory(limit: engine.memoryBytes / 4)
    }

    private static func aggregate(
        _ tests: [ResolvedTest], _ vectors: [[Float]], as aggregate: InfluenceRequest.Aggregate
    ) -> [(tests: [ResolvedTest], gradient: [Float])] {
        guard aggregate != .none else { return zip(tests, vectors).map { ([$0], $1) } }
        let factor = aggregate == .mean ? 1 / Double(tests.count) : 1
        let combined = vectors[0].indices.map { i in Float(vectors.reduce(0.0) { $0 + Double($1[i]) } * factor) }
        return [(tests, combined)]
    }

    /// λ_effective = weight decay + damping.
    private static func lambda(
        _ request: InfluenceRequest, weightDecay: Double, dimension: Int, trace: Double
    ) -> Double {
        switch request.dampingMode {
        case .absolute: weightDecay + request.damping
        case .relative: weightDecay + request.damping * (trace + weightDecay * Double(dimension)) / Double(dimension)
        }
    }

    private static func solver(
        _ request: InfluenceRequest, _ spectrum: SpectrumEstimate, exampleCount: Int, shift: Double
    ) -> InfluenceAnswer.Solver {
        switch request.solver {
        case .lissa(let choice):
            .lissa(LiSSA(choice, spectrum: spectrum, exampleCount: exampleCount, shift: shift).settings)
        case .exact: .exact
        }
    }

    private func checkMemory(limit: Int) throws {
        guard case .lissa(let settings) = solver else { return }
        let (bytes, overflow) = (settings.numRepeat * subjects.count * space.dimension)
            .multipliedReportingOverflow(by: 8)
        guard !overflow, bytes <= limit else {
            throw Problem(
                at: "/solver/num_repeat",
                "\(settings.numRepeat) repeats of \(subjects.count) vectors take more memory than is allowed; lower it, or the tests"
            )
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
        if case .lissa(let choice) = request.solver, let batch = choice.batchSize, batch > count {
            throw Problem(at: "/solver/batch_size", "must be at most \(count), the number of training examples; got \(batch)")
        }
    }
}
