internal import Dispatch
internal import Foundation
internal import HTTPTypes
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

// What the curvature at a checkpoint is like: for `GET /models/{model}/checkpoints/{checkpoint}/spectrum` and the command line.
extension Engine {
    /// The most steps of a recursion for the ends, over all examples.
    private static let steps = 128
    /// The fewest that are worth while.
    private static let fewestSteps = 16
    /// Of the largest eigenvalues, how many are found to the tolerance before the recursion may stop.
    private static let sharpCount = 20
    /// Nodes of each probe of the density, and examples that it looks at where there are at least twice as many.
    private static let densitySteps = 64, densitySample = 8192

    /// Answers a request for a spectrum.
    /// - Throws: `Problem`, `SolverError`, `StoreError`, `Interrupted`.
    func spectrum(_ request: SpectrumRequest, interruption: Interruption) throws -> SpectrumAnswer {
        let model = try Problem.outsideBodies {
            try self.model(request.model, checkpoint: request.checkpoint, interruption: interruption)
        }
        let chosen = try gradients(of: model, named: nil, interruption: interruption)
        let space = InfluenceSpace(model, chosen)
        let (named, kind) = try space.curvatureKind(request.curvature.kind, of: model)
        let isConvex = model.foreign == nil ? try model.network(at: "/model").network.isConvex : false
        let isSemidefinite = kind != .hessian || isConvex
        let spectrum = try spectrum(
            kind, of: model, in: space, isSemidefinite: isSemidefinite, interruption: interruption)
        return SpectrumAnswer(
            request: request, model: model, curvature: named, isSemidefinite: isSemidefinite, isConvex: isConvex,
            spectrum: spectrum)
    }

    /// The spectrum of a curvature, each part derived once for a checkpoint and kept as soon as it is there: whoever asks again after a
    /// deadline has passed goes on with what is missing.
    private func spectrum(
        _ kind: CurvatureKind, of model: LoadedModel, in space: InfluenceSpace, isSemidefinite: Bool,
        interruption: Interruption
    ) throws -> CheckpointSpectrum {
        let dimension = space.dimension
        let steps = try stepsInMemory(dimension: dimension)
        let key = CurvatureKey(identity: space.identity, kind: kind)
        return try spectra.value(for: key, cost: \.byteCount) {
            let known = try curvature(kind, of: model, in: space, interruption: interruption)
            let gradient: ObjectiveGradient = try derived("gradient", of: model, ["1"]) {
                try ObjectiveGradient(of: model, in: space, parallel: parallel, interruption: interruption)
            }
            let values: RitzSpectrum = try derived(
                "eigenvalues-\(kind.rawValue)", of: model, ["1", "\(steps)"],
                isSound: { $0.dimension == dimension && !$0.values.isEmpty }
            ) {
                try RitzSpectrum(
                    of: known.operation, largest: Self.sharpCount, findsSmallest: !isSemidefinite, steps: steps,
                    parallel: parallel, interruption: interruption)
            }
            let density: SpectrumDensity = try derived(
                "density-\(kind.rawValue)", of: model, ["1", "\(steps)"],
                isSound: { $0.dimension == dimension && !$0.probes.isEmpty && $0.probes.allSatisfy(\.isSound) }
            ) {
                try SpectrumDensity(values)
                    ?? SpectrumDensity(
                        of: known.operation, steps: min(steps, Self.densitySteps), sample: Self.densitySample,
                        parallel: parallel, interruption: interruption)
            }
            return CheckpointSpectrum(
                values: values, density: density, trace: known.spectrum.trace, gradient: gradient)
        }
    }

    /// As many steps as there is memory for the vectors of.
    /// - Throws: 422 where there is for hardly any.
    private func stepsInMemory(dimension: Int) throws -> Int {
        let steps = min(Self.steps, dimension)
        let fitting = memoryBytes / MemoryBudget.Part.quarter.rawValue / (MemoryLayout<Float>.stride * max(1, dimension)) - 1
        guard fitting < steps else { return steps }
        let fewest = min(Self.fewestSteps, dimension)
        try MemoryBudget(bytes: memoryBytes).require(
            .floatBytes(fewest + 1, dimension), of: .quarter,
            for: "\(fewest + 1) vectors of \(dimension) numbers, which a spectrum needs at least,")
        return fitting
    }

    /// Something derived of a checkpoint that is kept in the store as text, made where it is not there.
    func derived<Value: Codable>(
        _ kind: String, of model: LoadedModel, _ settings: [String], isSound: (Value) -> Bool = { _ in true },
        make: () throws -> Value
    ) throws -> Value {
        let key = ContentDigest(ofParts: [model.identity.description] + settings)
        if let kept = try store.derived(of: model.checkpoint, kind: kind, key: key),
            let value = try? JSONDecoder().decode(Value.self, from: Data(kept.summary.utf8)), isSound(value)
        {
            return value
        }
        let value = try make()
        if let text = try? JSONEncoder().encode(value) {
            keep(kind, of: model.checkpoint, key: key, summary: String(decoding: text, as: UTF8.self))
        }
        return value
    }

    /// Answers a question for a spectrum as the route does, without a server.
    /// - Parameters:
    ///   - model: the model's name.
    ///   - checkpoint: the checkpoint's; nil for the latest.
    ///   - parameters: what would be in the query, names and values.
    ///   - limits: what may be asked for.
    ///   - defaultDeadlineMilliseconds: when to give up, unless the parameters say.
    /// - Throws: `Problem`, saying what is wrong where; `StoreError`.
    public func spectrum(
        ofModel model: String, checkpoint: String?, parameters: [(name: String, value: String)], limits: RequestLimits,
        defaultDeadlineMilliseconds: Int
    ) throws -> SpectrumAnswer {
        let start = DispatchTime.now()
        do {
            let request = try SpectrumRequest(
                model: model, checkpoint: checkpoint, parameters: parameters, limits: limits)
            let deadline = start + .milliseconds(request.deadlineMilliseconds ?? defaultDeadlineMilliseconds)
            return try spectrum(request, interruption: Interruption { DispatchTime.now() > deadline })
        } catch {
            throw Problem(describing: error).map { $0 as any Error } ?? error
        }
    }
}

extension SpectralQuadrature {
    /// Whether it is one: read from a store, it may be anything.
    fileprivate var isSound: Bool {
        !nodes.isEmpty && nodes.count == weights.count && (nodes + weights).allSatisfy(\.isFinite)
    }
}

extension Problem {
    /// What `body` does; an unknown name is reported without a place in a body, as there is none.
    fileprivate static func outsideBodies<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let problem as Problem where problem.status == .notFound {
            throw Problem(problem.status, problem.kind, problem.errors.first?.detail ?? problem.detail)
        }
    }
}
