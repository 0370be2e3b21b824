import LinearAlgebra
import TestSupport
import Testing

@testable import Attribution

@Suite("slices of training data and tests")
struct SliceMatrixTests {
    /// Tests with their slices and scores, a third of them zero, and overlapping slices of 50 training examples.
    private struct Problem {
        let count = 50
        let slices: [[UInt32]] = [[3, 1, 4, 15, 9, 26], Array(0..<50), [], [49, 9, 3, 3, 9], Array(20..<40)]
        let tests: [(slice: Int, scores: [Float])]

        init() {
            var numbers = SeededNumbers(8)
            // Slice 2 has no tests.
            tests = (0..<12).map { test in
                ([0, 1, 3, 0][test % 4], numbers.floats(50).enumerated().map { ($0 + test) % 3 == 0 ? 0 : $1 })
            }
        }

        func matrix(_ order: [Int]? = nil, correlating: Bool = true) throws -> SliceMatrix {
            var matrix = try SliceMatrix(
                exampleCount: count, trainingSlices: slices, testSliceCount: 4, correlating: correlating, memoryLimit: 1 << 20)
            for test in order ?? Array(tests.indices) {
                try tests[test].scores.withUnsafeBufferPointer { try matrix.add($0, to: tests[test].slice) }
            }
            return matrix
        }
    }

    @Test("each cell counts and sums the scores of all its pairs")
    func cells() throws {
        let problem = Problem()
        let matrix = try problem.matrix()
        #expect(matrix.testCounts == [6, 3, 0, 3] && matrix.cells.count == 5)
        for (training, members) in problem.slices.enumerated() {
            for slice in 0..<4 {
                let scores = problem.tests.filter { $0.slice == slice }.flatMap { test in
                    Set(members).sorted().map { Double(test.scores[Int($0)]) }
                }
                let cell = matrix.cells[training][slice]
                let (helpful, harmful) = (scores.filter { $0 > 0 }, scores.filter { $0 < 0 })
                #expect(cell.pairs == scores.count && cell.zero == scores.count { $0 == 0 })
                #expect(cell.helpful == helpful.count && cell.harmful == harmful.count)
                #expect(abs(cell.sum - scores.reduce(0, +)) < 1e-13)
                #expect(abs(cell.absoluteSum - scores.reduce(0) { $0 + abs($1) }) < 1e-13)
                func check(_ mean: Double?, _ scores: [Double]) {
                    #expect((mean == nil) == scores.isEmpty)
                    #expect(abs((mean ?? 0) * Double(scores.count) - scores.reduce(0, +)) < 1e-13)
                }
                check(cell.mean, scores)
                check(cell.meanAbsolute, scores.map { abs($0) })
                check(cell.meanHelpful, helpful)
                check(cell.meanHarmful, harmful.map { -$0 })
            }
        }
    }

    @Test("slices of tests correlate as their mean scores do, on any number of threads", arguments: [1, 3])
    func correlations(threads: Int) throws {
        let problem = Problem()
        let correlations = try problem.matrix().correlations(parallel: Parallel(threads: threads))
        let means = (0..<4).map { slice in
            let tests = problem.tests.filter { $0.slice == slice }
            return (0..<problem.count).map { example in
                tests.reduce(0) { $0 + Double($1.scores[example]) } / Double(tests.count)
            }
        }
        for a in 0..<4 {
            for b in 0..<4 {
                #expect(correlations[a][b] == correlations[b][a])
                guard a != 2, b != 2 else {
                    #expect(correlations[a][b] == SliceCorrelation(spearman: nil, kendall: nil))
                    continue
                }
                let spearman = try #require(PlainCorrelation.spearman(means[a], means[b]))
                #expect(try abs(#require(correlations[a][b].spearman) - spearman) < 1e-14)
                #expect(correlations[a][b].kendall == PlainCorrelation.kendall(means[a], means[b]))
            }
            if a != 2 { #expect(correlations[a][a] == SliceCorrelation(spearman: 1, kendall: 1)) }
        }
    }

    @Test("the order of the tests changes no count, and sums by rounding only; the same order gives the same bits")
    func order() throws {
        let problem = Problem()
        let (matrix, again) = (try problem.matrix(), try problem.matrix(correlating: false))
        let backwards = try problem.matrix(Array(problem.tests.indices.reversed()))
        #expect(matrix.cells == again.cells && matrix.testCounts == backwards.testCounts)
        for (cell, other) in zip(matrix.cells.joined(), backwards.cells.joined()) {
            #expect(
                [cell.pairs, cell.helpful, cell.harmful, cell.zero] == [other.pairs, other.helpful, other.harmful, other.zero])
            #expect(abs(cell.sum - other.sum) < 1e-13 && abs(cell.absoluteSum - other.absoluteSum) < 1e-13)
        }
    }

    @Test("a group's sum for one test is the effect of the group")
    func group() throws {
        var matrix = try SliceMatrix(
            exampleCount: 4, trainingSlices: [[0, 2], [3]], testSliceCount: 1, correlating: false, memoryLimit: 1 << 20)
        try [1, 20, -0.25, -0].withUnsafeBufferPointer { try matrix.add($0, to: 0) }
        #expect(matrix.cells[0][0].sum == 0.75 && matrix.cells[0][0].absoluteSum == 1.25)
        #expect(matrix.cells[1][0].zero == 1 && matrix.cells[1][0].mean == 0 && matrix.cells[1][0].meanHelpful == nil)
    }

    @Test(
        "scores that are no numbers or infinite leave means out, not counts; and their slices' correlations where they have no rank"
    )
    func notFinite() throws {
        func matrix(_ scores: [Float]) throws -> SliceMatrix {
            var matrix = try SliceMatrix(
                exampleCount: 3, trainingSlices: [[0, 1, 2], [0]], testSliceCount: 1, correlating: true, memoryLimit: 1 << 20)
            try scores.withUnsafeBufferPointer { try matrix.add($0, to: 0) }
            return matrix
        }
        let nan = try matrix([1, .nan, -1])
        let cell = nan.cells[0][0]
        #expect(cell.pairs == 3 && cell.helpful == 1 && cell.harmful == 1 && cell.zero == 0)
        #expect(cell.mean == nil && cell.meanAbsolute == nil && cell.sum.isNaN && nan.cells[1][0].mean == 1)
        #expect(
            try nan.correlations(parallel: Parallel(threads: 1)) == [[SliceCorrelation(spearman: nil, kendall: nil)]])
        let infinite = try matrix([1, .infinity, -.infinity]).cells[0][0]
        #expect(infinite.mean == nil && infinite.meanAbsolute == nil && infinite.meanHarmful == nil && infinite.helpful == 2)
    }

    @Test("slices that name examples there are not, or take more memory than there is, are refused")
    func refusals() throws {
        func error(_ slices: [[UInt32]], count: Int = 3, tests: Int = 2, limit: Int) -> String? {
            do {
                _ = try SliceMatrix(
                    exampleCount: count, trainingSlices: slices, testSliceCount: tests, correlating: true, memoryLimit: limit)
                return nil
            } catch { return "\(error)" }
        }
        #expect(error([[0], [2, 3]], limit: 1 << 20) == "training slice 1 names the example 3, and there are 3, from 0")
        #expect(error([[0], [2, .max]], limit: 1 << 20) != nil)
        #expect(
            error([[0]], count: 1000, tests: 10, limit: 100_000)?.hasSuffix(
                "there is room for 100000: ask for fewer slices, or leave out their correlations") == true)
        #expect(error([[0]], count: .max / 2, tests: .max / 3, limit: .max - 1) != nil)
        #expect(error([], count: 0, tests: 0, limit: 0) == nil)
    }

    @Test("every part can be interrupted")
    func interruption() throws {
        let raised = Interruption { true }
        #expect(throws: Interrupted.self) {
            try SliceMatrix(
                exampleCount: 3, trainingSlices: [[0]], testSliceCount: 1, correlating: true, memoryLimit: 1 << 20,
                interruption: raised)
        }
        var matrix = try Problem().matrix()
        let scores = [Float](repeating: 1, count: 50)
        #expect(throws: Interrupted.self) {
            try scores.withUnsafeBufferPointer { try matrix.add($0, to: 0, interruption: raised) }
        }
        let whole = try Problem().matrix()
        #expect(throws: Interrupted.self) { try whole.correlations(parallel: Parallel(threads: 2), interruption: raised) }
    }
}
