import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

@Suite("measurements of outputs that are far apart")
struct SaturatedMeasuringTests {
    private let cross = LossSpec.crossEntropy(labelSmoothing: 0)

    private func value(_ measurement: OutputMeasurement, _ f: [Double], _ target: Double, _ versus: Double? = nil) throws
        -> Double
    {
        try cross.measure(measurement, of: f, target: target, versus: versus).value
    }

    @Test("values at outputs of ±10000 are exact")
    func values() throws {
        let f: [Double] = [1e4, -1e4, 0]
        #expect(try value(.margin, f, 0) == 1e4 && value(.margin, f, 1) == -2e4 && value(.margin, f, 2) == -1e4)
        #expect(try value(.margin, f, 0, 1) == 3e4 && value(.margin, f, 1, 2) == -1e4)
        #expect(try value(.probability, f, 0) == 1 && value(.probability, f, 1) == 0 && value(.probability, f, 0, 2) == 1)
        #expect(try value(.logit, f, 1, 0) == -2e4)
        #expect(try value(.loss, f, 0) == 0 && value(.loss, f, 1) == 2e4 && value(.loss, f, 1, 0) == 2e4)
        // Both far below a third.
        let tied: [Double] = [-1e4, -1e4, 1e4]
        #expect(try value(.margin, tied, 0, 1) == 0 && value(.margin, tied, 2) == 2e4 - log(2.0))
    }

    @Test(
        "gradients at such outputs are finite, and those of the outputs of one example cancel where adding a number to all changes nothing"
    )
    func gradients() throws {
        for f in [[1e4, -1e4, 0], [-1e4, -1e4, 1e4], [1e4, 1e4, 1e4], [-1e4, 0, 9_999.5], [3e38, -3e38, 1]] as [[Double]] {
            for measurement in OutputMeasurement.allCases {
                for (target, versus) in [(0, nil), (1, nil), (2, nil), (0, 1), (1, 2), (2, 0)] as [(Double, Double?)] {
                    let u = try cross.measure(measurement, of: f, target: target, versus: versus).gradient
                    #expect(u.allSatisfy { $0.isFinite })
                    if measurement != .logit || versus != nil {
                        #expect(abs(u.reduce(0, +)) <= 4e-16 * u.reduce(0) { $0 + abs($1) })
                    }
                }
            }
        }
        for loss in [LossSpec.binaryCrossEntropy, .smoothHinge(temperature: 1e-6)] {
            for (measurement, z) in loss.measurements.flatMap({ measurement in [1e4, -1e4, 3e38].map { (measurement, $0) } }) {
                let low = loss == .binaryCrossEntropy ? 0.0 : -1
                for (target, versus) in [(1, nil), (low, nil), (1, low)] as [(Double, Double?)] {
                    let measured = try loss.measure(measurement, of: [z], target: target, versus: versus)
                    #expect(measured.value.isFinite && measured.gradient[0].isFinite)
                }
            }
        }
    }

    @Test(
        "a margin keeps its digits where the probability is 1 to double precision, and 1 − p keeps its own",
        arguments: [5.0, 40, 300, 600])
    func confident(gap: Double) throws {
        // Two others alike: the margin is gap − log 2.
        let margin = try cross.measure(.margin, of: [0, gap, 0], target: 1)
        #expect(abs(margin.value - (gap - log(2.0))) < 1e-15 * gap)
        #expect(margin.gradient == [0.5, -1, 0.5])
        let rest = 2 * exp(-gap) / (1 + 2 * exp(-gap))
        let tolerance = 1e-15 * gap * rest
        let weight = try cross.marginWeight(of: [0, gap, 0], target: 1)
        #expect(abs(weight - rest) < tolerance)
        let probability = try cross.measure(.probability, of: [0, gap, 0], target: 1)
        #expect(abs(probability.gradient[1] + (1 - rest) * rest) < tolerance)
        let binary = try LossSpec.binaryCrossEntropy.marginWeight(of: [gap], target: 1)
        #expect(abs(binary - exp(-gap) / (1 + exp(-gap))) < tolerance)
    }

    @Test("the loss's gradient is the margin's times minus the margin's weight, for every label and however sure the model is")
    func parallelGradients() throws {
        var numbers = SeededNumbers(5)
        let hinge = LossSpec.smoothHinge(temperature: 0.3)
        for scale in [0.1, 1, 10, 100] {
            for _ in 0..<20 {
                let f = (0..<5).map { _ in scale * numbers.normal() }
                let cases: [(LossSpec, [Double], [Double])] = [
                    (cross, f, [0, 1, 2, 3, 4]), (.binaryCrossEntropy, [f[0]], [0, 1]), (hinge, [f[0]], [-1, 1]),
                ]
                for (loss, outputs, labels) in cases {
                    for target in labels {
                        let (r, u) = (
                            try loss.measure(.loss, of: outputs, target: target).gradient,
                            try loss.measure(.margin, of: outputs, target: target).gradient
                        )
                        let weight = try loss.marginWeight(of: outputs, target: target)
                        // Digits are lost as many as the exponent of what is exponentiated takes.
                        for (r, u) in zip(r, u) { #expect(abs(r - weight * u) <= 1e-15 * (4 + scale * 10) * abs(r)) }
                    }
                }
            }
        }
    }

    @Test("the weights of many examples are those of each alone, on any number of threads")
    func manyWeights() throws {
        var numbers = SeededNumbers(9)
        let count = 10_000
        let outputs = AlignedMemory(copying: numbers.floats(count * 3, scale: 8))
        let labels = numbers.integers(count, below: 3).map { Int32($0) }
        let weights = try cross.marginWeights(
            of: outputs, width: 3, targets: .labels(labels), parallel: Parallel(threads: 1))
        for threads in [2, 5] {
            #expect(
                try cross.marginWeights(of: outputs, width: 3, targets: .labels(labels), parallel: Parallel(threads: threads))
                    == weights)
        }
        for example in stride(from: 0, to: count, by: 101) {
            let row = outputs.elements[example * 3..<example * 3 + 3].map { Double($0) }
            #expect(try cross.marginWeight(of: row, target: Double(labels[example])) == weights[example])
        }
        #expect(throws: Interrupted.self) {
            try cross.marginWeights(
                of: outputs, width: 3, targets: .labels(labels), parallel: Parallel(threads: 2),
                interruption: Interruption { true })
        }
    }
}
