import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Table 4 of RelatIF (Barshan, Brunet & Dziugaite 2020, appendix I): what the test's loss and the whole model change by when the top
/// proponent of each method is left out.
@Suite("RelatIF and retraining")
struct RelativeInfluenceTests {
    private let digits: DigitsRetraining
    /// The example that each method holds for the strongest proponent of each test.
    private let picks: [(method: String, examples: [Int])]

    init() throws {
        let digits = try DigitsRetraining.shared.get()
        let p = digits.dimension
        let own = try digits.network.gradients(of: 0..<digits.n, in: digits.training)
        let solved = try digits.solved(own)
        // ‖(C+λI)⁻¹gᵢ‖ and √(gᵢᵀ(C+λI)⁻¹gᵢ): propositions 3.1 and 3.3.
        var (theta, loss): ([Double], [Double]) = ([], [])
        for i in 0..<digits.n {
            let s = Array(solved[i * p..<(i + 1) * p])
            theta.append(Vectors.norm(s))
            loss.append(Vectors.dot(s, Array(own[i * p..<(i + 1) * p])).squareRoot())
        }
        let scores = try digits.predictions(digits.network.gradients(of: 0..<digits.tests.count, in: digits.tests))
        func top(_ denominators: [Double]?) -> [Int] {
            scores.map { row in
                row.indices.max { row[$0] / (denominators?[$0] ?? 1) < row[$1] / (denominators?[$1] ?? 1) } ?? 0
            }
        }
        let neighbors = try (0..<digits.tests.count).map { test in
            Int(
                try NearestNeighbors.indices(
                    of: digits.tests.features.values(of: test), in: digits.training.features, count: 1,
                    parallel: DigitsRetraining.parallel)[0])
        }
        picks = [("influence", top(nil)), ("θ-RelatIF", top(theta)), ("ℓ-RelatIF", top(loss)), ("nearest neighbour", neighbors)]
        self.digits = digits
    }

    @Test("RelatIF's top proponents change the test's loss more for what they change of the model than influence's or neighbours")
    func ratios() {
        let changes = digits.changes(digits.withoutOne, of: DigitsRetraining.loss)
        let lengths = (0..<digits.n).map { i in
            digits.truth.change(digits.withoutOne, i).reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let spreads = digits.trainingLossChanges.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        func means(_ sizes: [Double]) -> [String: Double] {
            Dictionary(
                uniqueKeysWithValues: picks.map { method, examples in
                    let ratios = examples.enumerated().map { test, example in changes[test][example] / sizes[example] }
                    return (method, ratios.mean)
                })
        }
        let (byParameters, byLosses) = (means(lengths), means(spreads))
        print("top proponents of \(digits.tests.count) tests left out of \(digits.n): mean Δℓ_test/‖Δθ‖, mean Δℓ_test/√Σ(Δℓᵢ)²")
        for (method, _) in picks { print("  \(method): \(brief(byParameters[method] ?? 0)), \(brief(byLosses[method] ?? 0))") }
        for other in ["influence", "nearest neighbour"] {
            #expect(byParameters["θ-RelatIF"] ?? 0 > byParameters[other] ?? 1)
            #expect(byLosses["ℓ-RelatIF"] ?? 0 > byLosses[other] ?? 1)
        }
    }

    @Test("leaving out influence's top proponent raises the test's loss most")
    func raises() {
        let changes = digits.changes(digits.withoutOne, of: DigitsRetraining.loss)
        let means = picks.map { _, examples in
            examples.enumerated().reduce(0) { $0 + changes[$1.offset][$1.element] } / Double(examples.count)
        }
        print("  mean Δℓ_test: \(zip(picks, means).map { "\($0.0.method) \(brief($0.1))" }.joined(separator: ", "))")
        #expect(means.dropFirst().allSatisfy { $0 < means[0] })
    }
}
