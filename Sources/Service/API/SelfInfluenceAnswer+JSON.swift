internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

extension SelfInfluenceAnswer {
    /// The answer as the interface shows it. All but `timing` depends on the request and the store alone.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        var members: JSONObject = [
            "id": .string(id), "model": .string(model.record.name), "checkpoint": .string(model.checkpoint.name),
            "method": .string(request.method.name), "n_train": .integer(influence.scores.count),
            "orientation": .string(influence.orientation), "examples": .array(distribution.largest.map(json)),
            "quantiles": .array(
                distribution.quantiles.map { ["probability": .double($0.probability), "score": .double($0.value)] }),
            "mean": .double(distribution.mean),
        ]
        if request.include.contains(.allScores) {
            members["all_scores"] = .tensor(influence.scores.map { Float($0) }, shape: [influence.scores.count])
        }
        members["diagnostics"] = .object((["method": .string(request.method.name)] as JSONObject).merging(influence.diagnostics))
        members["timing"] = [
            "queue_ms": .double(rounded(queueMilliseconds)), "score_ms": .double(rounded(scoreMilliseconds)),
            "total_ms": .double(rounded(totalMilliseconds)),
        ]
        return .object(members)
    }

    private func json(_ example: Int) -> JSON {
        var members: JSONObject = ["index": .integer(example)]
        let annotation = annotations[example]
        if let id = annotation?.id { members["id"] = .string(id) }
        if let targets = model.training.targets { members["target"] = .target(targets.number(example)) }
        let weight = model.training.weights?[example]
        if let weight { members["weight"] = .float(weight) }
        let score = influence.scores[example]
        members["score"] = .double(score)
        // gᵢ has the weight in it, the loss has not.
        let change = score / Double(influence.scores.count) / Double(weight ?? 1)
        if influence.predictsOwnChange, change.isFinite {
            members["predicted_loss_change_if_removed"] = .double(change)
        }
        for (name, value) in influence.details(example) { members[name] = value }
        if let prediction = predictions[example] { members["prediction"] = prediction.json }
        if request.include.contains(.metadata) { members["metadata"] = annotation?.metadataJSON ?? .object([:]) }
        if let input = inputs[example] { members["input"] = model.training.record.json(values: input) }
        return .object(members)
    }

    /// To a microsecond: more digits are noise.
    private func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1000).rounded() / 1000 }
}
