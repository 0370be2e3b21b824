import Attribution
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("similarities of features as scores")
struct FeatureSimilaritiesTests {
    private let parallel = Parallel(threads: 2)

    @Test(
        "are the cosine, or 1 / (1 + distance), of every example and test; none where features are not finite",
        arguments: NeighborProblem.all.indices, NeighborMetric.allCases)
    func reference(index: Int, metric: NeighborMetric) throws {
        let problem = NeighborProblem.all[index]
        let scorer = FeatureSimilarities(problem.features, metric: metric)
        #expect(scorer.count == problem.features.count && scorer.dimension == problem.features.width)
        let scores = try scorer.scores(along: Array(problem.queries.joined()), parallel: parallel)
        #expect(scores.rowCount == scorer.count && scores.directionCount == problem.queries.count)
        for (test, query) in problem.queries.enumerated() {
            let (own, reference) = (scores[test], NeighborReference(query, problem.features, metric))
            for (index, measure) in zip(reference.indices, reference.measures) {
                let expected: Double =
                    switch metric {
                    case .l2: 1 / (1 + measure)
                    case .cosine: measure.isFinite ? measure : 0
                    }
                #expect(own[Int(index)] == Float(expected), "\(problem.name), \(index)")
            }
        }
    }

    @Test("the strongest proponents are the nearest neighbours, and those of positive score", arguments: NeighborMetric.allCases)
    func ranking(metric: NeighborMetric) throws {
        var numbers = SeededNumbers(3)
        let features = FeatureRows(numbers.floats(500 * 12), width: 12)
        let query = numbers.floats(12)
        let scorer = FeatureSimilarities(features, metric: metric)
        let scores = try scorer.scores(along: query, parallel: parallel)[0]
        let ends = scores.withUnsafeBufferPointer { TopK(of: $0, count: 30) }
        let nearest = try NearestNeighbors.nearest(to: [query], in: features, count: 30, metric: metric, parallel: parallel)[0]
        #expect(ends.proponents.map { UInt32($0.index) } == nearest.indices)
        #expect(ends.opponents.isEmpty == (metric == .l2))
        let listed = ends.proponents.map { UInt32($0.index) }
        #expect(try scorer.measures(of: listed, to: query, parallel: parallel) == nearest.measures)
    }

    @Test("a test is at 1 from itself", arguments: NeighborMetric.allCases)
    func itself(metric: NeighborMetric) throws {
        var numbers = SeededNumbers(4)
        let memory = AlignedMemory<UInt8>(uninitialized: 50 * 30)
        _ = memory.elements.initialize(from: numbers.bytes(50 * 30))
        let features = FeatureRows(.uint8(memory), count: 50, width: 30, multiplier: 1 / 255)
        let scorer = FeatureSimilarities(features, metric: metric)
        for row in 0..<50 {
            let score = try scorer.scores(of: .indices([UInt32(row)]), along: features.values(of: row), parallel: parallel)
            #expect(score[0] == [1])
        }
    }

    @Test(
        "have the same bits in any selection, beside any other tests, on any number of threads",
        arguments: NeighborMetric.allCases)
    func independence(metric: NeighborMetric) throws {
        var numbers = SeededNumbers(5)
        let scorer = FeatureSimilarities(try FeatureRows(halves: numbers.floats(700 * 19), width: 19), metric: metric)
        let tests = numbers.floats(9 * 19)
        let all = try scorer.scores(along: tests, parallel: Parallel(threads: 3))
        let some = numbers.integers(100, below: 700).map { UInt32($0) }
        for test in 0..<9 {
            let own = Array(tests[test * 19..<(test + 1) * 19])
            #expect(try scorer.scores(along: own, parallel: Parallel(threads: 1))[0] == all[test])
            let selected = try scorer.scores(of: .indices(some), along: own, parallel: parallel)[0]
            #expect(selected == some.map { all[test][Int($0)] })
        }
        #expect(try scorer.scores(along: [], parallel: parallel).directionCount == 0)
    }

    @Test(
        "of several tests as one they are the sums of theirs, to the last bit, in any selection",
        arguments: NeighborMetric.allCases)
    func together(metric: NeighborMetric) throws {
        var numbers = SeededNumbers(7)
        let features = FeatureRows(numbers.floats(300 * 11), width: 11)
        let tests = numbers.floats(6 * 11)
        let single = try FeatureSimilarities(features, metric: metric).scores(along: tests, parallel: parallel)
        let scorer = FeatureSimilarities(features, metric: metric, testsTogether: 3)
        #expect(scorer.dimension == 33 && scorer.count == 300)
        let sums = try scorer.scores(along: tests, parallel: parallel)
        #expect(sums.directionCount == 2 && sums.values.count == 600)
        let some: [UInt32] = [299, 0, 7, 7]
        let selected = try scorer.scores(of: .indices(some), along: tests, parallel: parallel, interruption: .never)
        for direction in 0..<2 {
            let own = (0..<3).map { single[3 * direction + $0] }
            let expected = (0..<300).map { own[0][$0] + own[1][$0] + own[2][$0] }
            #expect(sums[direction] == expected)
            #expect(selected[direction] == some.map { expected[Int($0)] })
        }
    }

    @Test("stop when interrupted")
    func interrupted() throws {
        var numbers = SeededNumbers(6)
        let scorer = FeatureSimilarities(FeatureRows(numbers.floats(20_000 * 100), width: 100), metric: .cosine)
        let tests = numbers.floats(300)
        let asked = Atomic(0)
        func score(_ interruption: Interruption) throws {
            _ = try scorer.scores(of: .all, along: tests, parallel: parallel, interruption: interruption)
        }
        try score(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue < 0 })
        let questions = asked.load(ordering: .relaxed)
        #expect(questions > 50)
        for limit in [1, 2, questions / 2, questions] {
            asked.store(0, ordering: .relaxed)
            #expect(throws: Interrupted()) {
                try score(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit })
            }
        }
    }
}
