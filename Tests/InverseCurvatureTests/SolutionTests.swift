import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("solutions")
struct SolutionTests {
    private let parallel = Parallel(threads: 1)
    private let curvature = RankOneCurvature(count: 40, scales: [1, 0.5, 0.2], seed: 1)

    private func lissa(_ sides: [Float], repeats: Int) throws -> Solution {
        let spectrum = try SpectrumEstimate(of: curvature, parallel: parallel)
        return try LiSSA(
            .init(recursionDepth: 20, numRepeat: repeats, batchSize: 4), spectrum: spectrum, exampleCount: 40, shift: 0.1
        )
        .solve(sides, count: sides.count / 3, in: DampedCurvature(curvature, shift: 0.1), parallel: parallel)
    }

    @Test("taken apart and stacked again, also in pieces of several, are the same", arguments: [1, 2, 5])
    func stacking(repeats: Int) throws {
        var numbers = SeededNumbers(2)
        let solution = try lissa(numbers.floats(12), repeats: repeats)
        #expect(solution.count == 4)
        let parts = (0..<4).map { solution[$0] }
        for (i, part) in parts.enumerated() {
            #expect(part.count == 1)
            #expect(part.vectors == Array(solution.vectors[3 * i..<3 * i + 3]))
            #expect(part.repeats == solution.repeats.map { Array($0[3 * i..<3 * i + 3]) })
            #expect(part.residuals == [solution.residuals[i]])
            #expect(part.converged == [solution.converged[i]])
            #expect(part.accuracies == [solution.accuracies[i]])
        }
        #expect(Solution(stacking: parts) == solution)
        #expect(Solution(stacking: [parts[0], Solution(stacking: [parts[1], parts[2]]), parts[3]]) == solution)
        #expect(Solution(stacking: [parts[3], parts[0]]).vectors == parts[3].vectors + parts[0].vectors)
        #expect(Solution(stacking: [parts[3], parts[0]])[1] == parts[0])
    }

    @Test("of deterministic solvers have no repeats, apart or stacked")
    func deterministic() throws {
        let system = DampedCurvature(curvature, shift: 0.1)
        let solution = try ExactSolver(factoring: system, memoryLimit: 1000, parallel: parallel)
            .solve([1, 2, 3, 4, 5, 6], count: 2, in: system, parallel: parallel)
        #expect(Solution(stacking: [solution[0], solution[1]]) == solution)
        #expect(solution[1].repeats.isEmpty && solution[1].accuracies.isEmpty)
    }

    @Test("of solvers with steps of their own say how many each took, apart or stacked")
    func iterations() throws {
        let system = DampedCurvature(curvature, shift: 0.1)
        let solution = try ConjugateGradient(.init(tol: 1e-3))
            .solve([1, 2, 3, 0, 0, 0, 4, 5, 6], count: 3, in: system, parallel: parallel)
        let iterations = solution.iterations
        #expect(iterations.count == 3 && iterations[0] > 0 && iterations[1] == 0)
        #expect((0..<3).map { solution[$0].iterations } == iterations.map { [$0] })
        #expect(
            Solution(stacking: [solution[2], Solution(stacking: [solution[0], solution[1]])]).iterations
                == [iterations[2], iterations[0], iterations[1]])
        // Nine floats, and for each side a residual, a flag, and a number.
        #expect(solution.byteCount == 9 * 4 + 3 * (8 + 1 + 8))
    }

    @Test("count their bytes: those of the parts add up")
    func bytes() throws {
        let solution = try lissa([1, 2, 3, 4, 5, 6], repeats: 5)
        // Two vectors of three floats, six times, two residuals, two flags, and what is said of the errors.
        #expect(solution.byteCount == 2 * 3 * 6 * 4 + 2 * 8 + 2 + 2 * MemoryLayout<SolutionAccuracy>.stride)
        #expect(solution[0].byteCount + solution[1].byteCount == solution.byteCount)
    }

    @Test("nothing, solutions of different solvers, and places that are not there are a programmer's error")
    func shapes() async {
        await #expect(processExitsWith: .failure) { _ = Solution(stacking: []) }
        await #expect(processExitsWith: .failure) {
            let tests = SolutionTests()
            _ = Solution(stacking: [try tests.lissa([1, 2, 3], repeats: 2), try tests.lissa([1, 2, 3], repeats: 3)])
        }
        await #expect(processExitsWith: .failure) { _ = try SolutionTests().lissa([1, 2, 3], repeats: 2)[1] }
    }
}
