internal import Attribution
internal import LinearAlgebra
internal import Networks
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

    /// The direction of each subject from one gradient for each of its tests: the gradient itself, or the sum or mean of several, of which
    /// no factors are known.
    /// - Parameter gradients: of all tests, in their order.
    /// - Throws: 422 where one is beyond single precision.
    func directions(from gradients: [ExampleGradients]) throws -> [ExampleGradients] {
        var directions = gradients
        if request.aggregate != .none {
            let factor = request.aggregate == .mean ? 1 / Double(gradients.count) : 1
            let sum = gradients[0].vectors.indices.map { i in
                Float(gradients.reduce(0.0) { $0 + Double($1.vectors[i]) } * factor)
            }
            directions = [ExampleGradients(vectors: sum, count: 1)]
        }
        guard directions.allSatisfy({ Vectors.areFinite($0.vectors) }) else {
            throw Problem(
                at: "/tests", "make a loss gradient beyond single precision; their features are too large for the model")
        }
        return directions
    }

    /// Each subject's gradient in the request's space.
    /// - Throws: `Interrupted`; 422 where one is beyond single precision.
    func gradients(parallel: Parallel, interruption: Interruption) throws -> [ExampleGradients] {
        try directions(from: space.gradients(of: tests.flatMap { $0 }, parallel: parallel, interruption: interruption))
    }

    /// The same tests, with the targets that they have here, at another checkpoint of the model or of another model, or measured in another
    /// way.
    /// - Parameter isHeld: whether its gradients stay in memory as long as these subjects; else they come there when they are read.
    /// - Throws: `Problem`, also for a gradient, which is of one checkpoint only; `StoreError`, `Interrupted`.
    func moved(
        to checkpoint: CheckpointRecord, of record: ModelRecord? = nil, measuring measurement: OutputMeasurement? = nil,
        isHeld: Bool = false,
        in engine: Engine, interruption: Interruption
    ) throws -> MethodSubjects {
        let isHere = checkpoint == model.checkpoint
        guard !isHere || measurement != nil else { return self }
        let moved = try tests.flatMap { $0 }.map { resolved in
            if !isHere, case .gradient = resolved.test.source {
                throw Problem(
                    at: resolved.test.pointer + "/gradient",
                    "is of one checkpoint, '\(model.checkpoint.name)'; give an input in its place, or name that checkpoint alone")
            }
            return resolved.test.judged(by: resolved.target)
        }
        let there =
            isHere
            ? model
            : try engine.model((record ?? model.record).name, checkpoint: checkpoint.name, interruption: interruption)
        let space =
            isHere
            ? self.space
            : InfluenceSpace(
                there,
                try isHeld
                    ? engine.gradients(of: there, named: request.gradients, interruption: interruption)
                    : engine.gradientsOnDemand(of: there, named: request.gradients, interruption: interruption))
        return MethodSubjects(
            request, there, space,
            try engine.resolve(
                moved, for: there, measurement: measurement ?? request.measurement, predictMissing: true,
                interruption: interruption))
    }
}

extension InfluenceRequest.Test {
    /// The same with the target that it got, where that was not the dataset's own.
    fileprivate func judged(by target: Double?) -> Self {
        guard case .input = source else { return self }
        return Self(source: source, target: target, versus: versus, pointer: pointer)
    }
}
