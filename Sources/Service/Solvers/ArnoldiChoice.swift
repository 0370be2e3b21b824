internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// The leading eigenpairs of C.
struct ArnoldiChoice: SolverChoice {
    static let name = "arnoldi"
    static let servesAllExamples = true
    static let summary = """
        The eigenpairs of C of largest magnitude (Schioppa et al. 2022), found once for a checkpoint and kept in the store, and one \
        number for what they leave of a test's gradient. The more pairs, the more exact; `residual` says how far.
        """
    static let fields: Schema.Members = [
        "arnoldi_dim": automatic.described("Products with C to find the pairs by; twice projection_dim by default."),
        "projection_dim": automatic.described("Pairs, at most p; \(standardRank) by default."),
    ]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        ["arnoldi_dim": .integer(in: 1 ... .max), "projection_dim": .integer(in: 1 ... .max)], [:]
    )

    private static let automatic = Schema.automatic(.integer(in: 1...largest))
    private static let largest = 100_000
    private static let standardRank = 100

    private let steps, rank: Int?

    init(_ object: JSONObjectReader) {
        rank = object.automaticInteger("projection_dim", in: 1...Self.largest)
        steps = object.automaticInteger("arnoldi_dim", in: 1...Self.largest)
        if let rank, let steps, steps < rank {
            object.report("arnoldi_dim", "must be at least projection_dim, \(rank); got \(steps)")
        }
    }

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        let dimension = system.damped.dimension
        let rank = min(dimension, rank ?? steps.map { max(1, $0 / 2) } ?? Self.standardRank)
        let steps = min(dimension, steps ?? 2 * rank)
        try ArnoldiSolver.checkSize(dimension: dimension, rank: rank, steps: steps, memoryLimit: engine.memoryBytes / 4)
        return Settled(rank: rank, steps: steps, isUsual: self.rank == nil && self.steps == nil)
    }

    private struct Settled: SettledSolver {
        let rank, steps: Int
        let isUsual: Bool

        var members: JSONObject {
            ["solver": .string(ArnoldiChoice.name), "arnoldi_dim": .integer(steps), "projection_dim": .integer(rank)]
        }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            let key = PreparedKey("arnoldi", of: system, parts: ["\(rank)", "\(steps)"], isUsual: isUsual)
            return try engine.prepared(key, for: system) {
                try $0.decoded { try ArnoldiSolver(bytes: $0, dimension: system.damped.dimension) }
            } make: {
                try ArnoldiSolver(
                    of: system.damped.data, rank: rank, steps: steps, memoryLimit: engine.memoryBytes / 4,
                    parallel: engine.parallel, interruption: interruption)
            }
        }
    }
}

extension ArnoldiSolver: Prepared {
    var summary: JSONObject { ["order": .integer(pairs.dimension), "pairs": .integer(pairs.values.count)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try bytes.withUnsafeBytes(body) }
}
