import Attribution
import LinearAlgebra
import TestSupport
import Testing

@Suite("scores")
struct ScoresTests {
    private let parallel = Parallel(threads: 2)

    @Test("are dot products with the gradients written out, for several directions at once", arguments: ScoringProblem.all)
    func dotProducts(problem: ScoringProblem) throws {
        var numbers = SeededNumbers(2)
        let p = problem.model.parameterCount
        let directions = numbers.floats(3 * p)
        let scores = try problem.gradients.scores(along: directions, parallel: parallel)
        #expect((scores.rowCount, scores.directionCount) == (problem.features.count, 3))
        for d in 0..<3 {
            let expected = problem.reference(directions[d * p..<(d + 1) * p], 0..<problem.features.count)
            #expect(Closeness.largestError(scores.copied(d), expected) < 1e-5)
        }
    }

    @Test("of chosen rows are those of the full scan, in the order chosen", arguments: ScoringProblem.all)
    func selections(problem: ScoringProblem) throws {
        var numbers = SeededNumbers(3)
        let n = problem.features.count
        let directions = numbers.floats(2 * problem.model.parameterCount)
        let all = try problem.gradients.scores(along: directions, parallel: parallel)
        for size in [0, 1, 5, 32, 33, 70] {
            let chosen = numbers.integers(size, below: n)
            let scores = try problem.gradients.scores(
                of: .indices(chosen.map { UInt32($0) }), along: directions, parallel: parallel)
            #expect(scores.rowCount == size)
            for d in 0..<2 {
                let full = all.copied(d)
                let largest = full.reduce(0) { max($0, abs($1)) }
                for (score, example) in zip(scores.copied(d), chosen) { #expect(abs(score - full[example]) <= 1e-5 * largest) }
            }
        }
    }

    @Test("have the same bits in whatever selection the row stands, where its tile is as full", arguments: [7, 64, 784])
    func bits(width: Int) throws {
        let problem = ScoringProblem(count: 96, width: width, classes: 10, bias: true, bytes: true)
        var numbers = SeededNumbers(4)
        let direction = numbers.floats(problem.model.parameterCount)
        let full = try problem.gradients.scores(along: direction, parallel: parallel).copied(0)
        for _ in 0..<3 {
            let chosen = Array(0..<96).shuffled(using: &numbers)
            let scores = try problem.gradients.scores(of: .indices(chosen.map { UInt32($0) }), along: direction, parallel: parallel)
            #expect(scores.copied(0) == chosen.map { full[$0] })
        }
    }

    @Test("have the same bits on any number of threads")
    func threads() throws {
        let problem = ScoringProblem(count: 3000, width: 20, classes: 10, bias: true, bytes: true)
        var numbers = SeededNumbers(5)
        let directions = numbers.floats(2 * problem.model.parameterCount)
        let results = try [1, 2, 5].map { threads in
            let scores = try problem.gradients.scores(along: directions, parallel: Parallel(threads: threads))
            return scores.copied(0) + scores.copied(1)
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("stop when interrupted")
    func interrupted() {
        let problem = ScoringProblem(count: 10, width: 3, classes: 2, bias: true, bytes: false)
        #expect(throws: Interrupted()) {
            try problem.gradients.scores(
                along: [Float](repeating: 1, count: 8), parallel: parallel, interruption: Interruption { true })
        }
    }

    @Test("directions of another length, and residuals of another count, are a programmer's error")
    func shapes() async {
        await #expect(processExitsWith: .failure) {
            let problem = ScoringProblem(count: 10, width: 3, classes: 2, bias: true, bytes: false)
            _ = try problem.gradients.scores(along: [1, 2, 3], parallel: Parallel(threads: 1))
        }
        await #expect(processExitsWith: .failure) {
            let problem = ScoringProblem(count: 10, width: 3, classes: 2, bias: true, bytes: false)
            _ = FactoredGradients(model: problem.model, features: problem.features, residuals: [1])
        }
    }
}
