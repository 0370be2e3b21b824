import Foundation
import TestSupport
import Testing

@testable import Networks

/// A loss, a measurement, and labels to measure.
struct MeasuringCase: Sendable, CustomTestStringConvertible {
    let loss: LossSpec
    let measurement: OutputMeasurement
    let target: Double
    let versus: Double?

    var isMulticlass: Bool { if case .crossEntropy = loss { true } else { false } }
    var testDescription: String {
        "\(loss) \(measurement) \(target)\(versus.map { " versus \($0)" } ?? "")"
    }

    /// Every loss with every measurement that it knows, of every label, alone and against every other.
    static let all: [MeasuringCase] = {
        let losses: [(LossSpec, [Double])] = [
            (.crossEntropy(labelSmoothing: 0), [0, 1, 2, 3]), (.crossEntropy(labelSmoothing: 0.1), [0, 3]),
            (.binaryCrossEntropy, [0, 1]), (.smoothHinge(temperature: 0.5), [-1, 1]), (.meanSquaredError, [-0.5, 2]),
        ]
        return losses.flatMap { loss, labels in
            loss.measurements.flatMap { measurement in
                labels.flatMap { target in
                    ([nil] + labels.filter { $0 != target }).map {
                        MeasuringCase(loss: loss, measurement: measurement, target: target, versus: $0)
                    }
                }
            }
        }
    }()

    /// The value by the plain formulas, which overflow and cancel but are easy to read.
    func plainValue(_ f: [Double]) -> Double { plain(f, target) - (versus.map { plain(f, $0) } ?? 0) }

    private func plain(_ f: [Double], _ y: Double) -> Double {
        let probability: Double
        switch loss {
        case .crossEntropy(let smoothing):
            let exponentials = f.map { exp($0) }
            let p = exponentials.map { $0 / exponentials.reduce(0, +) }
            probability = p[Int(y)]
            if measurement == .loss {
                return p.indices.reduce(0) { sum, c in
                    sum - ((c == Int(y) ? 1 - smoothing : 0) + smoothing / Double(p.count)) * log(p[c])
                }
            }
            if measurement == .logit { return f[Int(y)] }
        case .binaryCrossEntropy:
            let p = 1 / (1 + exp(-f[0]))
            probability = y == 1 ? p : 1 - p
            if measurement == .loss { return -(y * log(p) + (1 - y) * log(1 - p)) }
        case .smoothHinge(let t):
            return measurement == .loss ? t * log(1 + exp((1 - y * f[0]) / t)) : y * f[0]
        case .meanSquaredError: return (f[0] - y) * (f[0] - y)
        }
        return measurement == .probability ? probability : log(probability / (1 - probability))
    }
}

@Suite("measurements of outputs")
struct MeasuringTests {
    private func outputs(_ some: MeasuringCase, _ numbers: inout SeededNumbers) -> [Double] {
        (0..<(some.isMulticlass ? 4 : 1)).map { _ in 2 * numbers.normal() }
    }

    @Test(
        "values are those of the plain formulas, and gradients their finite differences with the sign of a loss",
        arguments: MeasuringCase.all)
    func finiteDifferences(some: MeasuringCase) throws {
        var numbers = SeededNumbers(7)
        for _ in 0..<20 {
            let f = outputs(some, &numbers)
            let measured = try some.loss.measure(some.measurement, of: f, target: some.target, versus: some.versus)
            #expect(abs(measured.value - some.plainValue(f)) < 1e-11 * (1 + abs(measured.value)))
            #expect(measured.gradient.count == f.count)
            let sign = some.measurement == .loss ? 1.0 : -1
            for j in f.indices {
                var (above, below) = (f, f)
                above[j] += 1e-5
                below[j] -= 1e-5
                let slope = (some.plainValue(above) - some.plainValue(below)) / 2e-5
                #expect(abs(measured.gradient[j] - sign * slope) < 2e-9 * (1 + abs(slope)))
            }
            // A step against u, as one down a loss, raises everything but the loss.
            let stepped = zip(f, measured.gradient).map { $0 - 1e-4 * $1 }
            let change = try some.loss.measure(some.measurement, of: stepped, target: some.target, versus: some.versus).value
            #expect(sign * (change - measured.value) < 0)
        }
    }

    @Test(
        "a contrast changes its sign with the labels' places, and single precision is measured as the double precision it fits in",
        arguments: MeasuringCase.all)
    func symmetry(some: MeasuringCase) throws {
        var numbers = SeededNumbers(11)
        let f = outputs(some, &numbers).map { Float($0) }
        let measured = try some.loss.measure(some.measurement, of: f, target: some.target, versus: some.versus)
        #expect(
            try some.loss.measure(some.measurement, of: f.map { Double($0) }, target: some.target, versus: some.versus)
                == measured)
        guard let versus = some.versus else { return }
        let swapped = try some.loss.measure(some.measurement, of: f, target: versus, versus: some.target)
        #expect(swapped.value == -measured.value && swapped.gradient == measured.gradient.map { -$0 })
    }

    @Test("the contrast of two cross entropies is that of the logits, to the last bit, and so is one of binary cross entropies")
    func logitContrast() throws {
        let f = [3.25, -1.5, 700, 0.1]
        let (loss, logit) = (
            try LossSpec.crossEntropy(labelSmoothing: 0).measure(.loss, of: f, target: 1, versus: 3),
            try LossSpec.crossEntropy(labelSmoothing: 0).measure(.logit, of: f, target: 1, versus: 3)
        )
        #expect(loss.value == -logit.value && loss.gradient == logit.gradient && logit.gradient == [0, -1, 0, 1])
        let binary = try LossSpec.binaryCrossEntropy.measure(.loss, of: [-31.0], target: 1, versus: 0)
        #expect(binary == MeasuredOutputs(31, [-1]))
        #expect(try LossSpec.binaryCrossEntropy.measure(.logit, of: [-31.0], target: 1, versus: 0) == MeasuredOutputs(-62, [-2]))
    }

    @Test("labels between 0 and 1 have a binary cross entropy, and may be contrasted by it")
    func softLabels() throws {
        let contrast = try LossSpec.binaryCrossEntropy.measure(.loss, of: [2.0], target: 0.25, versus: 1)
        #expect(contrast == MeasuredOutputs(1.5, [0.75]))
    }

    @Test("a step of training on an example raises a measurement by the rate times the score along the measurement's direction")
    func orientation() throws {
        // f = W·x: what u leads to in W is u·xᵀ, so that a score is (u_test · u_train)·(x_test · x_train).
        let loss = LossSpec.crossEntropy(labelSmoothing: 0)
        var numbers = SeededNumbers(3)
        let weights = (0..<3).map { _ in (0..<5).map { _ in numbers.normal() } }
        let (train, test) = ((0..<5).map { _ in numbers.normal() }, (0..<5).map { _ in numbers.normal() })
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let residual = try loss.measure(.loss, of: weights.map { dot($0, train) }, target: 2).gradient
        let rate = 1e-6
        let trained = zip(weights, residual).map { row, r in zip(row, train).map { $0 - rate * r * $1 } }
        for measurement in OutputMeasurement.allCases {
            for versus in [nil, 0.0] {
                let before = try loss.measure(measurement, of: weights.map { dot($0, test) }, target: 1, versus: versus)
                let after = try loss.measure(measurement, of: trained.map { dot($0, test) }, target: 1, versus: versus)
                let score = dot(before.gradient, residual) * dot(test, train)
                let raised = (after.value - before.value) * (measurement == .loss ? -1 : 1)
                #expect(abs(raised / rate - score) < 1e-4 * abs(score))
            }
        }
    }
}
