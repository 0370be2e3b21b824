internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// Which training examples a subject scores where a request names candidates, and what is known of the choice.
struct CandidateChoice: Sendable {
    /// By rising index.
    let selection: RowSelection
    /// How many neighbours of each test, the layer by whose features they were found, and how many of what a full scan finds are among
    /// them; nil where candidates were named.
    let neighbors: (count: Int, layer: String, recall: CandidateRecall?)?
}

extension Engine {
    /// The candidates of each of a plan's subjects: those that the request names, or the nearest to each test, of an aggregate's the union,
    /// since each brings those near to it (FastIF, section 3.2).
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    func candidates(of plan: InfluencePlan, _ interruption: Interruption) throws -> [CandidateChoice] {
        guard case .nearestNeighbors(let count, let layer) = plan.request.candidates else {
            // Named examples are the same for all.
            let selection = RowSelection.indices(plan.named ?? [])
            return plan.subjects.map { _ in CandidateChoice(selection: selection, neighbors: nil) }
        }
        let pointer = "/candidates/layer"
        let features = try features(of: plan.model, at: layer, pointer: pointer, interruption: interruption)
        let queries = try plan.subjects.flatMap { $0 }.map {
            try features.features(of: $0.input, interruption: interruption)
        }
        var found = try NearestNeighbors.nearest(
            to: queries, in: features.rows, count: count, parallel: parallel, interruption: interruption)[...]
        let recall = try recall(of: plan, features, count: count, interruption)
        return plan.subjects.map { tests in
            let union = Set(found.prefix(tests.count).flatMap(\.indices))
            found = found.dropFirst(tests.count)
            return CandidateChoice(selection: .indices(union.sorted()), neighbors: (count, features.name, recall))
        }
    }

    /// Tests of the sample by which recall is measured.
    private static let sampleCount = 8

    /// How many of the k strongest examples of a full scan are among the m nearest (FastIF, section 5.2), on a sample kept for the checkpoint:
    /// training examples that are evenly spread, each as a test among the others. Measured once, by the request's method and settings.
    /// - Throws: as a request for influence.
    private func recall(
        of plan: InfluencePlan, _ features: LayerFeatures, count: Int, _ interruption: Interruption
    ) throws -> CandidateRecall? {
        let (request, model) = (plan.request, plan.model)
        let n = model.gradients.count
        // With all among the candidates, or nothing else than the test itself, there is nothing to measure.
        guard count < n, n > 1 else { return nil }
        let key = PreparedKey(
            "recall", of: model.identity,
            parts: [features.name, "\(count)", "\(request.k)", request.method.name] + plan.settingsText,
            isUsual: request.isScoredByStandard)
        return try prepared(key, of: model.checkpoint) {
            try $0.decoded { try KeptRecall(decoding: $0) }
        } make: {
            let rows = AccuracySample(of: n, directions: min(Self.sampleCount, n), rows: 1).directions
            var sample = RecallSample(neighborCounts: [count], ks: [request.k], trainingCount: n)
            let nearest = try NearestNeighbors.nearest(
                to: rows.map { features.rows.values(of: $0) }, in: features.rows, count: count + 1, parallel: parallel,
                interruption: interruption)
            let width = sampleWidth(of: plan)
            for start in stride(from: 0, to: rows.count, by: width) {
                let some = start..<min(start + width, rows.count)
                let answer = try influence(
                    request.sampling(Array(rows[some]), of: model.training.record), interruption: interruption)
                for place in some {
                    var scores = answer.results[place - start].allScores ?? []
                    // The test itself is its own neighbour, and no news.
                    scores[rows[place]] = 0
                    let others = nearest[place].indices.filter { $0 != rows[place] }
                    sample.add(scores: scores, neighbors: Array(others.prefix(sample.neighborCount)))
                }
            }
            return KeptRecall(recall: sample.recalls[0])
        }.recall
    }

    /// Tests of a sample that are asked about at a time: as many as the memory for their gradients and solutions allows.
    private func sampleWidth(of plan: InfluencePlan) -> Int {
        let vectors = max(2, plan.scoring.solving?.solver.vectorsPerSolution ?? 2)
        let bytes = Int.floatBytes(vectors, max(plan.model.dimension, plan.model.gradients.count)) ?? .max
        return max(1, min(Self.sampleCount, memoryBytes / 8 / max(1, bytes)))
    }
}

extension InfluencePlan {
    /// What beside the model and the method determines scores, as text.
    fileprivate var settingsText: [String] {
        let solving =
            scoring.solving.map { ["\($0.system.key.curvature.kind)", "\($0.system.damped.shift)", $0.solver.identity] } ?? []
        return [request.measurement.rawValue, gradients.source.name, JSON.object(scoring.diagnostics).text] + solving
    }
}

extension InfluenceRequest {
    /// Whether nothing is set by hand of how examples are scored and compared, the number of neighbours aside.
    fileprivate var isScoredByStandard: Bool {
        guard case .nearestNeighbors(_, .lastHidden) = candidates else { return false }
        return system == .standard && measurement == .loss && gradients == nil && k == Self.standardK && method.isStandard
    }

    /// The same about rows of the training dataset, for the scores of all other rows.
    fileprivate func sampling(_ rows: [Int], of dataset: DatasetRecord) -> InfluenceRequest {
        var request = self
        request.tests = rows.enumerated().map { place, row in
            Test(source: .example(dataset: dataset.name, index: row), target: nil, versus: nil, pointer: "/tests/\(place)")
        }
        (request.candidates, request.groups, request.until, request.aggregate) = (nil, [], nil, .none)
        (request.include, request.k) = (.allScores, 1)
        return request
    }
}

/// A recall as the store keeps it.
private struct KeptRecall: Prepared {
    let recall: CandidateRecall

    var byteCount: Int { MemoryLayout<CandidateRecall>.stride }
    var summary: JSONObject { ["nearest_neighbors": .integer(recall.neighborCount), "k": .integer(recall.k)] }

    init(recall: CandidateRecall) { self.recall = recall }

    /// From what `withBytes` gives.
    init(decoding bytes: UnsafeRawBufferPointer) throws {
        let numbers = try JSON(parsing: Array(bytes)).arrayValue?.compactMap(\.doubleValue) ?? []
        guard numbers.count == 12 else { throw CocoaError(.coderReadCorrupt) }
        func share(_ first: Int) -> CandidateRecall.Share {
            CandidateRecall.Share(
                testCount: Int(numbers[first]), mean: numbers[first + 1], standardDeviation: numbers[first + 2])
        }
        recall = CandidateRecall(
            neighborCount: Int(numbers[0]), k: Int(numbers[1]), trainingCount: Int(numbers[2]), proponents: share(3),
            opponents: share(6), both: share(9))
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        func numbers(_ share: CandidateRecall.Share) -> [Double] {
            [Double(share.testCount), share.mean, share.standardDeviation]
        }
        let counts = [recall.neighborCount, recall.k, recall.trainingCount].map(Double.init)
        let all = counts + numbers(recall.proponents) + numbers(recall.opponents) + numbers(recall.both)
        try Array(JSON.numbers(all).text.utf8).withUnsafeBytes(body)
    }
}

extension CandidateChoice {
    /// What answers say of neighbours.
    var json: JSON? {
        guard let neighbors else { return nil }
        var members: JSONObject = ["nearest_neighbors": .integer(neighbors.count), "layer": .string(neighbors.layer)]
        if let recall = neighbors.recall {
            var shares: JSONObject = [
                "k": .integer(recall.k), "by_chance": .double(recall.byChance),
            ]
            for (name, share) in [("proponents", recall.proponents), ("opponents", recall.opponents), ("both", recall.both)]
            where share.testCount > 0 {
                shares[name] = .double(share.mean)
            }
            shares["sampled_tests"] = .integer(recall.both.testCount)
            members["recall_at_k"] = .object(shares)
        }
        return .object(members)
    }

    /// The same in the interface's document.
    static let schema = Schema.object(
        [
            "nearest_neighbors": Schema.integer(in: 1 ... .max).described("How many for each test."),
            "layer": Schema.string().described("By whose output neighbours were found; `input` for none's."),
        ],
        optional: [
            "recall_at_k": Schema.object(
                ["k": .integer(in: 1 ... .max), "by_chance": .number(in: 0...1), "sampled_tests": .integer()],
                optional: [
                    "proponents": .number(in: 0...1), "opponents": .number(in: 0...1),
                    "both": Schema.number(in: 0...1).described("By |score|."),
                ]
            ).described(
                "The share of the k strongest of a full scan that as many neighbours hold (FastIF, section 5.2): measured once for these "
                    + "settings, on training examples as tests, and kept.")
        ])
}
