import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Sums of scores against leaving whole groups out (Koh, Ang, Teo & Liang 2019, On the accuracy of influence functions for measuring group
/// effects): first order in the size of a group, they say too little of large and coherent ones, but rank groups well.
@Suite("retraining without groups")
struct GroupRemovalTests {
    private let digits: DigitsRetraining
    /// Random groups of 13% and 20% of the examples; and coherent ones, of one label and neighbourhoods, of 10 and of 15 where a label has
    /// some 30. Without most of a label the first order is not even good for a ranking: the loss of its tests grows several times
    /// as much as predicted.
    private let groups: [(kind: String, members: [Int])]
    private let models: SoftmaxRetraining.Models
    /// Changes of each test's loss: [tests][groups].
    private let predicted, observed: [[Double]]

    init() throws {
        let digits = try DigitsRetraining.shared.get()
        var numbers = SeededNumbers(5)
        var groups: [(String, [Int])] = []
        for size in [digits.n / 30, digits.n / 20] {
            for round in 0..<5 {
                groups.append(("random", Array((0..<digits.n).shuffled(using: &numbers).prefix(4 * size)).sorted()))
                let ofLabel = (0..<digits.n).filter { Int(digits.training.targets.number($0)) == 2 * round }
                groups.append(("one label", Array(ofLabel.prefix(size))))
                let center = digits.training.features.values(of: Int(numbers.uniform() * Double(digits.n)))
                let near = try NearestNeighbors.indices(
                    of: center, in: digits.training.features, count: size, parallel: DigitsRetraining.parallel)
                groups.append(("neighbourhood", near.map { Int($0) }))
            }
        }
        let single = try digits.predictions(digits.network.gradients(of: 0..<digits.tests.count, in: digits.tests))
        predicted = single.map { scores in groups.map { $0.1.reduce(0) { $0 + scores[$1] } } }
        models = try digits.truth.models(without: groups.map(\.1))
        observed = digits.changes(models, of: DigitsRetraining.loss)
        (self.digits, self.groups) = (digits, groups)
    }

    @Test("sums of scores correlate with the changes of loss, over the groups and for each kind of group")
    func correlation() {
        let ofTests = zip(predicted, observed).map { Closeness.pearson($0, $1) }
        let overall = Closeness.pearson(predicted.flatMap { $0 }, observed.flatMap { $0 })
        print(
            "leave-group-out, \(groups.count) groups × \(digits.tests.count) tests: Pearson \(brief(overall)), "
                + "mean of tests \(brief(ofTests.mean)), least \(brief(ofTests.min() ?? 0))")
        #expect(overall > 0.9)
        for kind in Set(groups.map(\.kind)).sorted() {
            let members = groups.indices.filter { groups[$0].kind == kind }
            let (p, o) = (
                predicted.flatMap { row in members.map { row[$0] } }, observed.flatMap { row in members.map { row[$0] } }
            )
            let slope = zip(p, o).reduce(0) { $0 + $1.0 * $1.1 } / p.reduce(0) { $0 + $1 * $1 }
            print("  \(kind): Pearson \(brief(Closeness.pearson(p, o))), observed = \(brief(slope)) · predicted")
            #expect(Closeness.pearson(p, o) > 0.9)
        }
    }

    @Test("sums of scores say too little where a whole group speaks for a test")
    func underestimation() {
        var (under, all) = (0, 0)
        for (p, o) in zip(predicted.flatMap { $0 }, observed.flatMap { $0 }) where abs(p) > 0.01 {
            all += 1
            if o.sign == p.sign, abs(o) > abs(p) { under += 1 }
        }
        print("  of \(all) predicted changes above 0.01, \(under) are too small")
        #expect(all > 100 && Double(under) > 0.75 * Double(all))
    }

    @Test("the sum of (1/n)(C + λI)⁻¹gᵢ over a group points where the parameters go without it")
    func parameters() throws {
        let p = digits.dimension
        let solved = try digits.solved(digits.network.gradients(of: 0..<digits.n, in: digits.training))
        var cosines: [Double] = []
        for (model, group) in groups.enumerated() {
            let sum = (0..<p).map { j in group.members.reduce(0.0) { $0 + Double(solved[$1 * p + j]) } }
            let change = digits.truth.change(models, model)
            cosines.append(Closeness.cosine(sum, change))
            // The step of one is too short for many: what is left of the curvature is less than C.
            #expect(Vectors.norm(sum.map { Float($0 / Double(digits.n)) }) < Vectors.norm(change.map { Float($0) }))
        }
        print(
            "  Δθ of \(groups.count) groups: cosine \(brief(cosines.mean)), least \(brief(cosines.min() ?? 0))")
        #expect(cosines.allSatisfy { $0 > 0.8 })
    }
}
