import Attribution
import LinearAlgebra
import TestSupport
import Testing

@Suite("TRAK")
struct TRAKKernelTests {
    private let tests: [(x: [Double], y: Int)] = [([0.3, -1, 0.5, 2], 1), ([1, 1, -0.25, 0], 0)]

    @Test(
        "scores are those of the paper's definition, of one model and of several, with weights and damping",
        arguments: [1, 3], [0.0, 2.5])
    func definition(models: Int, damping: Double) throws {
        for weights in [nil, (0..<50).map { [1, 0, 2, 0.5, 3][$0 % 5] as Float }] {
            let problem = TRAKProblem(models: models, weights: weights)
            let scores = try problem.scores(tests, damping: damping)
            for (test, found) in zip(tests, scores) {
                #expect(Closeness.relativeDistance(found, problem.reference(test, damping: damping)) < 1e-5)
            }
        }
    }

    @Test("an example of weight 2 is two examples, and one of weight 0 none")
    func weights() throws {
        let all = TRAKProblem(count: 30)
        let (places, weights): ([Int], [Float]) = (Array(0..<30), (0..<30).map { $0 == 4 ? 2 : $0 == 9 ? 0 : 1 })
        let weighted = try all.picking(places, weights: weights).scores(tests)
        let copied = try all.picking(places + [4]).scores(tests)
        let without = try all.picking(places.filter { $0 != 9 } + [4]).scores(tests)
        for test in tests.indices {
            #expect(weighted[test][9] == 0)
            #expect(abs(copied[test][4] - copied[test][30]) < 1e-12)
            #expect(abs(weighted[test][4] - without[test][4] - without[test][29]) < 1e-5)
        }
    }

    @Test("an example's score has the same bits beside any test, on any number of threads")
    func bits() throws {
        let problem = TRAKProblem(count: 300, dimension: 9, models: 2)
        let both = try problem.scores(tests, damping: 1, threads: 1)
        #expect(try problem.scores(tests, damping: 1, threads: 3) == both)
        #expect(try problem.scores([tests[1]], damping: 1)[0] == both[1])
    }

    @Test("the order of examples changes nothing but rounding")
    func order() throws {
        let problem = TRAKProblem(count: 300)
        let order = (0..<300).map { ($0 * 77) % 300 }
        let (straight, mixed) = (try problem.scores(tests), try problem.picking(order).scores(tests))
        for test in tests.indices {
            #expect(Closeness.relativeDistance(mixed[test], order.map { straight[test][$0] }) < 1e-6)
        }
    }

    @Test("a test that a model is about: its own copy among the examples is the top proponent by kernel")
    func orientation() throws {
        let problem = TRAKProblem()
        let own = try problem.scores(Array(zip(problem.features, problem.labels))).enumerated().map { $1[$0] }
        // φᵀ(ΦᵀΦ)⁻¹φ is a leverage: between 0 and 1, of sum d.
        #expect(own.allSatisfy { $0 > 0 && $0 < 1 })
        let leverages = zip(own, problem.marginWeights(0)).reduce(0) { $0 + $1.0 / $1.1 }
        #expect(abs(leverages - 6) < 1e-3)
        #expect(abs(try problem.kernel().meanEigenvalue / trace(problem) - 1) < 1e-6)
    }

    private func trace(_ problem: TRAKProblem) -> Double {
        (0..<problem.count).reduce(0) { sum, i in
            sum + problem.marginGradient(0, problem.features[i], problem.labels[i]).reduce(0) { $0 + $1 * $1 }
        } / 6
    }

    @Test("certain examples count as exactly as others down to 1 − p of 10⁻³⁰; beyond that they are left out, and counted")
    func certainty() throws {
        // Margins of some tens: 1 − p down to 10⁻³⁰ or so, where 1 less p has no digit.
        let sure = TRAKProblem(count: 200, scale: 12)
        let smallest = sure.marginWeights(0).min() ?? 1
        #expect(smallest < 1e-18 && smallest > 0x1p-100)
        #expect(try sure.kernel().unresolvedCount == 0)
        for (test, found) in zip(tests, try sure.scores(tests)) {
            #expect(Closeness.relativeDistance(found, sure.reference(test)) < 1e-5)
        }
        // Margins of some hundreds, at which rows are zeros.
        for models in [1, 2] {
            let surer = TRAKProblem(count: 200, models: models, scale: 60)
            let lost = (0..<models).map { model in surer.marginWeights(model).map { $0 < 0x1p-100 } }
            for model in 0..<models {
                let kernel = try surer.kernel(model)
                #expect(kernel.unresolvedCount == lost[model].count { $0 } && kernel.unresolvedCount > 20)
                #expect(lost[model].indices.allSatisfy { (kernel.reciprocals.start[$0] == 0) == lost[model][$0] })
            }
            #expect(try surer.scores(tests).allSatisfy { $0.allSatisfy(\.isFinite) })
        }
        let some = TRAKProblem(count: 200, scale: 60)
        let marginWeights = some.marginWeights(0)
        let known = (0..<200).filter { marginWeights[$0] >= 0x1p-100 }
        let (all, picked) = (try some.scores(tests), try some.picking(known).scores(tests))
        for test in tests.indices { #expect(known.map { Float(all[test][$0]) } == picked[test].map { Float($0) }) }
    }

    @Test("rows of half precision that have run out of digits are left out, and counted")
    func halves() throws {
        let problem = TRAKProblem(count: 200, scale: 12, encoding: .float16)
        let single = TRAKProblem(count: 200, scale: 12)
        let kernel = try problem.kernel()
        #expect(kernel.unresolvedCount > 10 && kernel.unresolvedCount < 190)
        #expect(try single.kernel().unresolvedCount == 0)
        for (test, found) in zip(tests, try problem.scores(tests)) {
            #expect(Closeness.pearson(found, single.reference(test)) >= 0.9)
        }
        let eighths = TRAKProblem(count: 200, encoding: .int8)
        for (test, found) in zip(tests, try eighths.scores(tests)) {
            #expect(Closeness.relativeDistance(found, eighths.reference(test)) < 0.03)
        }
    }

    @Test("scaled gradients score each example times its factor, in any selection")
    func scaled() throws {
        let problem = TRAKProblem()
        let base = RowGradients(rows: try problem.rows(0))
        let factors = AlignedMemory<Float>(copying: (0..<50).map { Float($0) / 8 })
        let scaled = ScaledGradients(base, by: factors)
        let (parallel, directions) = (Parallel(threads: 2), [1, 2, 3, 4, 5, 6, 0, 1, 0, 1, 0, -1] as [Float])
        let plain = try base.scores(along: directions, parallel: parallel)
        let all = try scaled.scores(along: directions, parallel: parallel)
        let picked = try scaled.scores(of: .indices([30, 2, 2]), along: directions, parallel: parallel)
        for direction in 0..<2 {
            #expect(all[direction] == plain[direction].enumerated().map { $1 * Float($0) / 8 })
            #expect(picked[direction] == [30, 2, 2].map { all[direction][$0] })
        }
        #expect(scaled.count == 50 && scaled.dimension == 6)
    }
}
