internal import JSON
internal import LinearAlgebra
internal import Store

/// What a model says of some inputs.
struct PredictAnswer: Sendable {
    let model: LoadedModel
    let tests: [ResolvedTest]
}

extension Engine {
    /// Evaluates inputs for `POST /predict`.
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    func predict(_ request: PredictRequest, interruption: Interruption) throws -> PredictAnswer {
        let model = try model(request.model, checkpoint: request.checkpoint, isForNetwork: true, interruption: interruption)
        _ = try model.network(at: "/model", "can't be evaluated")
        let tests = try resolve(request.tests, for: model, predictMissing: false, interruption: interruption)
        return PredictAnswer(model: model, tests: tests)
    }
}

extension PredictAnswer {
    /// The answer as the interface shows it.
    func json(id: String) -> JSON {
        [
            "id": .string(id), "model": .string(model.record.name), "checkpoint": .string(model.checkpoint.name),
            "results": .array(tests.map(Self.prediction)),
        ]
    }

    private static func prediction(_ test: ResolvedTest) -> JSON {
        var members: JSONObject = [:]
        if case .example(let dataset, let index) = test.test.source {
            members["dataset"] = .string(dataset)
            members["index"] = .integer(index)
        }
        if let prediction = test.prediction {
            members["outputs"] = .array(prediction.outputs.map { .float($0) })
            if let probabilities = prediction.probabilities {
                members["probabilities"] = .array(probabilities.map { .float($0) })
            }
            if let label = prediction.label { members["label"] = .integer(label) }
        }
        if let target = test.target { members["target"] = .target(target) }
        if let loss = test.loss { members["loss"] = .double(loss) }
        return .object(members)
    }
}
