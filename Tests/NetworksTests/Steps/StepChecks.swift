@testable import Networks
import Foundation
import TestSupport
import Testing

/// What must hold for every kernel.
extension StepCase {
    /// All six of what a kernel computes against PyTorch's.
    func expectPyTorchsResults() {
        let names = ["y", "δx", "δθ", "ẏ", "δẋ", "δθ̇"]
        for (name, (numbers, expected)) in zip(names, zip(StepRun<Double>(self).everything(), reference)) {
            let print = numbers.enumerated().reduce(0) { $0 + cos(Double($1.offset)) * $1.element }
            let size = numbers.reduce(0) { $0 + abs($1) } + 1e-30
            #expect(abs(print - expected) <= 1e-11 * size, "\(name): \(print) is not \(expected)")
        }
        #expect(reference.count == 6)
    }

    /// Each derivative against differences of what it is the derivative of.
    func expectDerivatives() {
        let run = StepRun<Double>(self)
        let t = run.tangents
        #expect(run.forward(.second) == run.forward(.none), "what is kept for derivatives changes nothing")

        // δx and δθ are the gradient of L = Σ δy · y.
        func loss(_ run: StepRun<Double>) -> Double { zip(t.dy, run.forward()).reduce(0) { $0 + $1.0 * $1.1 } }
        func slope(_ path: WritableKeyPath<StepRun<Double>, [Double]>, _ k: Int) -> Double {
            var (above, below) = (run, run)
            above[keyPath: path][k] += Self.width
            below[keyPath: path][k] -= Self.width
            return (loss(above) - loss(below)) / (2 * Self.width)
        }
        let slopes = parameters.indices.map { untrained.contains($0) ? 0 : slope(\.parameters, $0) }
        Self.expect(run.accumulate(t.dy), near: slopes, "gradient")
        Self.expect(run.accumulate(t.dy, from: 1), near: slopes.map { $0 + 1 }, "gradient, added")
        if ids == nil { Self.expect(run.backward(t.dy), near: x.indices.map { slope(\.x, $0) }, "δx") }

        // The tangents are derivatives along (ẋ, v, δẏ), of which each may be missing.
        var directions = [t]
        if t.x != nil, t.v != nil {
            directions.append(.init(x: t.x, v: nil, dy: t.dy, tangentDy: t.tangentDy))
            directions.append(.init(x: nil, v: t.v, dy: t.dy, tangentDy: t.tangentDy))
        }
        for t in directions where t.x != nil || t.v != nil {
            Self.expect(run.tangent(t), near: difference(along: t) { run, _ in run.forward() }, "ẏ")
            let dx = difference(along: t) { run, dy in run.backward(dy) }
            Self.expect(run.tangentBackward(t), near: dx, "δẋ")
            let gradient = difference(along: t) { run, dy in run.accumulate(dy) }
            Self.expect(run.tangentAccumulate(t), near: gradient, "tangent of the gradient")
            Self.expect(run.tangentAccumulate(t, from: 1), near: gradient.map { $0 + 1 }, "tangent of the gradient, added")

            // Forward and backward are transposes of each other: ⟨ẏ, δy⟩ = ⟨ẋ, δx⟩ + ⟨v, δθ⟩.
            func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
            let forward = dot(run.tangent(t), t.dy)
            let backward =
                (t.x.map { dot($0, run.backward(t.dy)) } ?? 0) + (t.v.map { dot($0, run.accumulate(t.dy)) } ?? 0)
            #expect(abs(forward - backward) <= 1e-12 * (abs(forward) + Double(outputWidth * rows)))
        }
    }

    /// Single precision against double, from the same numbers.
    func expectPrecisionsAgree() {
        var double = StepRun<Double>(self)
        double.x = double.x.map { Double(Float($0)) }
        double.parameters = double.parameters.map { Double(Float($0)) }
        for (single, double) in zip(StepRun<Float>(self).everything(), double.everything()) {
            #expect(Closeness.relativeDistance(single, double) < 1e-5)
        }
    }

    /// How far apart the points of a difference are, halved.
    private static let width = 1e-5

    /// The central difference along tangents of something that depends on x, θ and δy.
    private func difference(
        along t: StepRun<Double>.Tangents, _ body: (StepRun<Double>, [Double]) -> [Double]
    ) -> [Double] {
        func point(_ h: Double) -> [Double] {
            var run = StepRun<Double>(self)
            if let x = t.x { run.x = zip(run.x, x).map { $0 + h * $1 } }
            if let v = t.v {
                for k in v.indices where !untrained.contains(k) { run.parameters[k] += h * v[k] }
            }
            return body(run, zip(t.dy, t.tangentDy).map { $0 + h * $1 })
        }
        return zip(point(Self.width), point(-Self.width)).map { ($0 - $1) / (2 * Self.width) }
    }

    private static func expect(_ actual: [Double], near expected: [Double], _ what: Comment) {
        // Where a derivative is zero, differences see rounding only.
        let size = expected.reduce(0) { max($0, abs($1)) }
        let error = zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(actual.count == expected.count && error <= 1e-7 * max(size, 1e-2), what)
        #expect(!actual.contains { $0.isNaN }, what)
    }
}
