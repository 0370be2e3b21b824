import Attribution
import LinearAlgebra
import Networks
import Synchronization
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
            let direction = Array(directions[d * p..<(d + 1) * p])
            // Directions are rounded to 16 bits for rows of bytes.
            let tolerance = (problem.features.isBytes ? 1e-4 : 1e-6) * Vectors.norm(direction)
            for (example, expected) in problem.reference(direction, 0..<problem.features.count).enumerated() {
                let score = Double(scores[d][example])
                #expect(abs(score - expected) <= tolerance * Vectors.norm(problem.gradient(example)))
            }
        }
    }

    @Test("of chosen rows are those of the full scan bit for bit, in the order chosen", arguments: ScoringProblem.all)
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
                let full = all[d]
                #expect(scores[d] == chosen.map { full[$0] })
            }
        }
    }

    @Test("of copies of one example are the same, wherever the copies stand", arguments: [7, 64, 784])
    func copies(width: Int) throws {
        let single = ScoringProblem(count: 1, width: width, classes: 10, bias: true, bytes: false)
        let features = FeatureRows([[Float]](repeating: single.features.values(of: 0), count: 77).flatMap { $0 }, width: width)
        let residuals = [[Float]](repeating: single.gradients.residuals, count: 77).flatMap { $0 }
        let copies = FactoredGradients(model: single.model, features: features, residuals: residuals)
        var numbers = SeededNumbers(4)
        let direction = numbers.floats(single.model.parameterCount)
        let scores = try copies.scores(along: direction, parallel: parallel)[0]
        #expect(Set(scores).count == 1, "\(Set(scores))")
    }

    @Test("have the same bits on any number of threads")
    func threads() throws {
        let problem = ScoringProblem(count: 3000, width: 20, classes: 10, bias: true, bytes: true)
        var numbers = SeededNumbers(5)
        let directions = numbers.floats(2 * problem.model.parameterCount)
        let results = try [1, 2, 5].map { threads in
            let scores = try problem.gradients.scores(along: directions, parallel: Parallel(threads: threads))
            return scores[0] + scores[1]
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("stop when interrupted")
    func interrupted() {
        let problem = ScoringProblem(count: 10, width: 3, classes: 2, bias: true, bytes: false)
        #expect(throws: Interrupted()) {
            try problem.gradients.scores(
                of: .all, along: [Float](repeating: 1, count: 8), parallel: parallel, interruption: Interruption { true })
        }
    }

    @Test("ask again and again whether to stop, also within one stretch of rows along many directions")
    func asks() throws {
        let problem = ScoringProblem(count: 64, width: 100, classes: 10, bias: true, bytes: true)
        let directions = [Float](repeating: 1, count: 200 * problem.model.parameterCount)
        let asked = Atomic(0)
        func scan(stoppingAt limit: Int) throws {
            asked.store(0, ordering: .relaxed)
            _ = try problem.gradients.scores(
                of: .indices([UInt32](repeating: 3, count: 3200)), along: directions, parallel: Parallel(threads: 1),
                interruption: Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit })
        }
        try scan(stoppingAt: .max)
        let questions = asked.load(ordering: .relaxed)
        // Once for each direction and each of the 64 pieces, and by the work within them.
        #expect(questions >= 200 + 64 + 64 * (2 * 50 * 1010 * 200 / PacedInterruption.interval))
        #expect(throws: Interrupted()) { try scan(stoppingAt: questions) }
        #expect(throws: Interrupted()) { try scan(stoppingAt: 300) }
        #expect(asked.load(ordering: .relaxed) == 300)
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
