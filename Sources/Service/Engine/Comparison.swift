internal import Attribution
internal import LinearAlgebra
internal import Networks

/// One query answered under several methods, and how far they agree.
struct Comparison: Sendable {
    let request: InfluenceRequest
    /// One for each method.
    let answers: [InfluenceAnswer]
    /// For each result, of each method with each of those after it.
    let agreements: [[Agreement]]
}

/// What came of `POST /influence`.
enum Attributions: Sendable {
    case single(InfluenceAnswer)
    case comparison(Comparison)
}

extension Engine {
    /// Answers several requests, those that compare methods under each of them: all share what they can.
    func attributions(_ asked: [Asked<InfluenceRequest>]) -> [Result<Attributions, any Error>] {
        let single = asked.map { asked in
            asked.request.byMethod.map { Asked(request: $0, interruption: asked.interruption, deadline: asked.deadline) }
        }
        var answers = influence(single.flatMap { $0 })[...]
        return zip(asked, single).map { asked, requests in
            let own = answers.prefix(requests.count)
            answers = answers.dropFirst(requests.count)
            return Result {
                let own = try own.map { try $0.get() }
                guard !asked.request.compared.isEmpty else { return .single(own[0]) }
                return .comparison(try compare(own, for: asked.request, asked.interruption))
            }
        }
    }

    private func compare(
        _ answers: [InfluenceAnswer], for request: InfluenceRequest, _ interruption: Interruption
    ) throws -> Comparison {
        let agreements = try answers[0].results.indices.map { result in
            try Agreement.ofPairs(
                of: answers.map { $0.results[result].allScores ?? [] }, k: request.k, parallel: parallel,
                interruption: interruption)
        }
        guard request.include.contains(.allScores) else {
            return Comparison(request: request, answers: answers.map { $0.withoutScores() }, agreements: agreements)
        }
        return Comparison(request: request, answers: answers, agreements: agreements)
    }
}

extension InfluenceRequest {
    /// The requests for each of the methods that are compared, or for the one: what means nothing to a method is left out.
    fileprivate var byMethod: [InfluenceRequest] {
        guard !compared.isEmpty else { return [self] }
        return compared.map { method in
            var request = self
            request.compared = []
            request.method = method
            // All are compared, whichever are shown.
            request.include.insert(.allScores)
            let uses = type(of: method.choice).uses
            if !uses.contains(.solver) { (request.until, request.include) = (nil, request.include.subtracting(.sTest)) }
            if !uses.contains(.gradients) { request.gradients = nil }
            if !uses.contains(.measurement) { request.measurement = .loss }
            return request
        }
    }
}
