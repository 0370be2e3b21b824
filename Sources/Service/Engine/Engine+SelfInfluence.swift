internal import Attribution
internal import Dispatch
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// Which training examples move themselves most.
struct SelfInfluenceAnswer: Sendable {
    let request: SelfInfluenceRequest
    let model: LoadedModel
    let influence: SelfInfluence
    /// The largest scores, and how all are spread.
    let distribution: ScoreDistribution
    /// What is known of the examples that are listed.
    let annotations: [Int: ExampleAnnotation]
    /// Their inputs, where they were asked for and there are any.
    let inputs: [Int: [Float]]
    /// What the model says of them, where it is a network.
    let predictions: [Int: Prediction]
    let scoreMilliseconds: Double
}

extension Engine {
    /// Scores each training example by how much it moves itself. Wrong labels are among the largest (TracIn, Pruthi et al. 2020, section
    /// 4.1; Koh & Liang 2017, section 5.4).
    ///
    /// One pass over the gradients for each checkpoint, in the memory of one number for each example.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func selfInfluence(_ request: SelfInfluenceRequest, interruption: Interruption) throws -> SelfInfluenceAnswer {
        do {
            return try answer(to: request, interruption)
        } catch StoreError.notFound(kind: .cache, _, _, _) {
            // Who was reading a cache that has been removed or replaced since gets what there is now.
            return try answer(to: request, interruption)
        }
    }

    private func answer(to request: SelfInfluenceRequest, _ interruption: Interruption) throws -> SelfInfluenceAnswer {
        let begin = DispatchTime.now()
        let model = try model(request.model, checkpoint: request.checkpoint, interruption: interruption)
        guard let method = request.method.selfScoring else {
            throw Problem(at: "/method", InfluenceRequest.Method.onlySelfScoring(not: request.method.name))
        }
        let influence = try method.selfInfluence(for: request, of: model, in: self, interruption: interruption)
        let distribution = try ScoreDistribution(of: influence.scores, largest: request.k, interruption: interruption)
        guard let distribution, distribution.mean.isFinite else { throw SolverError.notFinite }
        if request.include.contains(.allScores), !distribution.quantiles.allSatisfy({ Float($0.value).isFinite }) {
            throw Problem(
                at: "/include", "can't have all_scores: the largest is beyond single precision, in which they are given")
        }
        let scored = DispatchTime.now()
        let listed = distribution.largest
        let annotations = try store.annotations(of: model.training.record, at: listed.sorted()) {
            try interruption.check()
        }
        return SelfInfluenceAnswer(
            request: request, model: model, influence: influence, distribution: distribution,
            annotations: Dictionary(annotations.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }),
            inputs: request.include.contains(.inputs) ? try model.training.inputs(of: listed, from: store) : [:],
            predictions: try predictions(of: model, for: listed, interruption),
            scoreMilliseconds: begin.milliseconds(to: scored))
    }

    /// What a network says of some of its training examples; nothing where gradients are all that is known.
    private func predictions(
        of model: LoadedModel, for examples: [Int], _ interruption: Interruption
    ) throws -> [Int: Prediction] {
        guard let network = try? model.network(at: "") else { return [:] }
        return try model.training.inputs(of: examples, from: store).mapValues { input in
            try interruption.check()
            return Prediction(outputs: try network.outputs(of: input).outputs, network.trained)
        }
    }

    /// ‖gᵢ‖² of all training examples: of a source of gradients once.
    /// - Throws: `Interrupted`, and what reading gradients may throw.
    func squaredGradientNorms(of chosen: ChosenGradients, interruption: Interruption) throws -> [Double] {
        try norms(of: chosen, interruption: interruption).squares
    }

    /// 1/‖gᵢ‖ of all training examples, 0 where that is not finite.
    /// - Throws: as `squaredGradientNorms`.
    func inverseGradientNorms(of chosen: ChosenGradients, interruption: Interruption) throws -> [Float] {
        try norms(of: chosen, interruption: interruption).inverses
    }

    private func norms(of chosen: ChosenGradients, interruption: Interruption) throws -> GradientNorms {
        try gradientNorms.value(for: chosen.source, cost: \.byteCount) {
            GradientNorms(squares: try chosen.gradients.squaredNorms(parallel: parallel, interruption: interruption))
        }
    }
}

/// ‖gᵢ‖² of all training examples, and what cosines are multiplied by.
struct GradientNorms: Sendable {
    let squares: [Double]
    /// 1/‖gᵢ‖, 0 where that is not finite.
    let inverses: [Float]

    init(squares: [Double]) {
        self.squares = squares
        inverses = squares.map {
            let inverse = Float(1 / $0.squareRoot())
            return inverse.isFinite ? inverse : 0
        }
    }

    var byteCount: Int { squares.count * (MemoryLayout<Double>.stride + MemoryLayout<Float>.stride) }
}

extension ChosenGradients {
    /// What answers say of them.
    var members: JSONObject { (["gradients": .string(name)] as JSONObject).merging(JSONObject(accuracy.members)) }
}
