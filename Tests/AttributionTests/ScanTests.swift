import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Scores and curvature products from one reading of the examples.
@Suite("scans")
struct ScanTests {
    private func curvature(of problem: ScoringProblem) -> SoftmaxCurvature {
        SoftmaxCurvature(.hessian, model: problem.model, features: problem.features, outputFactors: problem.probabilities)
    }

    private func images(_ curvature: some CurvatureOperator, _ vectors: [Float], _ parallel: Parallel) throws -> [Float] {
        var images = [Float](repeating: .nan, count: vectors.count)
        try curvature.product(
            of: vectors, to: &images, vectorCount: vectors.count / curvature.dimension, parallel: parallel)
        return images
    }

    @Test(
        "one reading gives the scores and the products that two give, to the last bit, on any number of threads",
        arguments: ScoringProblem.all, [1, 2, 5])
    func together(problem: ScoringProblem, directions: Int) throws {
        var numbers = SeededNumbers(3)
        let vectors = numbers.floats(directions * problem.model.parameterCount)
        let curvature = curvature(of: problem)
        let one = Parallel(threads: 1)
        let scores = try problem.gradients.scores(along: vectors, parallel: one)
        let images = try images(curvature, vectors, one)
        for threads in 1...3 {
            let scan = try problem.gradients.scan(
                along: vectors, ends: [], imaging: curvature, parallel: Parallel(threads: threads), interruption: .never)
            #expect(scan.scores.values.copy == scores.values.copy)
            #expect(scan.images == images)
            #expect(scan.ends == nil)
        }
    }

    @Test("curvatures of other examples, and gradients that are written out, are read for themselves")
    func apart() throws {
        let problem = ScoringProblem(count: 40, width: 6, classes: 3, bias: true, bytes: false)
        let other = ScoringProblem(count: 50, width: 6, classes: 3, bias: true, bytes: false, seed: 2)
        var numbers = SeededNumbers(3)
        let vectors = numbers.floats(2 * problem.model.parameterCount)
        let parallel = Parallel(threads: 2)
        let scores = try problem.gradients.scores(along: vectors, parallel: parallel)
        let scan = try problem.gradients.scan(
            along: vectors, ends: [], imaging: curvature(of: other), parallel: parallel, interruption: .never)
        #expect(scan.scores.values.copy == scores.values.copy)
        #expect(try scan.images == images(curvature(of: other), vectors, parallel))
        let plain = try problem.gradients.scan(
            along: vectors, ends: [], imaging: nil, parallel: parallel, interruption: .never)
        #expect(plain.scores.values.copy == scores.values.copy)
        #expect(plain.images == nil)
    }

    @Test("a scan stops when told to")
    func interruption() throws {
        let problem = ScoringProblem(count: 3000, width: 200, classes: 10, bias: true, bytes: false)
        let vectors = [Float](repeating: 1, count: problem.model.parameterCount)
        #expect(throws: Interrupted.self) {
            try problem.gradients.scan(
                along: vectors, ends: [], imaging: curvature(of: problem), parallel: Parallel(threads: 2),
                interruption: Interruption { true })
        }
    }

    @Test("a solution measured by a scan's images is the one that measured itself", arguments: [1, 3])
    func residuals(tests: Int) throws {
        let problem = ScoringProblem(count: 120, width: 6, classes: 3, bias: true, bytes: false)
        let parallel = Parallel(threads: 2)
        let system = DampedCurvature(curvature(of: problem), shift: 0.2)
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        let lissa = LiSSA(LiSSA.Choice(), spectrum: spectrum, exampleCount: 120, shift: 0.2)
        var numbers = SeededNumbers(9)
        let sides = numbers.floats(tests * problem.model.parameterCount)
        var refinement = LiSSA.Refinement(of: sides, count: tests, in: system, by: lissa)
        let all = Array(0..<tests)
        for _ in 0..<2 {
            try refinement.advance(all, parallel: parallel)
            var unmeasured = refinement
            let solution = try unmeasured.unmeasuredSolution(parallel: parallel)
            #expect(!solution.isMeasured && solution.residuals.allSatisfy(\.isNaN) && !solution.converged.contains(true))
            let scan = try problem.gradients.scan(
                along: solution.vectors, ends: [], imaging: system.data, parallel: parallel, interruption: .never)
            let images = try #require(scan.images)
            let expected = try refinement.solution(parallel: parallel)
            #expect(solution.measured(by: images, of: sides, in: system) == expected)
            #expect(solution[0].isMeasured == false)
            // And the rounds go on from there as if they had read the examples themselves.
            unmeasured.take(images: images)
            #expect(try unmeasured.solution(parallel: parallel) == expected)
            refinement = unmeasured
        }
    }
}
