import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("rankings and groups")
struct RankingTests {
    private let parallel = Parallel(threads: 2)
    private let problem = ScoringProblem(count: 120, width: 6, classes: 3, bias: true, bytes: false)

    /// The standard error of the mean, by its formula.
    private func standardError(_ values: [Double]) -> Double {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot() / n.squareRoot()
    }

    /// What each repeat says of these examples' scores for one test.
    private func repeatScores(_ solution: Solution, test: Int, _ examples: [Int]) -> [[Double]] {
        let p = problem.model.parameterCount
        return solution.repeats.map { problem.reference($0[test * p..<(test + 1) * p], examples) }
    }

    private func ranking(_ solution: Solution, test: Int, selection: RowSelection = .all, k: Int) throws -> Ranking {
        let scores = try problem.gradients.scores(of: selection, along: solution.vectors, parallel: parallel)
        return try problem.gradients.ranking(
            of: test, scores: scores[test], selection: selection, solution: solution, k: k, parallel: parallel)
    }

    @Test("a ranking lists both ends of the scores of its own test", arguments: 0..<3, [1, 5, 30, 500])
    func ends(test: Int, k: Int) throws {
        let solution = try problem.lissaSolution(tests: 3, repeats: 4)
        let ranking = try ranking(solution, test: test, k: k)
        let scores = try problem.gradients.scores(along: solution.vectors, parallel: parallel)[test]
        let order = (0..<120).sorted { (scores[$1], $0) < (scores[$0], $1) }
        let (positive, negative) = (order.filter { scores[$0] > 0 }, Array(order.reversed()).filter { scores[$0] < 0 })
        #expect(ranking.proponents.map(\.index) == Array(positive.prefix(k)))
        #expect(ranking.opponents.map(\.index) == Array(negative.prefix(k)))
        #expect((ranking.proponents + ranking.opponents).allSatisfy { $0.score == scores[$0.index] })
    }

    @Test("standard errors are those of the repeats' scores", arguments: [2, 3, 8])
    func errors(repeats: Int) throws {
        let solution = try problem.lissaSolution(tests: 2, repeats: repeats)
        let ranking = try ranking(solution, test: 1, k: 10)
        for ranked in ranking.proponents + ranking.opponents {
            let expected = standardError(repeatScores(solution, test: 1, [ranked.index]).map { $0[0] })
            #expect(
                abs(Double(try #require(ranked.standardError)) - expected) < 1e-4 * expected + 1e-6 * Double(abs(ranked.score)))
        }
    }

    @Test("is stable where at both ends the k-th and the next differ by more than two standard errors of their difference")
    func stability() throws {
        var seen: Set<Bool> = []
        for (batch, test) in [(4, 0), (4, 1), (100, 0), (100, 1), (100, 2)] {
            let solution = try problem.lissaSolution(tests: 3, repeats: 4, batch: batch)
            for k in 1...20 {
                let ranking = try ranking(solution, test: test, k: k)
                let longer = try self.ranking(solution, test: test, k: k + 1)
                let margins = [longer.proponents, longer.opponents].filter { $0.count > k }.map { end in
                    let (last, next) = (end[k - 1], end[k])
                    let differences = repeatScores(solution, test: test, [last.index, next.index]).map { $0[0] - $0[1] }
                    return Double(abs(last.score - next.score)) / (2 * standardError(differences))
                }
                // Too close to call in single precision.
                guard margins.allSatisfy({ abs($0 - 1) > 0.01 }) else { continue }
                let expected = margins.allSatisfy { $0 > 1 }
                #expect(ranking.isStable == expected, "batch \(batch), test \(test), k = \(k), margins \(margins)")
                seen.insert(expected)
            }
        }
        #expect(seen == [true, false], "both answers occur")
    }

    @Test("a single repeat leaves errors and stability unknown, unless there is nothing beyond the k-th")
    func single() throws {
        let solution = try problem.lissaSolution(tests: 1, repeats: 1)
        let ranking = try ranking(solution, test: 0, k: 5)
        #expect((ranking.proponents + ranking.opponents).allSatisfy { $0.standardError == nil })
        #expect(ranking.isStable == nil)
        #expect(try self.ranking(solution, test: 0, k: 120).isStable == true)
    }

    @Test("an exact solution has no errors, and is stable where no tie is cut")
    func exact() throws {
        // Twins at the cut: rows 0 and 1 are the same example.
        let features = FeatureRows([3, 3, 2, 1, -1, -2, -3, -4], width: 1)
        let model = SoftmaxRegression(inputWidth: 1, classCount: 2, hasBias: false)
        let residuals = [[Float]](repeating: [1, -1], count: 8).flatMap { $0 }
        let gradients = FactoredGradients(model: model, features: features, residuals: residuals)
        let solution = try exactSolution(of: [1, 0], for: model, features)
        let scores = try gradients.scores(along: solution.vectors, parallel: parallel)
        let rankings = try (1...5).map {
            try gradients.ranking(of: 0, scores: scores[0], selection: .all, solution: solution, k: $0, parallel: parallel)
        }
        #expect(rankings.map { $0.isStable } == [false, true, true, true, true])
        #expect(rankings[4].proponents.map(\.index) == [0, 1, 2, 3])
        #expect(rankings[4].opponents.map(\.index) == [7, 6, 5, 4])
        #expect(rankings[4].proponents.allSatisfy { $0.standardError == nil })
    }

    /// What the exact solver returns where its system is the identity.
    private func exactSolution(of side: [Float], for model: SoftmaxRegression, _ features: FeatureRows) throws -> Solution {
        let certain = [[Float]](repeating: [1, 0], count: features.count).flatMap { $0 }
        let flat = SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: certain)
        let system = DampedCurvature(flat, shift: 1)
        return try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel)
            .solve(side, count: 1, in: system, parallel: parallel)
    }

    @Test("of chosen rows names and ranks these alone", arguments: [1, 4, 40])
    func chosen(k: Int) throws {
        let solution = try problem.lissaSolution(tests: 2, repeats: 3)
        let rows: [UInt32] = [7, 100, 3, 55, 56, 2, 119, 0, 41, 42, 43, 44]
        let ranking = try ranking(solution, test: 1, selection: .indices(rows), k: k)
        let all = try self.ranking(solution, test: 1, k: 120)
        let members = Set(rows.map { Int($0) })
        #expect(ranking.proponents.map(\.index) == Array(all.proponents.map(\.index).filter { members.contains($0) }.prefix(k)))
        #expect(ranking.opponents.map(\.index) == Array(all.opponents.map(\.index).filter { members.contains($0) }.prefix(k)))
        for ranked in ranking.proponents + ranking.opponents {
            let expected = standardError(repeatScores(solution, test: 1, [ranked.index]).map { $0[0] })
            #expect(
                abs(Double(try #require(ranked.standardError)) - expected) < 1e-4 * expected + 1e-6 * Double(abs(ranked.score)))
        }
    }

    @Test("five at each end are the first five of fifty, with their errors")
    func prefix() throws {
        let solution = try problem.lissaSolution(tests: 1, repeats: 4)
        let (five, fifty) = (try ranking(solution, test: 0, k: 5), try ranking(solution, test: 0, k: 50))
        #expect(five.proponents.map(\.index) == fifty.proponents.prefix(5).map(\.index))
        #expect(five.opponents.map(\.index) == fifty.opponents.prefix(5).map(\.index))
        #expect(five.proponents.map(\.score) == fifty.proponents.prefix(5).map(\.score))
        for (short, long) in zip(five.proponents, fifty.proponents) {
            let (a, b) = (try #require(short.standardError), try #require(long.standardError))
            #expect(abs(a - b) <= 1e-4 * b)
        }
    }

    @Test(
        "a group's score is the sum of its members', and its error that of the repeats' sums",
        arguments: [[], [5], [1, 2, 3, 90], [4, 4, 4]])
    func groups(members: [Int]) throws {
        let solution = try problem.lissaSolution(tests: 2, repeats: 5)
        let p = problem.model.parameterCount
        for test in 0..<2 {
            let group = try problem.gradients.groupScore(
                of: members.map { UInt32($0) }, test: test, solution: solution, parallel: parallel)
            let sum = problem.reference(solution.vectors[test * p..<(test + 1) * p], members).reduce(0, +)
            #expect(abs(Double(group.score) - sum) < 1e-5 * max(abs(sum), 1))
            let sums = repeatScores(solution, test: test, members).map { $0.reduce(0, +) }
            #expect(abs(Double(try #require(group.standardError)) - standardError(sums)) < 1e-4 * standardError(sums) + 1e-6)
        }
    }

    @Test("rankings and groups stop when interrupted, however long their lists are")
    func interrupted() throws {
        let solution = try problem.lissaSolution(tests: 1, repeats: 3)
        let scores = try problem.gradients.scores(along: solution.vectors, parallel: parallel)[0]
        let raised = Interruption { true }
        #expect(throws: Interrupted()) {
            try problem.gradients.ranking(
                of: 0, scores: scores, selection: .all, solution: solution, k: 40, parallel: parallel, interruption: raised)
        }
        #expect(throws: Interrupted()) {
            try problem.gradients.groupScore(
                of: [1, 2], test: 0, solution: solution, parallel: parallel, interruption: raised)
        }
    }

    @Test("a group of a single repeat has no error")
    func groupOfOneRepeat() throws {
        let solution = try problem.lissaSolution(tests: 1, repeats: 1)
        let group = try problem.gradients.groupScore(of: [1, 2], test: 0, solution: solution, parallel: parallel)
        #expect(group.standardError == nil)
    }
}
