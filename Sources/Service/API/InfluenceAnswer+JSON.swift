internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

extension InfluenceAnswer {
    /// The answer as the interface shows it. `results` depend on the request, its seed and the store alone.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        [
            "id": .string(id), "model": .string(model.record.name), "checkpoint": .string(model.checkpoint.name),
            "method": .string(request.method.name), "n_train": .integer(model.gradients.count),
            "orientation": .string(orientation),
            "results": .array(
                results.map { .object((["test": testJSON($0)] as JSONObject).merging(members(of: $0))) }),
            "timing": timing(queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds),
        ]
    }

    /// What the sign of a score means.
    var orientation: String { scoring.orientation.text }

    /// Where the time went.
    func timing(queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        .timing(queue: queueMilliseconds, sTest: sTestMilliseconds, score: scoreMilliseconds, total: totalMilliseconds)
    }

    /// What is said of a result, beside its test.
    func members(of result: Result) -> JSONObject {
        var members: JSONObject = [:]
        members["proponents"] = .array(result.ranking.proponents.map { json($0, of: result) })
        members["opponents"] = .array(result.ranking.opponents.map { json($0, of: result) })
        if !request.groups.isEmpty {
            members["groups"] = .array(zip(request.groups, result.groups).map { json($0, $1.size, $1.score) })
        }
        if let candidates = result.candidateIndices { members["n_candidates"] = .integer(candidates.count) }
        if let neighbors = result.candidates?.json { members["candidates"] = neighbors }
        if let scores = result.allScores {
            members["all_scores"] = .tensor(scores, shape: [scores.count])
            if let candidates = result.candidateIndices {
                members["all_scores_indices"] = .numbers(candidates.map(Double.init))
            }
        }
        if let sTest = result.sTest { members["s_test"] = .tensor(sTest, shape: [sTest.count]) }
        members["diagnostics"] = .object(diagnostics(result))
        return members
    }

    /// A result's test or tests.
    func testJSON(_ result: Result) -> JSON {
        guard request.aggregate != .none else { return result.tests[0].json }
        return ["aggregate": .string(request.aggregate.rawValue), "tests": .array(result.tests.map(\.json))]
    }

    private func json(_ example: RankedExample, of result: Result) -> JSON {
        var members: JSONObject = ["index": .integer(example.index)]
        let annotation = annotations[example.index]
        if let id = annotation?.id { members["id"] = .string(id) }
        if let targets = model.training.targets { members["target"] = .target(targets.number(example.index)) }
        if let weights = model.training.weights { members["weight"] = .float(weights[example.index]) }
        members["score"] = .float(example.score)
        if let error = example.standardError { members["standard_error"] = .float(error) }
        if let change = predictedChange(example.score, multiplier: scoring.multipliers?[example.index]) {
            members[change.name] = change.value
        }
        for (name, value) in scoring.details(result.subject, example.index) { members[name] = value }
        if let contributions = result.contributions[example.index] {
            // Terms go by their sources' names; checkpoints by the order in which they were asked for.
            let byLabel = Dictionary(zip(scoring.terms.map(\.label), contributions), uniquingKeysWith: { first, _ in first })
            members["contributions"] = .array(
                scoring.labels.map { ["checkpoint": .string($0), "score": .float(byLabel[$0] ?? 0)] })
        }
        if request.include.contains(.metadata) { members["metadata"] = annotation?.metadataJSON ?? .object([:]) }
        if let input = inputs[example.index] { members["input"] = model.training.record.json(values: input) }
        return .object(members)
    }

    private func json(_ group: InfluenceRequest.Group, _ size: Int, _ score: GroupScore) -> JSON {
        var members: JSONObject = [
            "name": .string(group.name), "size": .integer(size), "score": .float(score.score),
        ]
        if let error = score.standardError { members["standard_error"] = .float(error) }
        // Relative scores of several examples have no unit together.
        if scoring.multipliers == nil, let change = predictedChange(score.score, multiplier: nil) {
            members[change.name] = change.value
        }
        return .object(members)
    }

    /// What is predicted if examples of such a score are removed, by a method that predicts something, and what it is called.
    /// - Parameter multiplier: of the score, which the prediction is without.
    private func predictedChange(_ score: Float, multiplier: Float?) -> (name: String, value: JSON)? {
        guard type(of: request.method.choice).predictsChange else { return nil }
        let change = Double(score) / Double(model.gradients.count) / Double(multiplier ?? 1)
        // Where nothing is known there is a multiplier of zero.
        guard change.isFinite else { return nil }
        return (scoring.orientation.nameOfChange, .double(scoring.orientation.isRising ? -change : change))
    }

    /// What is said of how a result came about.
    func diagnostics(_ result: Result) -> JSONObject {
        var members: JSONObject = [:]
        if let solving = scoring.solving, let solved = result.solved {
            solving.add(solved, to: &members)
        } else {
            members["method"] = .string(request.method.name)
        }
        for (name, value) in scoring.diagnostics { members[name] = value }
        if let isStable = result.ranking.isStable {
            // A vector that is no solution and has no repeats says nothing of its own error: nothing is settled by it.
            let isTold = result.solved.map { $0.isConverged || $0.accuracy != nil } ?? true
            members["rank_stable"] = .bool(isStable && isTold)
        }
        if let isReached = result.isGoalReached { members["until_reached"] = .bool(isReached) }
        if type(of: request.method.choice).uses.contains(.gradients) {
            members["gradients"] = .string(gradients.name)
            if case .projected = gradients.source { members["space"] = "projected" }
            for (name, value) in gradients.accuracy.members { members[name] = value }
        }
        return members
    }
}

extension JSON {
    /// Where the milliseconds of an answer went.
    static func timing(queue: Double, sTest: Double, score: Double, total: Double) -> JSON {
        // To a microsecond: more digits are noise.
        func rounded(_ milliseconds: Double) -> JSON { .double((milliseconds * 1000).rounded() / 1000) }
        return [
            "queue_ms": rounded(queue), "s_test_ms": rounded(sTest), "score_ms": rounded(score), "total_ms": rounded(total),
        ]
    }

    /// Numbers as a tensor: little-endian float32, row-major, in base64 (RFC 4648 section 4).
    static func tensor(_ values: [Float], shape: [Int]) -> JSON {
        let data = values.withUnsafeBytes { Data($0) }
        return [
            "dtype": "float32", "shape": .numbers(shape.map(Double.init)), "base64": .string(data.base64EncodedString()),
        ]
    }
}

extension Solving {
    /// What answers say of the solution for one right-hand side.
    func add(_ solved: SolvedSide, to members: inout JSONObject) {
        for (name, value) in solver.members { members[name] = value }
        if let iterations = solved.iterations { members["iterations"] = .integer(iterations) }
        if let accuracy = solved.accuracy {
            members["rounds"] = .integer(accuracy.rounds)
            if let noise = accuracy.noise { members["noise"] = .double(noise) }
            if let bias = accuracy.bias { members["bias"] = .double(bias) }
            if let error = accuracy.relativeError { members["relative_error"] = .double(error) }
            members["bias_below_noise"] = .bool(accuracy.isBiasBelowNoise)
        }
        members["curvature"] = .string(system.curvature.rawValue)
        members["lambda_effective"] = .double(system.damped.shift)
        members["residual"] = .double(solved.residual)
        members["converged"] = .bool(solved.isConverged)
    }
}

extension ExampleAnnotation {
    /// The metadata as JSON; it was checked when it was stored.
    var metadataJSON: JSON { metadata.flatMap { try? JSON(parsing: $0) } ?? .object([:]) }
}
