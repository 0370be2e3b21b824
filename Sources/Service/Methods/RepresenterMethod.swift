internal import Attribution
internal import Foundation
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// α_ic·(h̃ᵢ · h̃_test): what an example adds to the output for the test's target, once the last layer is trained again with an L2 term until
/// it is stationary (Yeh et al. 2018, theorem 3.1; TracIn, appendix A.2).
struct RepresenterMethod: MethodChoice {
    static let name = "representer_point"
    static let summary = """
        α_ic·(h̃ᵢ · h̃_test): what an example adds to the output for the test's target, c, of a last layer that is trained again with an L2 \
        term to stationarity (Yeh et al. 2018). The values of all examples add up to that output; the diagnostics say how far it is from the \
        model's.
        """
    static let fields: Schema.Members = [
        "l2": .number(in: decays).described(
            "λ of the term (λ/2)‖(W, b)‖² that the last layer is trained again with; the model's weight_decay by default.")
    ]
    static let uses: Set<SharedMember> = []
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members) = (
        [
            "l2": .number(above: 0), "steps": Schema.integer().described("Newton steps of the retraining."),
            "gradient_norm": Schema.number(atLeast: 0).described("‖∇‖ where it ended."),
            "unattributed": Schema.number(atLeast: 0).described(
                "‖∇‖ / (λ‖θ‖): the share of outputs that is no example's; 0 where exactly stationary."),
            "mean_output_change": Schema.number(atLeast: 0).described(
                "How far retraining moved the predictions on the training examples: the mean |Δ| of probabilities, or of outputs where "
                    + "there are none."),
            "largest_output_change": Schema.number(atLeast: 0).described("The largest |Δ|."),
        ],
        [
            "changed_labels": Schema.number(in: 0...1).described("The share of training examples whose predicted label changed."),
            "output_correlation": Schema.number(in: -1...1).described("Pearson's, of all outputs before and after."),
        ]
    )
    static let details: Schema.Members = [
        "coefficients": Schema.array(of: .number(), count: 1 ... .max).described(
            "Of representer_point: αᵢ, one number for each output.")
    ]

    /// What λ may be.
    private static let decays = 1e-30...1e30
    /// Nil for the model's weight decay.
    private let decay: Double?

    init(_ object: JSONObjectReader) {
        decay = object.optionalNumber("l2", in: Self.decays)
    }

    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring {
        let network = try subjects.model.network(at: "/method", "has no last layer to train again; use influence or gradient_dot")
        let kept = try engine.representer(of: subjects.model, decay: decay, interruption: interruption)
        let points = kept.points
        let directions = try subjects.tests.flatMap { $0 }.map { test in
            guard let target = test.target, !test.input.isEmpty else {
                throw Problem(
                    at: test.test.pointer, "must have an input: representer points compare features, which a gradient has none of"
                )
            }
            let features = try kept.features.features(of: test.input, interruption: interruption)
            let side = network.network.loss.side(of: target, width: points.outputCount)
            return ExampleGradients(vectors: points.direction(of: side, features: features), count: 1)
        }
        return Scoring(
            [Scoring.Term(.derived(kept.key.kind, kept.key.digest), points, .given(try subjects.directions(from: directions)))],
            orientation: .output, diagnostics: kept.layer.members
        ) { _, example in ["coefficients": .numbers(points.coefficients(of: example))] }
    }
}

extension LossSpec {
    /// What each output counts towards a target: the class's own, or a single output's side.
    fileprivate func side(of target: Double, width: Int) -> [Float] {
        switch self {
        case .crossEntropy: (0..<width).map { $0 == Int(target) ? 1 : 0 }
        case .binaryCrossEntropy: [target < 0.5 ? -1 : 1]
        case .smoothHinge: [target < 0 ? -1 : 1]
        case .meanSquaredError: [1]
        }
    }
}

/// A retrained last layer with its representer points.
struct KeptRepresenter: Sendable {
    let key: PreparedKey
    let layer: RetrainedLayer
    let points: RepresenterPoints
    /// What reaches the layer.
    let features: LayerFeatures
}

extension Engine {
    /// The representer points of a model: its last layer is trained again once, and kept.
    /// - Throws: 422 for a model whose last layer is not linear, with the reason; `StoreError`, `Interrupted`.
    func representer(of model: LoadedModel, decay: Double?, interruption: Interruption) throws -> KeptRepresenter {
        let network = try model.network(at: "/method", "has no last layer to train again; use influence or gradient_dot")
        do {
            let decay = try RetrainedLayer.decay(decay, of: network.trained.network)
            let key = PreparedKey(
                "representer", of: model.identity, parts: ["\(decay)"], isUsual: decay == model.weightDecay)
            let features = try features(of: model, at: .lastHidden, pointer: "/method", interruption: interruption)
            let hidden = LabeledExamples(
                features: features.rows, targets: network.examples.targets, weights: network.examples.weights)
            let layer = try prepared(key, of: model.checkpoint) {
                try $0.decoded { try RetrainedLayer(decoding: $0, of: network.trained.network) }
            } make: {
                try RetrainedLayer(
                    of: network.trained, on: hidden, RetrainedLayer.Settings(decay: decay), parallel: parallel,
                    interruption: interruption)
            }
            // They hold the features, which nobody else counts as long unless they are the model's own.
            let shared = network.trained.hidden == nil ? 0 : hidden.features.byteCount
            let points = try representers.value(
                for: key, cost: { $0.residuals.count * MemoryLayout<Float>.stride + shared }
            ) {
                try RepresenterPoints(of: layer, on: hidden, parallel: parallel, interruption: interruption)
            }
            return KeptRepresenter(key: key, layer: layer, points: points, features: features)
        } catch let error as RepresenterError {
            let pointer =
                switch error {
                case .noDecay, .invalidDecay, .notStationary: "/l2"
                case .lastLayer, .noExamples, .training, .damaged: "/method"
                }
            throw Problem(at: pointer, error.description)
        }
    }
}

extension RetrainedLayer: Prepared {
    var byteCount: Int { network.parameters.count * MemoryLayout<Float>.stride }
    var summary: JSONObject { members }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try encoded.withUnsafeBytes(body) }

    /// What answers say of it.
    var members: JSONObject {
        var members: JSONObject = [
            "l2": .double(decay), "steps": .integer(steps), "gradient_norm": .double(gradientNorm),
            "unattributed": .double(unattributed), "mean_output_change": .double(shift.meanChange),
            "largest_output_change": .double(shift.largestChange),
        ]
        if let changed = shift.changedLabels { members["changed_labels"] = .double(changed) }
        if let correlation = shift.correlation { members["output_correlation"] = .double(correlation) }
        return members
    }
}

extension RepresenterMethod: SelfScoring {
    static let summaryOfSelf = """
        α_iy·‖h̃ᵢ‖²: what the example adds to the output of its own label, y, of a last layer that is trained again with an L2 term.
        """

    func selfInfluence(
        for request: SelfInfluenceRequest, of model: LoadedModel, in engine: Engine, interruption: Interruption
    ) throws -> SelfInfluence {
        let kept = try engine.representer(of: model, decay: decay, interruption: interruption)
        let points = kept.points
        return SelfInfluence(
            try points.selfInfluence(parallel: engine.parallel, interruption: interruption).map { Double($0) },
            orientation:
                "score = α·‖h‖²; large: the example itself makes much of the output of its label, as where that is wrong",
            diagnostics: kept.layer.members
        ) { ["coefficients": .numbers(points.coefficients(of: $0))] }
    }
}
