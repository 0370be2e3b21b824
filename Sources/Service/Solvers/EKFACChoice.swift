internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// The curvature in Kronecker-factored eigenbases.
struct EKFACChoice: SolverChoice {
    static let name = "ekfac"
    static let servesAllExamples = true
    static let summary = """
        C approximated layer by layer in Kronecker-factored eigenbases (George et al. 2018; for influence Grosse et al. 2023): two ways \
        through the data for a checkpoint, which are kept in the store, then four products of small matrices a test. `residual` says \
        what that leaves; cg with this preconditioner removes it.
        """
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        ["fitted_on": Schema.integer(in: 1 ... .max).described("Training examples that the factors were estimated from.")], [:]
    )

    /// Examples that factors are estimated from at most.
    static let exampleLimit = 65_536

    init() {}
    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        _ = try Self.network(of: system)
        return Settled(examples: min(Self.exampleLimit, system.damped.data.exampleCount))
    }

    private struct Settled: SettledSolver {
        let examples: Int

        var members: JSONObject { ["solver": .string(EKFACChoice.name), "fitted_on": .integer(examples)] }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            try EKFACChoice.approximation(of: system, in: engine, interruption: interruption)
        }
    }

    /// Names the factors of a system's curvature.
    static func key(for system: InfluenceSystem) -> PreparedKey {
        PreparedKey("ekfac", of: system, parts: ["\(exampleLimit)"], isUsual: true)
    }

    /// The factors.
    /// - Throws: `Problem` where the curvature is of no network; `SolverError`, `StoreError`, `Interrupted`.
    static func approximation(
        of system: InfluenceSystem, in engine: Engine, interruption: Interruption
    ) throws -> EKFAC {
        let network = try network(of: system)
        return try engine.prepared(key(for: system), for: system, restore: Self.restore(for: system)) {
            let curvature = NetworkCurvature(system.key.curvature.kind, of: network.trained, over: network.examples)
            do {
                let (blocks, count) = try curvature.kroneckerBlocks(
                    KroneckerSettings(examples: exampleLimit, memoryLimit: engine.memoryBytes / 4), parallel: engine.parallel,
                    interruption: interruption)
                return try EKFAC(blocks: blocks, exampleCount: count)
            } catch let error as KroneckerError {
                throw Problem(error)
            }
        }
    }

    private static func restore(for system: InfluenceSystem) -> (KeptBytes) throws -> EKFAC? {
        { kept in
            try kept.decoded { try EKFAC(decoding: $0) }.flatMap { $0.dimension == system.damped.dimension ? $0 : nil }
        }
    }

    private static func network(of system: InfluenceSystem) throws -> NetworkModel {
        guard system.space.rows == nil else {
            throw Problem(
                at: "/solver/name",
                "ekfac needs the layers of a network, and here gradients are all that is known; use cg or exact")
        }
        return try system.model.network(at: "/solver/name", "has no layers for ekfac")
    }
}

extension EKFAC: Prepared {
    var summary: JSONObject {
        ["order": .integer(dimension), "blocks": .integer(blocks.count), "fitted_on": .integer(exampleCount)]
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try encoded.withUnsafeBytes(body) }
}
