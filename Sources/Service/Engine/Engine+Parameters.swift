internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// What removing training examples is predicted to do to θ.
struct ParametersAnswer: Sendable {
    /// Of one removal.
    struct Result: Sendable {
        let removal: ParametersRequest.Removal
        /// What it removes.
        let indices: [UInt32]
        /// (C + λI)⁻¹ Σ g of what is removed.
        let step: [Float]
        let solved: SolvedSide
    }

    let request: ParametersRequest
    let model: LoadedModel
    let solving: Solving
    /// θ, where it is known.
    let parameters: [Float]?
    let tensors: [TrainedTensor]
    let results: [Result]
    let annotations: [Int: ExampleAnnotation]
}

/// A tensor of θ and where its numbers lie in it.
struct TrainedTensor: Sendable {
    let name: String
    let shape: [Int]
    let range: Range<Int>
}

extension Engine {
    /// How θ changes to first order if training examples are removed and the model is trained anew: removing z moves the minimum by
    /// −(1/n)·I_up,params(z) with I_up,params(z) = −(C + λI)⁻¹∇ℓ(z) (Koh & Liang 2017, eq. 1), and a group by the sum of its members' moves
    /// (Koh et al. 2019, section 2).
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func parameters(_ request: ParametersRequest, interruption: Interruption) throws -> ParametersAnswer {
        let model = try model(request.model, checkpoint: request.checkpoint, interruption: interruption)
        // Examples come first, each at a place of its own; groups after them.
        let examples = request.removals.prefix { $0.name == nil }
        for removal in examples {
            guard case .indices(let indices) = removal.members else { continue }
            try model.require(indices, at: removal.pointer.description, isSingle: true)
        }
        let removed = try indices(
            ofEach: request.removals.map { ($0.members, $0.pointer) }, in: model, for: "the examples of groups",
            interruption: interruption)
        try MemoryBudget(bytes: memoryBytes).require(
            .floatBytes(4, request.removals.count, model.dimension), of: .quarter,
            for: "the gradients of \(request.removals.count) removals",
            at: examples.isEmpty ? "/groups" : "/examples")
        let space = InfluenceSpace(model, try gradients(of: model, named: nil, interruption: interruption))
        let sums = try removed.map {
            try model.gradientSum(of: $0, parallel: parallel, interruption: interruption)
        }
        let solving = try Solving(request.system, model, space, sums, self, interruption)
        let solutions = solve([solving], interruption: interruption)
        let solved = try measured(solving.sides.map { try solutions[$0.key]!.get() }, of: solving, interruption)
        let singles = removed.prefix(examples.count).flatMap { $0.map { Int($0) } }
        let annotations = try store.annotations(of: model.training.record, at: Set(singles).sorted()) {
            try interruption.check()
        }
        return ParametersAnswer(
            request: request, model: model, solving: solving, parameters: model.parameters, tensors: model.trainedTensors,
            results: request.removals.indices.map {
                ParametersAnswer.Result(
                    removal: request.removals[$0], indices: removed[$0], step: solved[$0].vectors, solved: SolvedSide(solved[$0]))
            }, annotations: Dictionary(annotations.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first }))
    }
}

extension LoadedModel {
    /// Refuses indices that are no training examples.
    /// - Parameter isSingle: whether the pointer is of the index itself.
    func require(_ indices: [Int], at pointer: String, isSingle: Bool = false) throws {
        guard let place = indices.firstIndex(where: { $0 >= gradients.count }) else { return }
        throw Problem(
            at: isSingle ? pointer : "\(pointer)/\(place)",
            "must be an example of '\(training.record.name)', 0 to \(gradients.count - 1); got \(indices[place])")
    }

    /// Σ gᵢ over some training examples; one named twice counts twice.
    /// - Throws: `Interrupted`.
    func gradientSum(of indices: [UInt32], parallel: Parallel, interruption: Interruption) throws -> [Float] {
        if let foreign {
            var sum = [Double](repeating: 0, count: dimension)
            for index in indices {
                try interruption.check()
                for (place, number) in foreign.gradient(of: Int(index)).enumerated() { sum[place] += Double(number) }
            }
            return sum.map { Float($0) }
        }
        let network = try network(at: "/model")
        var sum = [Float](repeating: 0, count: dimension)
        try indices.withUnsafeBufferPointer { rows in
            _ = try sum.withUnsafeMutableBufferPointer {
                try network.trained.meanGradient(
                    over: .indices(rows), of: network.examples, into: $0.baseAddress!, parallel: parallel,
                    interruption: interruption)
            }
        }
        return sum.map { $0 * Float(indices.count) }
    }

    /// θ, of a network.
    fileprivate var parameters: [Float]? { (try? network(at: ""))?.trained.parameters }

    /// The tensors of θ in their order; gradients that were computed elsewhere are one.
    fileprivate var trainedTensors: [TrainedTensor] {
        guard let network = try? network(at: "").trained.network else {
            return [TrainedTensor(name: "gradient", shape: [dimension], range: 0..<dimension)]
        }
        var next = 0
        return network.tensors.filter(\.isTrained).map { tensor in
            let count = tensor.shape.reduce(1, *)
            defer { next += count }
            return TrainedTensor(name: tensor.name, shape: tensor.shape, range: next..<next + count)
        }
    }
}
