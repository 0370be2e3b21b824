internal import Attribution
internal import Dispatch
internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

// The main job: s_test for every test at once, one scan over the training gradients, the two ends.
extension Engine {
    /// Computes an answer.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func influence(_ request: InfluenceRequest, interruption: Interruption) throws -> InfluenceAnswer {
        let model = try model(request.model, checkpoint: request.checkpoint)
        try check(request, against: model)
        let tests = try resolve(request.tests, for: model, predictMissing: true)
        let subjects = aggregate(tests, as: request.aggregate)
        try interruption.check()

        let clock = DispatchTime.now()
        let kind = InferredCurvature(request.curvature)
        let curvature = try curvature(kind, of: model, interruption: interruption)
        let shift = lambda(request, model: model, trace: curvature.spectrum.trace)
        let system = DampedCurvature(curvature.operation, shift: shift)
        let (solution, solver) = try solve(
            request, subjects.flatMap(\.gradient), count: subjects.count, system, kind, curvature.spectrum, model, interruption)
        let solved = DispatchTime.now()

        let selections = try selections(for: subjects, request, model, interruption)
        let results = try rank(subjects, selections, request, solution, model, interruption)
        let listed = Set(results.flatMap { $0.ranking.proponents + $0.ranking.opponents }.map(\.index))
        let annotations = try store.annotations(of: model.training.record, at: listed.sorted())
        let scored = DispatchTime.now()
        return InfluenceAnswer(
            request: request, model: model, curvature: request.curvature ?? .hessian, shift: shift, solver: solver,
            converged: solution.converged, results: results,
            annotations: Dictionary(annotations.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }),
            sTestMilliseconds: milliseconds(clock, solved), scoreMilliseconds: milliseconds(solved, scored))
    }

    /// One right-hand side, and the tests it stands for.
    private struct Subject {
        let tests: [ResolvedTest]
        let gradient: [Float]
    }

    private func aggregate(_ tests: [ResolvedTest], as aggregate: InfluenceRequest.Aggregate) -> [Subject] {
        guard aggregate != .none else { return tests.map { Subject(tests: [$0], gradient: $0.gradient ?? []) } }
        let factor = aggregate == .mean ? 1 / Double(tests.count) : 1
        let gradients = tests.compactMap(\.gradient)
        let combined = gradients[0].indices.map { i in Float(gradients.reduce(0.0) { $0 + Double($1[i]) } * factor) }
        return [Subject(tests: tests, gradient: combined)]
    }

    /// λ_effective = weight decay + damping.
    private func lambda(_ request: InfluenceRequest, model: LoadedModel, trace: Double) -> Double {
        let weightDecay = model.spec.weightDecay
        switch request.dampingMode {
        case .absolute: return weightDecay + request.damping
        case .relative:
            let parameters = Double(model.network.parameterCount)
            return weightDecay + request.damping * (trace + weightDecay * parameters) / parameters
        }
    }

    private func solve(
        _ request: InfluenceRequest, _ gradients: [Float], count: Int, _ system: DampedCurvature, _ kind: InferredCurvature,
        _ spectrum: SpectrumEstimate, _ model: LoadedModel, _ interruption: Interruption
    ) throws -> (Solution, InfluenceAnswer.Solver) {
        guard gradients.allSatisfy(\.isFinite) else {
            throw Problem(
                at: "/tests", "make a loss gradient beyond single precision; their features are too large for the model")
        }
        switch request.solver {
        case .lissa(let choice):
            let lissa = LiSSA(
                choice, spectrum: spectrum, exampleCount: model.gradients.count, shift: system.shift)
            let (bytes, overflow) = (lissa.settings.numRepeat * gradients.count).multipliedReportingOverflow(by: 8)
            guard !overflow, bytes <= memoryBytes / 4 else {
                throw Problem(
                    at: "/solver/num_repeat",
                    "\(lissa.settings.numRepeat) repeats of \(count) vectors take more memory than is allowed; lower it, or the tests"
                )
            }
            let solution = try lissa.solve(
                gradients, count: count, in: system, parallel: parallel, interruption: interruption)
            return (solution, .lissa(lissa.settings))
        case .exact:
            let solver = try factor(
                of: system, kind, model: model, isUndamped: request.damping == 0, interruption: interruption)
            let solution = try solver.solve(
                gradients, count: count, in: system, parallel: parallel, interruption: interruption)
            return (solution, .exact)
        }
    }

    private func rank(
        _ subjects: [Subject], _ selections: [RowSelection], _ request: InfluenceRequest, _ solution: Solution,
        _ model: LoadedModel, _ interruption: Interruption
    ) throws -> [InfluenceAnswer.Result] {
        let length = model.network.parameterCount
        func scores(_ selection: RowSelection, _ range: Range<Int>) throws -> Scores {
            try model.gradients.scores(
                of: selection, along: Array(solution.vectors[range.lowerBound * length..<range.upperBound * length]),
                parallel: parallel, interruption: interruption)
        }
        // One pass over the data serves all subjects that are scored on the same examples.
        let shared = selections.count == 1 ? try scores(selections[0], subjects.indices) : nil
        return try subjects.indices.map { index in
            let selection = selections.count == 1 ? selections[0] : selections[index]
            let row = try shared?[index] ?? scores(selection, index..<index + 1)[0]
            guard row.allSatisfy(\.isFinite) else { throw SolverError.notFinite }
            let ranking = try model.gradients.ranking(
                of: index, scores: row, selection: selection, solution: solution, k: request.k, parallel: parallel)
            let groups = try request.groups.map {
                try model.gradients.groupScore(
                    of: $0.indices.map { UInt32($0) }, test: index, solution: solution, parallel: parallel,
                    interruption: interruption)
            }
            let candidates: [UInt32]? = if case .indices(let indices) = selection { indices } else { nil }
            return InfluenceAnswer.Result(
                tests: subjects[index].tests, ranking: ranking, groups: groups,
                allScores: request.include.contains(.allScores) ? row : nil, candidates: candidates,
                sTest: request.include.contains(.sTest)
                    ? Array(solution.vectors[index * length..<(index + 1) * length]) : nil,
                residual: solution.residuals[index])
        }
    }

    /// Which examples are scored: one selection for all subjects, or one for each.
    private func selections(
        for subjects: [Subject], _ request: InfluenceRequest, _ model: LoadedModel, _ interruption: Interruption
    ) throws -> [RowSelection] {
        switch request.candidates {
        case nil: return [.all]
        case .indices(let indices): return [.indices(Set(indices).sorted().map { UInt32($0) })]
        case .nearestNeighbors(let count):
            return try subjects.map { subject in
                // Of an aggregate's tests the union: each brings the examples near to it.
                var union: Set<UInt32> = []
                for test in subject.tests {
                    guard !test.input.isEmpty else {
                        throw Problem(
                            at: "/candidates/nearest_neighbors",
                            "needs tests with inputs: a gradient has no neighbours; use indices")
                    }
                    union.formUnion(
                        try NearestNeighbors.indices(
                            of: test.input, in: model.training.features, count: count, parallel: parallel,
                            interruption: interruption))
                }
                return .indices(union.sorted())
            }
        }
    }

    /// What only the model can tell of a request.
    private func check(_ request: InfluenceRequest, against model: LoadedModel) throws {
        let count = model.gradients.count
        func range(_ indices: [Int], _ pointer: String) throws {
            guard let position = indices.firstIndex(where: { $0 >= count }) else { return }
            throw Problem(
                at: "\(pointer)/\(position)",
                "must be an example of '\(model.training.record.name)', 0 to \(count - 1); got \(indices[position])")
        }
        if case .indices(let indices) = request.candidates { try range(indices, "/candidates/indices") }
        for (position, group) in request.groups.enumerated() { try range(group.indices, "/groups/\(position)/indices") }
        if case .lissa(let choice) = request.solver, let batch = choice.batchSize, batch > count {
            throw Problem(at: "/solver/batch_size", "must be at most \(count), the number of training examples; got \(batch)")
        }
    }

    private func milliseconds(_ from: DispatchTime, _ to: DispatchTime) -> Double {
        Double(to.uptimeNanoseconds - from.uptimeNanoseconds) / 1e6
    }
}
