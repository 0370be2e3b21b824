import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Influence functions against what they predict: training again without examples.
@Suite("retraining")
struct RetrainingTests {
    private let digits: DigitsRetraining

    init() throws { digits = try DigitsRetraining.shared.get() }

    private func testGradients() throws -> [Float] { try digits.network.gradients(of: 0..<digits.tests.count, in: digits.tests) }

    @Test("predicted_loss_change_if_removed of all examples is the change of loss after training without each")
    func losses() throws {
        let predicted = try digits.predictions(testGradients())
        let observed = digits.changes(digits.withoutOne, of: DigitsRetraining.loss)
        let correlations = zip(predicted, observed).map { Closeness.pearson($0, $1) }
        let (all, allObserved) = (predicted.flatMap { $0 }, observed.flatMap { $0 })
        let overall = Closeness.pearson(all, allObserved)
        let slope = zip(all, allObserved).reduce(0) { $0 + $1.0 * $1.1 } / all.reduce(0) { $0 + $1 * $1 }
        print(
            "leave-one-out, \(digits.n) examples × \(digits.tests.count) tests: Pearson \(brief(overall)), "
                + "least of a test \(brief(correlations.min() ?? 0)), true = \(brief(slope)) · predicted")
        #expect(overall > 0.99 && correlations.allSatisfy { $0 > 0.99 })
        #expect(slope > 0.95 && slope < 1.3)
    }

    @Test("(1/n)(C + λI)⁻¹gᵢ is the change of the parameters after training without an example")
    func parameters() throws {
        let predicted = try digits.solved(digits.network.gradients(of: 0..<digits.n, in: digits.training))
        let p = digits.dimension
        var (cosines, errors): ([Double], [Double]) = ([], [])
        for i in 0..<digits.n {
            let part = predicted[i * p..<(i + 1) * p].map { Double($0) / Double(digits.n) }
            let change = digits.truth.change(digits.withoutOne, i)
            cosines.append(Closeness.cosine(part, change))
            errors.append(Closeness.relativeDistance(part, change))
        }
        print(
            "Δθ of \(digits.n) examples: cosine \(brief(cosines.mean)), least \(brief(cosines.min() ?? 0)); "
                + "relative error \(brief(errors.mean)), most \(brief(errors.max() ?? 0))")
        #expect(cosines.allSatisfy { $0 > 0.95 })
    }
}
