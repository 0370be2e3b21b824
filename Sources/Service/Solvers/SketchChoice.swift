internal import InverseCurvature
internal import JSON
internal import LinearAlgebra

/// A sketch of the inverse curvature.
struct SketchChoice: SolverChoice {
    static let name = "sketch"
    static let servesAllExamples = true
    static let summary = """
        S = (C + λI)⁻¹Gᵀ for a random G of projection_dim rows (TracIn, Pruthi et al. 2020, appendix A.1), found once by stochastic \
        gradients of two mini-batches and kept in the store; a test is then two small products. `unbiased` is the paper's S(Gv), with \
        standard errors; `fitted` takes the best that the span of S holds, and is far nearer.
        """
    static let fields: Schema.Members = [
        "projection_dim": .integer(in: 1...100_000).defaulting(to: .integer(usual.projectionDim)).described(
            "d: columns of the sketch."),
        "estimate": Schema.choice(of: SketchSolver.Estimate.self).defaulting(to: .string(usual.estimate.rawValue)).described(
            "What a test makes of the sketch."),
        "steps": .automatic(.integer(in: 1...1_000_000)).described("Steps of the descent."),
        "batch_size": .automatic(.integer(in: 1...Int(Int32.max))).described(
            "Training examples of each of its two mini-batches."),
        "step_size": .automatic(.number(in: 1e-12...1e12)).described("η of the descent."),
        "seed": .integer().defaulting(to: 0).described("Names G and the random streams: the same seed, the same answer."),
    ]
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        [
            "projection_dim": .integer(in: 1 ... .max), "estimate": .choice(of: SketchSolver.Estimate.self),
            "steps": .integer(in: 1 ... .max), "batch_size": .integer(in: 1 ... .max), "step_size": .number(above: 0),
            "seed": .integer(),
        ],
        [
            "rounds": .integer(), "noise": Schema.number(atLeast: 0).described("The standard error of s_test, relative to it."),
            "bias_below_noise": .boolean, "bias": .number(atLeast: 0), "relative_error": .number(atLeast: 0),
        ]
    )
    static let needsRandomAccess = true
    static let needsDefiniteness = true

    private static let usual = SketchSolver.Settings()

    private var settings = SketchSolver.Settings()
    private var descent = TwoBatchDescent.Choice()

    init(_ object: JSONObjectReader) {
        settings.projectionDim = object.integer("projection_dim", default: Self.usual.projectionDim, in: 1...100_000)
        settings.estimate = object.choice("estimate", default: Self.usual.estimate)
        settings.seed = UInt64(object.integer("seed", default: 0, in: 0 ... .max))
        descent.steps = object.automaticInteger("steps", in: 1...1_000_000)
        descent.batchSize = object.automaticInteger("batch_size", in: 1...Int(Int32.max))
        descent.stepSize = object.automaticNumber("step_size", in: 1e-12...1e12)
        descent.seed = settings.seed
    }

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        var (settings, descent) = (settings, descent)
        if settings.estimate == .fitted {
            settings.projectionDim = min(settings.projectionDim, system.damped.dimension)
            descent.steps = descent.steps ?? SketchSolver.fittedSteps
        }
        try SketchSolver.checkSize(
            dimension: system.damped.dimension, projectionDim: settings.projectionDim, memoryLimit: engine.memoryBytes / 4)
        return Settled(
            settings: settings, choice: descent,
            descent: descent.resolved(
                for: system.spectrum, exampleCount: system.damped.data.exampleCount, shift: system.damped.shift),
            isUsual: self.settings == Self.usual && self.descent == TwoBatchDescent.Choice() && system.isUndamped)
    }

    private struct Settled: SettledSolver {
        let settings: SketchSolver.Settings
        let choice: TwoBatchDescent.Choice
        let descent: TwoBatchDescent.Settings
        let isUsual: Bool

        var members: JSONObject {
            [
                "solver": .string(SketchChoice.name), "projection_dim": .integer(settings.projectionDim),
                "estimate": .string(settings.estimate.rawValue), "steps": .integer(descent.steps),
                "batch_size": .integer(descent.batchSize), "step_size": .double(descent.stepSize),
                "seed": .integer(Int(settings.seed)),
            ]
        }
        var vectorsPerSolution: Int { settings.estimate == .unbiased ? 9 : 1 }
        var vectorsPerSide: Int { settings.estimate == .unbiased ? 12 : 6 }

        func solver(
            for system: InfluenceSystem, in engine: Engine, interruption: Interruption
        ) throws -> any SystemSolver {
            // The descent is towards the solution for one λ, also where what is fitted to its span serves every one.
            let key = PreparedKey(
                "sketch", of: system, parts: ["\(system.damped.shift)", JSON.object(members).text], isUsual: isUsual)
            return try engine.prepared(key, for: system) {
                try $0.decoded {
                    try SketchSolver(
                        bytes: $0, dimension: system.damped.dimension, shift: system.damped.shift, parallel: engine.parallel,
                        interruption: interruption)
                }
            } make: {
                do {
                    return try SketchSolver(
                        of: system.damped, settings: settings, descent: choice, spectrum: system.spectrum,
                        memoryLimit: engine.memoryBytes / 4, parallel: engine.parallel, interruption: interruption)
                } catch let error as TwoBatchDescent.Diverged {
                    throw Problem(error)
                }
            }
        }
    }
}

extension SketchSolver: Prepared {
    var summary: JSONObject {
        ["projection_dim": .integer(settings.projectionDim), "estimate": .string(settings.estimate.rawValue)]
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try bytes.withUnsafeBytes(body) }
}
