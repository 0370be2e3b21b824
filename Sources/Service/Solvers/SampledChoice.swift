internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Store

/// Samples of the training examples, where there are very many of them and few parameters.
struct SampledChoice: SolverChoice {
    static let name = "sampled"
    static let summary = """
        (C_S + λI)s_test = v over a sample S of the training examples, by conjugate gradients with the Cholesky factor of a smaller \
        sample's C + λI, which is made once for a checkpoint. No way through all examples but the one that scores them, which also \
        measures `residual`: an error of a few per cent in the time that reading the examples takes.
        """
    static let fields: Schema.Members = [
        "factored": .integer(in: 1...Int(Int32.max)).defaulting(to: .integer(usual.factored)).described(
            "Training examples whose curvature is factored."),
        "sample": .integer(in: 1...Int(Int32.max)).defaulting(to: .integer(usual.sample)).described(
            "|S|: the error falls with its root."),
        "seed": .integer().defaulting(to: 0).described("Names the samples: the same seed, the same answer."),
    ]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        [
            "factored": .integer(in: 1 ... .max), "sample": .integer(in: 1 ... .max), "seed": .integer(),
            "iterations": Schema.integer().described("Steps that were taken for this test."),
        ], [:]
    )
    static let needsRandomAccess = true
    static let needsDefiniteness = true

    private static let usual = SampledSolver.Settings()

    private var settings = SampledSolver.Settings()

    init() {}

    init(_ object: JSONObjectReader) {
        settings.factored = object.integer("factored", default: Self.usual.factored, in: 1...Int(Int32.max))
        settings.sample = object.integer("sample", default: Self.usual.sample, in: 1...Int(Int32.max))
        settings.seed = UInt64(object.integer("seed", default: 0, in: 0 ... .max))
    }

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        try ExactSolver.checkSize(of: system.damped, memoryLimit: engine.memoryBytes / 4)
        var settings = settings
        let count = system.damped.data.exampleCount
        (settings.factored, settings.sample) = (min(settings.factored, count), min(settings.sample, count))
        return Settled(settings: settings)
    }

    private struct Settled: SettledSolver {
        let settings: SampledSolver.Settings

        var members: JSONObject {
            [
                "solver": .string(SampledChoice.name), "factored": .integer(settings.factored),
                "sample": .integer(settings.sample),
                "seed": .integer(Int(settings.seed)),
            ]
        }
        var vectorsPerSide: Int { 8 }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            let limit = engine.memoryBytes / 4
            // Sooner made than written: it stays in memory unless it is prepared.
            let key = PreparedKey(
                "sampled-cholesky", of: system,
                parts: ["\(system.damped.shift)", "\(settings.factored)", "\(settings.seed)"], isUsual: false)
            let factored = try engine.prepared(key, for: system) {
                try ExactSolver.restored(from: $0, order: system.damped.dimension)
            } make: {
                ExactSolver(
                    factor: try SampledSolver(
                        settings, of: system.damped, memoryLimit: limit, parallel: engine.parallel, interruption: interruption
                    ).factor)
            }
            return SampledSolver(settings, factor: factored.factor)
        }
    }
}
