internal import InverseCurvature
internal import JSON
public import LinearAlgebra
internal import Networks
internal import Store

/// What `influenced prepare` is told.
public struct Preparation: Sendable {
    /// The model.
    public var model: String
    /// One of its checkpoints; the latest by default.
    public var checkpoint: String?
    /// C + λI.
    public var curvature = CurvatureRequest()
    /// Each a name, or the text of an object as requests have it. LiSSA where there is none.
    public var solvers: [String] = []
    /// Whether the denominators of relatif, which self-influence is made of too, are prepared by those solvers that serve all examples; by
    /// whichever suits where none is named.
    public var denominators = false

    /// For a model.
    public init(model: String, checkpoint: String? = nil) { (self.model, self.checkpoint) = (model, checkpoint) }
}

extension Engine {
    /// Makes what serves many requests ahead of them, and keeps it in the store: the curvature's spectrum, and what solvers prepare.
    /// What is there already is left as it is.
    /// - Parameters:
    ///   - preparation: of what, and for whom.
    ///   - interruption: when to stop: what is complete by then stays.
    ///   - report: told in a few words what begins.
    /// - Returns: what the store holds of the checkpoint now, as `GET /models` lists it.
    /// - Throws: `Problem`, saying what is wrong; `StoreError`, `Interrupted`.
    public func prepare(
        _ preparation: Preparation, interruption: Interruption, report: (String) -> Void
    ) throws -> [(kind: String, byteCount: Int)] {
        do {
            let solvers = try preparation.solvers.map { try InfluenceRequest.Solver(text: $0) }
            report("loading model '\(preparation.model)'")
            let model = try model(preparation.model, checkpoint: preparation.checkpoint, interruption: interruption)
            let space = InfluenceSpace(model, try gradients(of: model, named: nil, interruption: interruption))
            report("estimating the spectrum")
            let system = try InfluenceSystem(
                model, space, curvature: preparation.curvature,
                isBeingPrepared: true, self, interruption)
            for solver in solvers.isEmpty && !preparation.denominators ? [.standard] : solvers {
                report("preparing \(solver.name)")
                try solver.choice.prepare(for: system, in: self, interruption: interruption)
            }
            if preparation.denominators { try prepareDenominators(of: system, by: solvers, interruption, report) }
            return try store.derived(of: model.checkpoint).map { ($0.kind, $0.byteCount) }
        } catch let stop as Interrupted {
            throw stop
        } catch {
            throw Problem(describing: error).map { $0 as any Error } ?? error
        }
    }
}

extension Engine {
    private func prepareDenominators(
        of system: InfluenceSystem, by solvers: [InfluenceRequest.Solver], _ interruption: Interruption,
        _ report: (String) -> Void
    ) throws {
        let serving = solvers.filter { type(of: $0.choice).servesAllExamples }
        guard solvers.isEmpty || !serving.isEmpty else {
            let names = ExampleSolver.kinds.map { $0.name }.joined(separator: ", ")
            throw Problem(at: "/solver/name", "must be one of \(names) to find denominators, which are of all examples")
        }
        for solver in try solvers.isEmpty ? [ExampleSolver.automatic(nil, for: system, in: self)] : serving {
            report("finding denominators by \(solver.name)")
            _ = try inverseNorms(of: system, by: solver, at: "/solver", interruption: interruption)
        }
    }
}

extension InfluenceRequest.Solver {
    /// A solver from its name, or from the text of what a request says of it.
    /// - Throws: `JSONIssues`, `JSONSyntaxError`.
    fileprivate init(text: String) throws {
        let json: JSON = text.hasPrefix("{") ? try JSON(parsing: Array(text.utf8)) : ["name": .string(text)]
        let reader = JSONReader(json, at: JSONPointer.root.appending("solver"))
        let solver = reader.object().map { Self($0) }
        try reader.issues.check()
        self = solver ?? .standard
    }
}
