internal import Attribution
internal import LinearAlgebra
internal import Store

/// What a method is asked about: a request's tests, evaluated at its checkpoint, each for itself or several as one.
struct MethodSubjects: Sendable {
    let request: InfluenceRequest
    let model: LoadedModel
    /// What the request's gradients are in.
    let space: InfluenceSpace
    /// The tests of each subject: more than one for an aggregate.
    let tests: [[ResolvedTest]]

    /// How many subjects there are.
    var count: Int { tests.count }

    /// - Parameter tests: the request's, in their order.
    init(_ request: InfluenceRequest, _ model: LoadedModel, _ space: InfluenceSpace, _ tests: [ResolvedTest]) {
        self.request = request
        self.model = model
        self.space = space
        self.tests = request.aggregate == .none ? tests.map { [$0] } : [tests]
    }

    /// The direction of each subject from one vector for each of its tests: the vector itself, or the sum or mean of several.
    /// - Parameter vectors: of all tests, in their order.
    /// - Throws: 422 where one is beyond single precision.
    func directions(from vectors: [[Float]]) throws -> [[Float]] {
        let directions: [[Float]]
        if request.aggregate == .none {
            directions = vectors
        } else {
            let factor = request.aggregate == .mean ? 1 / Double(vectors.count) : 1
            directions = [vectors[0].indices.map { i in Float(vectors.reduce(0.0) { $0 + Double($1[i]) } * factor) }]
        }
        guard directions.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw Problem(
                at: "/tests", "make a loss gradient beyond single precision; their features are too large for the model")
        }
        return directions
    }

    /// Each subject's gradient in the request's space.
    /// - Throws: `Interrupted`; 422 where one is beyond single precision.
    func gradients(parallel: Parallel, interruption: Interruption) throws -> [[Float]] {
        try directions(from: space.vectors(of: tests.flatMap { $0 }, parallel: parallel, interruption: interruption))
    }
}
