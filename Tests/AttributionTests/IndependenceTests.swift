import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// What several right-hand sides get together is what each gets alone, to the last bit: answers may be computed in company, kept, and
/// computed again alone.
@Suite("several together and each alone")
struct IndependenceTests {
    static let counts = [1, 2, 3, 7, 8, 9, 17, 33]

    /// Bytes and floats, of widths that no vector unit divides.
    static func problems() -> [ScoringProblem] {
        [
            ScoringProblem(count: 70, width: 37, classes: 3, bias: true, bytes: true),
            ScoringProblem(count: 70, width: 37, classes: 3, bias: true, bytes: false),
            ScoringProblem(count: 67, width: 18, classes: 7, bias: false, bytes: true),
        ]
    }

    /// Sizes far apart, and one of zeros: 33 right-hand sides.
    static func sides(_ length: Int) -> [Float] {
        var numbers = SeededNumbers(1)
        return (0..<33).flatMap { side in numbers.floats(length, scale: [1, 1e-6, 1e6, 1, 0, 30][side % 6]) }
    }

    static func expectIndependence(of problem: ScoringProblem, batchSizes: [Int?]) throws {
        let p = problem.model.parameterCount
        let sides = sides(p)
        let curvature = SoftmaxCurvature(
            .hessian, model: problem.model, features: problem.features, outputFactors: problem.probabilities)
        let system = DampedCurvature(curvature, shift: 0.3)
        let spectrum = try SpectrumEstimate(of: curvature, parallel: Parallel(threads: 1))
        for batch in batchSizes {
            let run = LiSSA(
                .init(recursionDepth: 18, numRepeat: 2, batchSize: batch), spectrum: spectrum,
                exampleCount: problem.features.count, shift: 0.3)
            try expectIndependence(sides, p) { try run.solve($0, count: $1, in: system, parallel: $2) }
        }
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: Parallel(threads: 1))
        try expectIndependence(sides, p) { try exact.solve($0, count: $1, in: system, parallel: $2) }
    }

    /// The whole solution: vectors, repeats, residuals, and whether each has converged.
    private static func expectIndependence(
        _ sides: [Float], _ p: Int, _ solve: (_ sides: [Float], _ count: Int, _ parallel: Parallel) throws -> Solution
    ) throws {
        let alone = try (0..<33).map { try solve(Array(sides[$0 * p..<($0 + 1) * p]), 1, Parallel(threads: 1)) }
        for count in counts {
            for first in Set([0, 33 - count]) {
                let together = try solve(
                    Array(sides[first * p..<(first + count) * p]), count, Parallel(threads: count % 2 + 1))
                #expect(together == Solution(stacking: Array(alone[first..<first + count])))
            }
        }
    }

    static func expectIndependentScores(of problem: ScoringProblem, along directions: [Float]) throws {
        let p = problem.model.parameterCount
        let count = directions.count / p
        let chosen = [5, 3, 60, 61, 62, 0, 3].map { UInt32($0) }
        for selection in [RowSelection.all, .indices(chosen)] {
            let alone = try (0..<count).map {
                try problem.gradients.scores(
                    of: selection, along: Array(directions[$0 * p..<($0 + 1) * p]), parallel: Parallel(threads: 1))[0]
            }
            for k in counts where k <= count {
                for first in Set([0, count - k]) {
                    let together = try problem.gradients.scores(
                        of: selection, along: Array(directions[first * p..<(first + k) * p]), parallel: Parallel(threads: 2))
                    for i in 0..<k { #expect(together[i] == alone[first + i]) }
                }
            }
        }
    }

    @Test("LiSSA with every size of batch, the exact solver, and their residuals", arguments: problems())
    func solvers(problem: ScoringProblem) throws {
        try Self.expectIndependence(of: problem, batchSizes: [1, 32, 64, problem.features.count, nil])
    }

    @Test("scores of all examples and of chosen ones", arguments: problems())
    func scores(problem: ScoringProblem) throws {
        try Self.expectIndependentScores(of: problem, along: Self.sides(problem.model.parameterCount))
    }

    @Test("scores along directions that 16 bits are enough for beside those that they are not: each decides for itself")
    func guards() throws {
        let problem = ScoringProblem(count: 65, width: 157, classes: 10, bias: true, bytes: true)
        let p = problem.model.parameterCount
        var numbers = SeededNumbers(4)
        var directions = numbers.floats(9 * p)
        for (direction, position) in [(1, 0), (4, 800), (8, 1569)] {
            directions[direction * p + position] = 100
        }
        for direction in 0..<9 {
            let weights = Array(directions[direction * p..<direction * p + 1570])
            #expect((QuantizedVectors(weights, count: 10, width: 157) == nil) == [1, 4, 8].contains(direction))
        }
        try Self.expectIndependentScores(of: problem, along: directions)
    }

    @Test("rankings with their standard errors, and groups", arguments: problems())
    func rankings(problem: ScoringProblem) throws {
        let solution = try problem.lissaSolution(tests: 9, repeats: 3)
        let selection = RowSelection.indices((0..<50).map { UInt32($0) })
        let scores = try problem.gradients.scores(of: selection, along: solution.vectors, parallel: Parallel(threads: 2))
        for test in 0..<9 {
            let alone = solution[test]
            func ranking(_ test: Int, _ scores: [Float], _ solution: Solution) throws -> Ranking {
                try problem.gradients.ranking(
                    of: test, scores: scores, selection: selection, solution: solution, k: 6, parallel: Parallel(threads: 2))
            }
            let row = try problem.gradients.scores(of: selection, along: alone.vectors, parallel: Parallel(threads: 1))[0]
            #expect(try ranking(0, row, alone) == ranking(test, scores[test], solution))
            func group(_ test: Int, _ solution: Solution) throws -> GroupScore {
                try problem.gradients.groupScore(
                    of: [1, 2, 40], test: test, solution: solution, parallel: Parallel(threads: 1))
            }
            #expect(try group(0, alone) == group(test, solution))
        }
    }

    @Test("on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                for problem in IndependenceTests.problems() {
                    try IndependenceTests.expectIndependence(of: problem, batchSizes: [32, 64])
                    try IndependenceTests.expectIndependentScores(
                        of: problem, along: IndependenceTests.sides(problem.model.parameterCount))
                }
            }
        }
    }
}
