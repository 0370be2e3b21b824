internal import Attribution
internal import JSON
internal import Networks
internal import Store

extension Comparison {
    /// The answer as the interface shows it: for each test what each method says of it, and how far they agree.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        var members: JSONObject = [
            "id": .string(id), "model": .string(answers[0].model.record.name),
            "checkpoint": .string(answers[0].model.checkpoint.name),
            "compare": .array(request.compared.map { .string($0.name) }), "n_train": .integer(answers[0].model.gradients.count),
        ]
        members["results"] = .array(agreements.indices.map(json))
        members["timing"] = answers[0].timing(queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        return .object(members)
    }

    private func json(_ result: Int) -> JSON {
        let methods = answers.map { answer in
            let head: JSONObject = ["method": .string(answer.request.method.name), "orientation": .string(answer.orientation)]
            return JSON.object(head.merging(answer.members(of: answer.results[result])))
        }
        let pairs = answers.indices.flatMap { a in (a + 1..<answers.count).map { (a, $0) } }
        return [
            "test": answers[0].testJSON(answers[0].results[result]), "methods": .array(methods),
            "agreement": .array(zip(pairs, agreements[result]).map { json($0, $1) }),
        ]
    }

    private func json(_ pair: (Int, Int), _ agreement: Agreement) -> JSON {
        var members: JSONObject = [
            "methods": .array([pair.0, pair.1].map { .string(request.compared[$0].name) })
        ]
        if let kendall = agreement.kendall { members["kendall_tau"] = .double(kendall) }
        if let spearman = agreement.spearman { members["spearman"] = .double(spearman) }
        for (name, overlap) in [("proponents", agreement.proponents), ("opponents", agreement.opponents)] {
            guard let overlap else { continue }
            members["\(name)_overlap"] = .double(overlap.fraction)
            members["\(name)_shared"] = .integer(overlap.shared)
        }
        return .object(members)
    }
}

extension Attributions {
    /// The only answer, or the first of those that are compared: all took the same time together.
    var first: InfluenceAnswer {
        switch self {
        case .single(let answer): answer
        case .comparison(let comparison): comparison.answers[0]
        }
    }

    /// The answer as the interface shows it.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        switch self {
        case .single(let answer):
            answer.json(id: id, queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        case .comparison(let comparison):
            comparison.json(id: id, queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        }
    }
}
