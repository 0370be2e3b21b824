import Attribution
import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Influence on what else outputs say of a label: as if −f were the loss, so that −score / n is what f changes by.
@Suite("retraining and other measurements")
struct MeasurementRetrainingTests {
    /// What is measured of outputs and a label.
    enum Measurement: CaseIterable {
        case logit, margin, probability
        /// Why this label and not the next.
        case contrast

        /// The network's own measurement, with its gradient at the outputs.
        func measured(_ outputs: [Double], _ label: Int) throws -> MeasuredOutputs {
            let kind: OutputMeasurement =
                switch self {
                case .logit, .contrast: .logit
                case .margin: .margin
                case .probability: .probability
                }
            let other = self == .contrast ? Double((label + 1) % outputs.count) : nil
            return try LossSpec.crossEntropy(labelSmoothing: 0)
                .measure(kind, of: outputs, target: Double(label), versus: other)
        }

        /// The value by its definition.
        func value(_ outputs: [Double], _ label: Int) -> Double {
            let probability = exp(-DigitsRetraining.loss(outputs, label))
            switch self {
            case .logit: return outputs[label]
            case .margin: return log(probability / (1 - probability))
            case .probability: return probability
            case .contrast: return outputs[label] - outputs[(label + 1) % outputs.count]
            }
        }
    }

    private let digits: DigitsRetraining

    init() throws { digits = try DigitsRetraining.shared.get() }

    /// −∇f of each test: outputs are linear in θ.
    private func sides(_ measurement: Measurement) throws -> [Float] {
        let classes = DigitsRetraining.classes
        let outputs = digits.truth.outputs(of: digits.tests.features, under: digits.truth.whole)
        return try (0..<digits.tests.count).flatMap { test in
            let label = Int(digits.tests.targets.number(test))
            let row = Array(outputs[test * classes..<(test + 1) * classes])
            let measured = try measurement.measured(row, label)
            #expect(abs(measured.value - measurement.value(row, label)) < 1e-9)
            let slopes = measured.gradient.map { Float($0) }
            let x = digits.tests.features.values(of: test)
            return slopes.flatMap { slope in x.map { slope * $0 } } + slopes
        }
    }

    @Test("−score / n is what a measurement changes by after training without each example", arguments: Measurement.allCases)
    func changes(measurement: Measurement) throws {
        let predicted = try digits.predictions(sides(measurement)).flatMap { $0.map { -$0 } }
        let observed = digits.changes(digits.withoutOne, of: measurement.value).flatMap { $0 }
        let correlation = Closeness.pearson(predicted, observed)
        let slope = zip(predicted, observed).reduce(0) { $0 + $1.0 * $1.1 } / predicted.reduce(0) { $0 + $1 * $1 }
        print("  \(measurement): Pearson \(brief(correlation)), observed = \(brief(slope)) · predicted")
        #expect(correlation > 0.99)
        #expect(slope > 0.95 && slope < 1.3)
    }

    @Test("a test's proponents raised its logit, margin and probability: without them these fall")
    func signs() throws {
        for measurement in Measurement.allCases {
            let scores = try digits.predictions(sides(measurement))
            let observed = digits.changes(digits.withoutOne, of: measurement.value)
            for test in scores.indices {
                let top = scores[test].indices.max { scores[test][$0] < scores[test][$1] } ?? 0
                #expect(scores[test][top] > 0 && observed[test][top] < 0, "\(measurement) of \(test)")
            }
        }
    }
}
