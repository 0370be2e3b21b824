import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Products of training gradients with other examples' gradients, from the factors of both.
@Suite("products of gradients with others'")
struct GradientPairsTests {
    private let parallel = Parallel(threads: 2)

    @Test(
        "a product is that of the gradients written out, from kept factors and without; examples are weighted"
    )
    func products() throws {
        for subject in try PairNetworks.all(count: 40, weighted: true) {
            let (trained, examples) = (subject.trained, subject.examples)
            let written = try trained.gradientRows(of: examples)
            let others = try trained.exampleGradients(of: 0..<7, in: examples)
            let pairs = try #require(GradientPairs(trained, with: others))
            let factors = try trained.factors(of: examples)
            let kept = try pairs.scores(of: .range(0..<40), in: examples, factors: factors, parallel: parallel).copy
            let computed = try pairs.scores(of: .range(0..<40), in: examples, parallel: parallel).copy
            for k in 0..<7 {
                for i in 0..<40 {
                    let product = zip(written[k], written[i]).reduce(0) { $0 + $1.0 * $1.1 }
                    let size = Self.length(written[k]) * Self.length(written[i])
                    #expect(abs(Double(kept[k * 40 + i]) - product) <= 1e-6 * size + 1e-37, "\(subject.testDescription)")
                }
            }
            #expect(kept == computed, "\(subject.testDescription)")
        }
    }

    private static func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    @Test("sizes choose how a layer is multiplied: outer products, position by position, or with the gradient written out")
    func ways() throws {
        var ways: [String: [String]] = [:]
        for subject in try PairNetworks.all(count: 3) {
            let others = try subject.trained.exampleGradients(of: 0..<1, in: subject.examples)
            let products = PairProducts(subject.network, with: others, try #require(others.factors))
            ways[subject.testDescription] = products.layers.map {
                switch $0 {
                case .outer: "outer"
                case .positions: "positions"
                case .written: "written"
                }
            }
        }
        #expect(ways["a perceptron"] == ["outer", "outer"])
        #expect(ways["convolutions"] == ["written", "written", "outer"])
        #expect(ways["a residual block"] == ["outer", "written", "outer", "outer"])
        #expect(ways["token embeddings"] == ["written", "written", "outer"])
        #expect(ways["linear layers on two positions"] == ["positions", "positions", "outer"])
        #expect(ways["wide convolutions of small images"] == ["positions", "positions", "outer"])
    }

    @Test("a product has the same bits whatever other pairs there are, however factors are cut, on any number of threads")
    func independence() throws {
        for subject in try PairNetworks.all(count: 300) {
            let (trained, examples) = (subject.trained, subject.examples)
            let factors = try trained.factors(of: examples)
            let others = try trained.exampleGradients(of: 100..<170, in: examples)
            let pairs = try #require(GradientPairs(trained, with: others))
            let all = try pairs.scores(
                of: .range(0..<300), in: examples, factors: factors, parallel: Parallel(threads: 1)
            ).copy
            #expect(
                try pairs.scores(of: .range(0..<300), in: examples, factors: factors, parallel: Parallel(threads: 3)).copy == all)
            // Chosen ones, alone and in company, from factors in memory and without.
            let chosen: [UInt32] = [299, 0, 17, 17, 123]
            let expected = (0..<70).flatMap { k in chosen.map { all[k * 300 + Int($0)] } }
            for kept in [nil, factors] {
                let some = try chosen.withUnsafeBufferPointer {
                    try pairs.scores(of: .indices($0), in: examples, factors: kept, parallel: parallel).copy
                }
                #expect(some == expected, "\(subject.testDescription)")
            }
            // Fewer others.
            for rows in [100..<101, 166..<170] {
                let some = try #require(GradientPairs(trained, with: trained.exampleGradients(of: rows, in: examples)))
                let scores = try some.scores(of: .range(0..<300), in: examples, factors: factors, parallel: parallel).copy
                #expect(scores == Array(all[(rows.lowerBound - 100) * 300..<(rows.upperBound - 100) * 300]))
            }
            // Stretches of rows.
            var cut = [Float](repeating: .nan, count: all.count)
            for start in stride(from: 0, to: 300, by: 77) {
                let rows = start..<min(start + 77, 300)
                try cut.withUnsafeMutableBufferPointer {
                    try pairs.writeScores(
                        ofFactors: Array(factors[start * trained.factorWidth..<rows.upperBound * trained.factorWidth]),
                        of: .range(rows), in: examples, into: $0.baseAddress! + start, stride: 300, interruption: .never)
                }
            }
            #expect(cut == all, "\(subject.testDescription)")
        }
    }

    @Test("and whatever stretch of factors in memory a thread takes")
    func stretches() throws {
        let subject = try PairNetworks.onBytes(count: 1_100)
        let (trained, examples) = (subject.trained, subject.examples)
        let factors = try trained.factors(of: examples)
        let pairs = try #require(GradientPairs(trained, with: trained.exampleGradients(of: 1_096..<1_100, in: examples)))
        let all = try pairs.scores(of: .range(0..<1_100), in: examples, factors: factors, parallel: parallel).copy
        for rows in [0..<1, 1..<34, 511..<513, 77..<1_090] {
            let some = try pairs.scores(of: .range(rows), in: examples, factors: factors, parallel: parallel).copy
            #expect(some == (0..<4).flatMap { k in rows.map { all[k * 1_100 + $0] } })
        }
        #expect(try pairs.scores(of: .range(3..<3), in: examples, factors: factors, parallel: parallel).copy.isEmpty)
    }

    @Test("bytes and halves are multiplied as they are stored", arguments: [false, true])
    func stored(halves: Bool) throws {
        let subject = try PairNetworks.onBytes(count: 70)
        var numbers = SeededNumbers(8)
        let bytes = numbers.bytes(70 * 37)
        let memory = AlignedMemory<UInt8>(uninitialized: bytes.count)
        _ = memory.elements.initialize(from: bytes)
        let features =
            try halves
            ? FeatureRows(halves: bytes.map { Float($0) }, width: 37, multiplier: 1 / 255)
            : FeatureRows(.uint8(memory), count: 70, width: 37, multiplier: 1 / 255)
        let examples = LabeledExamples(features: features, targets: subject.examples.targets)
        let plain = LabeledExamples(
            features: FeatureRows((0..<70).flatMap { features.values(of: $0) }, width: 37), targets: subject.examples.targets)
        let trained = subject.trained
        let scores = try [examples, plain].map { examples in
            let pairs = try #require(GradientPairs(trained, with: trained.exampleGradients(of: 0..<3, in: examples)))
            return try pairs.scores(
                of: .range(0..<70), in: examples, factors: trained.factors(of: examples), parallel: parallel
            ).copy
        }
        #expect(Closeness.relativeDistance(scores[0], scores[1]) < 1e-6)
    }

    @Test("numbers that are none, nobody to multiply with, strangers' factors, one example, and being told to stop")
    func ends() throws {
        for subject in try PairNetworks.all(count: 1) {
            let (trained, examples) = (subject.trained, subject.examples)
            let own = try trained.exampleGradients(of: 0..<1, in: examples)
            let pairs = try #require(GradientPairs(trained, with: own))
            let factors = try trained.factors(of: examples)
            let square = try pairs.scores(of: .range(0..<1), in: examples, factors: factors, parallel: parallel).copy
            #expect(Closeness.relativeDistance(square, [Vectors.dot(own.vectors, own.vectors)]) < 1e-5)
            let lost = try trained.exampleGradients(
                of: 0..<1, in: examples, from: .given([Float](repeating: .nan, count: subject.network.outputWidth)))
            let nothing = try #require(GradientPairs(trained, with: lost))
            #expect(try nothing.scores(of: .range(0..<1), in: examples, parallel: parallel).copy[0].isNaN)
            let none = try #require(GradientPairs(trained, with: trained.exampleGradients(of: 0..<0, in: examples)))
            #expect(try none.scores(of: .range(0..<1), in: examples, parallel: parallel).count == 0)
            #expect(GradientPairs(trained, with: ExampleGradients(vectors: own.vectors, count: 1)) == nil)
            for kept in [nil, factors] {
                #expect(throws: Interrupted()) {
                    try pairs.scores(
                        of: .range(0..<1), in: examples, factors: kept, parallel: parallel, interruption: Interruption { true })
                }
            }
        }
        let subjects = try PairNetworks.all(count: 1)
        let strangers = try subjects[1].trained.exampleGradients(of: 0..<1, in: subjects[1].examples)
        #expect(GradientPairs(subjects[0].trained, with: strangers) == nil)
    }
}
