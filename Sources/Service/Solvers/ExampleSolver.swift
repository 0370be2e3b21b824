internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks

/// Solvers that serve every training example: what they prepare, they prepare once, and an example costs them little.
enum ExampleSolver {
    /// Those among the solvers.
    static var kinds: [any SolverChoice.Type] { InfluenceRequest.Solver.kinds.filter { $0.servesAllExamples } }

    /// Reads one from a member that names it.
    static func read(_ object: JSONObjectReader) -> InfluenceRequest.Solver? {
        guard object.choice("name", of: kinds.map { $0.name }) != nil else { return nil }
        return InfluenceRequest.Solver(object)
    }

    /// Flops that the exact solver may take for all examples while a request waits: some seconds of two cores.
    private static let quickFlops = 5e11

    /// The solver that a request names for its tests where it serves all examples too; else the exact one where it takes seconds, or where
    /// there are no layers for EKFAC; and EKFAC.
    static func automatic(
        _ asked: InfluenceRequest.Solver?, for system: InfluenceSystem, in engine: Engine
    ) throws -> InfluenceRequest.Solver {
        if let asked, type(of: asked.choice).servesAllExamples { return asked }
        let exact = InfluenceRequest.Solver(ExactChoice())
        guard system.network != nil else { return exact }
        let (n, p) = (Double(system.damped.data.exampleCount), Double(system.damped.dimension))
        let fits = (try? ExactSolver.checkSize(of: system.damped, memoryLimit: engine.memoryBytes / 4)) != nil
        let isQuick = fits && 3 * n * p * p + p * p * p / 3 <= quickFlops
        return isQuick && !system.mayBeIndefinite ? exact : InfluenceRequest.Solver(EKFACChoice())
    }
}

extension Engine {
    /// gᵢᵀ(C + λI)⁻¹gᵢ and ‖(C + λI)⁻¹gᵢ‖ of all training examples by a solver that serves them all, with what determines them as answers
    /// show it: found once for a system and kept.
    /// - Parameter pointer: the member of the request that is the solver.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func inverseNorms(
        of system: InfluenceSystem, by solver: InfluenceRequest.Solver, at pointer: String, interruption: Interruption
    ) throws -> (norms: ExampleNorms, members: JSONObject) {
        do {
            return try inverseNorms(of: system, by: solver, interruption)
        } catch SolverError.tooLarge(let parameters, let bytes, let limit) {
            // What needs no more than vectors, beside the examples.
            throw Problem(
                at: pointer + "/name",
                "what \(solver.name) prepares takes \(bytes) bytes for \(parameters) parameters, and \(limit) are allowed (a quarter of "
                    + "compute.memory_bytes); use datainf or identity, or ekfac where there are layers, or raise the limit")
        } catch let error as SolverError {
            throw Problem(error).moved(from: "/solver", to: pointer)
        } catch let error as KroneckerError {
            throw Problem(error).moved(from: "/solver", to: pointer)
        } catch let problem as Problem {
            throw problem.moved(from: "/solver", to: pointer)
        } catch let error as NegativeSelfInfluence {
            throw Problem(at: pointer + "/name", error.description)
        }
    }

    private func inverseNorms(
        of system: InfluenceSystem, by solver: InfluenceRequest.Solver, _ interruption: Interruption
    ) throws -> (norms: ExampleNorms, members: JSONObject) {
        try solver.check(for: system, in: self, interruption: interruption)
        let settled = try solver.choice.settled(for: system, in: self, interruption: interruption)
        let key = PreparedKey(
            "norms-\(solver.name)", of: system, parts: ["\(system.damped.shift)", settled.identity],
            isUsual: system.isUndamped && solver.isStandard)
        let count = system.damped.data.exampleCount
        let norms = try prepared(key, for: system) {
            try $0.decoded { ExampleNorms(try InverseNorms(decoding: $0, count: count)) }
        } make: {
            try namingDamping(of: system, interruption: interruption) {
                let rows = try system.fisherRows(in: self, interruption: interruption)
                let norms = try settled.solver(for: system, in: self, interruption: interruption).inverseNorms(
                    of: rows, .both, in: system.damped, memoryLimit: memoryBytes / 8, parallel: parallel,
                    interruption: interruption)
                return ExampleNorms(try norms.weighted(by: system.model.training.weights))
            }
        }
        return (norms, settled.members)
    }
}

/// Norms of all training examples with what is made of them for every request.
struct ExampleNorms: Sendable {
    let norms: InverseNorms
    private let theta: (all: [Double], multipliers: [Float])
    private let loss: (all: [Double], multipliers: [Float])

    init(_ norms: InverseNorms) {
        self.norms = norms
        func both(_ kind: RelatIFDenominator) -> (all: [Double], multipliers: [Float]) {
            let multipliers = (norms.multipliers(kind) ?? []).map { Float($0) }
            return (norms.denominators(kind) ?? [], multipliers.map { $0.isFinite ? $0 : 0 })
        }
        (theta, loss) = (both(.theta), both(.loss))
    }

    func denominators(_ kind: RelatIFDenominator) -> [Double] { kind == .theta ? theta.all : loss.all }

    /// One over each; 0 where that is not finite.
    func multipliers(_ kind: RelatIFDenominator) -> [Float] { kind == .theta ? theta.multipliers : loss.multipliers }
}

extension ExampleNorms: Prepared {
    var byteCount: Int { norms.byteCount + norms.count * 2 * (MemoryLayout<Double>.stride + MemoryLayout<Float>.stride) }
    var summary: JSONObject { ["examples": .integer(norms.count)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try norms.encoded.withUnsafeBytes(body) }
}
