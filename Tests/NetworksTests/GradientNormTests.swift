import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Norms of training gradients.
@Suite("norms of gradients")
struct GradientNormTests {
    private let parallel = Parallel(threads: 2)

    @Test(
        "they are PyTorch's, from kept factors and without", .enabled(if: Fixtures.isAvailable, Fixtures.absence),
        arguments: ModelFixture.names)
    func fixtures(name: String) throws {
        let fixture = try ModelFixture(name)
        let (trained, examples) = (fixture.trained, fixture.training)
        let expected = try fixture.numbers("self_gradient_norm")
        let computed = try trained.squaredNorms(of: examples, parallel: parallel)
        #expect(try trained.squaredNorms(of: examples, factors: trained.factors(of: examples), parallel: parallel) == computed)
        #expect(Closeness.relativeDistance(computed.map { $0.squareRoot() }, expected) < 1e-5)
        // Some residuals are small differences of outputs in single precision.
        for (norm, reference) in zip(computed, expected) { #expect(abs(norm.squareRoot() - reference) < 1e-4 * reference) }
    }

    @Test("they are those of the gradients written out; examples are weighted, some with nothing")
    func written() throws {
        for subject in try PairNetworks.all(count: 40, weighted: true) {
            let (trained, examples) = (subject.trained, subject.examples)
            let expected = try trained.gradientRows(of: examples).map { $0.reduce(0) { $0 + $1 * $1 } }
            let computed = try trained.squaredNorms(of: examples, parallel: parallel)
            for (norm, reference) in zip(computed, expected) {
                #expect(abs(norm - reference) <= 1e-6 * reference, "\(subject.testDescription)")
            }
            #expect(computed[0] == 0)
        }
    }

    @Test("a norm has the same bits beside whichever others, however factors are cut, on any number of threads")
    func independence() throws {
        for subject in try PairNetworks.all(count: 300) {
            let (trained, examples) = (subject.trained, subject.examples)
            let factors = try trained.factors(of: examples)
            let all = try trained.squaredNorms(of: examples, parallel: Parallel(threads: 1))
            #expect(try trained.squaredNorms(of: examples, factors: factors, parallel: Parallel(threads: 3)) == all)
            var cut = [Double](repeating: .nan, count: 300)
            for start in stride(from: 0, to: 300, by: 77) {
                let rows = start..<min(start + 77, 300)
                try cut.withUnsafeMutableBufferPointer {
                    try trained.writeSquaredNorms(
                        ofFactors: Array(factors[start * trained.factorWidth..<rows.upperBound * trained.factorWidth]), of: rows,
                        in: examples, into: $0.baseAddress! + start, interruption: .never)
                }
            }
            #expect(cut == all, "\(subject.testDescription)")
        }
    }

    @Test("squares that are smaller than a float can be are not lost, and what is no number is none")
    func extremes() throws {
        let subject = try RandomNetwork("one layer", #"{"type": "linear", "in_features": 2, "out_features": 2}"#, count: 3)
        let examples = LabeledExamples(
            features: FeatureRows([1, 2, 3, 4, 5, 6], width: 2), targets: .labels([0, 0, 0]), weights: [1e-30, 1, .infinity])
        let norms = try subject.trained.squaredNorms(of: examples, parallel: parallel)
        #expect(norms[0] > 0 && norms[0] < 1e-55 && norms[1].isFinite && !norms[2].isFinite)
        #expect(throws: Interrupted()) {
            try subject.trained.squaredNorms(of: examples, parallel: parallel, interruption: Interruption { true })
        }
    }
}
