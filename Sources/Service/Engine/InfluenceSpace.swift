internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks
internal import Store

/// What a request is solved and scored in: θ, or what a cache projects θ to, where a test is given in that.
struct InfluenceSpace: Sendable {
    /// What training examples are scored by. Directions are in this space.
    let gradients: ChosenGradients
    /// What everything derived in it depends on.
    let identity: ContentDigest
    /// Φ, which takes gradients in θ here; nil in θ itself.
    let projection: (any DirectionProjection)?
    /// gᵢ in this space, where nothing else is known of the curvature than their empirical Fisher matrix.
    let rows: (any GradientRows)?

    /// Numbers in a vector.
    var dimension: Int { gradients.gradients.dimension }

    /// θ of a model.
    init(_ model: LoadedModel, _ gradients: ChosenGradients) {
        self.gradients = gradients
        identity = model.identity
        projection = nil
        rows = model.foreign?.rows
    }

    /// What a cache has projected.
    init(_ cache: CacheRecord, _ rows: any GradientRows, by projection: any DirectionProjection) {
        gradients = ChosenGradients(
            name: cache.kind, source: .projected(cache), gradients: RowGradients(rows: rows), accuracy: cache.accuracy)
        identity = cache.key
        self.projection = projection
        self.rows = rows
    }

    /// Bytes that the gradients of tests take on their way to vectors; nil where they can't be counted.
    func byteCount(of tests: [InfluenceRequest.Test], _ model: LoadedModel) -> Int? {
        // Only what is in θ may be long.
        let count = projection == nil ? tests.count : tests.count { $0.gradientLength != dimension }
        return .floatBytes(2, count, model.dimension)
    }

    /// The gradients of tests in this space. Those in θ are projected: each is as it would be alone.
    /// - Throws: `Interrupted`.
    func gradients(of tests: [ResolvedTest], parallel: Parallel, interruption: Interruption) throws -> [ExampleGradients] {
        var gradients = tests.map { $0.gradient ?? ExampleGradients(vectors: [], count: 0) }
        guard let projection else { return gradients }
        let places = gradients.indices.filter { gradients[$0].vectors.count != dimension }
        let projected = try projection.project(
            places.flatMap { gradients[$0].vectors }, count: places.count, parallel: parallel, interruption: interruption)
        for (index, place) in places.enumerated() {
            gradients[place] = ExampleGradients(
                vectors: Array(projected[index * dimension..<(index + 1) * dimension]), count: 1)
        }
        return gradients
    }

    /// The curvature that is meant.
    /// - Throws: 422 for one that is not known here.
    func curvatureKind(
        _ asked: InfluenceRequest.Curvature?, of model: LoadedModel
    ) throws -> (named: InfluenceRequest.Curvature, substance: CurvatureKind) {
        guard rows != nil else { return try model.network(at: "/curvature").curvatureKind(asked) }
        guard let asked, asked != .empiricalFisher else { return (.empiricalFisher, .empiricalFisher) }
        guard let projection else {
            throw Problem.noNetwork(
                model.record.name, at: "/curvature",
                "must be empirical_fisher: \(asked.rawValue) needs derivatives of a network's outputs")
        }
        throw Problem(
            at: "/curvature",
            "must be empirical_fisher where a test is a gradient of \(dimension) numbers, in the space of '\(gradients.name)': "
                + "\(asked.rawValue) is known in θ only. Leave it out, or give gradients of \(projection.inputWidth) numbers")
    }

    /// C's data part.
    /// - Parameter activationLimit: bytes that products may keep of what they share.
    /// - Throws: `Interrupted`, `StoreError`.
    func curvature(
        _ kind: CurvatureKind, of model: LoadedModel, activationLimit: Int, parallel: Parallel, interruption: Interruption
    ) throws -> any CurvatureOperator {
        guard let rows else { return try model.curvature(kind, activationLimit: activationLimit) }
        return try RowFisher(rows, weights: model.training.weights, parallel: parallel, interruption: interruption)
    }
}

extension Engine {
    /// The space that a request's vectors live in, its gradients found to be of a length that is known there.
    ///
    /// θ, unless the request names a projected cache and a test is a gradient as wide as its rows.
    /// - Throws: `Problem`, `StoreError`, `Interrupted`.
    func space(
        of request: InfluenceRequest, _ model: LoadedModel, interruption: Interruption
    ) throws -> InfluenceSpace {
        let chosen = try gradients(of: model, named: request.gradients, interruption: interruption)
        let lengths = request.tests.compactMap(\.gradientLength)
        guard case .cache(let record) = chosen.source, let cached = chosen.gradients as? RowGradients,
            let projection = cached.projection, lengths.contains(where: { $0 != model.dimension })
        else {
            try check(request.tests, model, projected: nil)
            return InfluenceSpace(model, chosen)
        }
        try check(request.tests, model, projected: projection.outputWidth)
        return InfluenceSpace(record, cached.rows, by: projection)
    }

    /// Checks the lengths of tests that are gradients.
    private func check(_ tests: [InfluenceRequest.Test], _ model: LoadedModel, projected: Int?) throws {
        for test in tests {
            guard let length = test.gradientLength, length != model.dimension, length != projected else { continue }
            var known = ["\(model.dimension), as many as the model's gradients have"]
            if let projected {
                known.append("\(projected), as many as the rows of the cache that is named")
            } else {
                known += try caches(of: model.checkpoint, model.record).compactMap { record, isStale in
                    guard !isStale, record.state == .complete,
                        let projection = GradientCacheKind(name: record.kind)?.projection
                    else { return nil }
                    return "\(projection.dimension), with \"gradients\": \"\(record.kind)\""
                }
            }
            throw Problem(
                at: test.pointer + "/gradient", "has \(length) numbers; it must have " + known.joined(separator: "; or "))
        }
    }
}

extension InfluenceRequest.Test {
    /// Numbers in it, where it is a gradient.
    fileprivate var gradientLength: Int? { if case .gradient(let gradient) = source { gradient.count } else { nil } }
}
