import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

@Suite("L-BFGS")
struct LBFGSTests {
    private func settings(_ norm: Double, epochs: Int = 1000, history: Int = 20) -> TrainingSettings {
        TrainingSettings(optimizer: .lbfgs(LBFGS(history: history)), epochs: epochs, gradientNorm: norm)
    }

    @Test("finds the minimum of quadratics whose curvatures span four decades", arguments: [1, 5, 20])
    func quadratics(history: Int) throws {
        let eigenvalues = (0..<30).map { 1e-2 * exponential(Double($0) / 29 * naturalLogarithm(1e4)) }
        let minimum = (0..<30).map { Double($0 % 7) - 3 }
        let objective = FormulaObjective.quadratic(eigenvalues: eigenvalues, minimum: minimum)
        let last = try Training.run(settings(1e-6, history: history), on: objective).last
        #expect(last.stop == .gradientNorm)
        #expect(try #require(last.gradientNorm) <= 1e-6)
        #expect(zip(last.parameters, minimum).allSatisfy { abs(Double($0) - $1) < 1e-4 })
    }

    @Test("a quadratic of p distinct curvatures takes little more than p iterations")
    func termination() throws {
        let objective = FormulaObjective.quadratic(eigenvalues: [1, 2, 4, 8], minimum: [1, -1, 2, 0.5])
        let last = try Training.run(settings(1e-6), on: objective).last
        #expect(last.stop == .gradientNorm)
        #expect(last.epoch <= 12)
    }

    @Test("finds the end of Rosenbrock's valley", arguments: [1, 10])
    func rosenbrock(pairs: Int) throws {
        let start: [Float] = (0..<2 * pairs).map { $0 % 2 == 0 ? -1.2 : 1 }
        let objective = RecordedObjective(FormulaObjective.rosenbrock(pairs: pairs))
        let last = try Training.run(settings(1e-4), on: objective, from: start).last
        #expect(last.stop == .gradientNorm)
        #expect(last.parameters.allSatisfy { abs($0 - 1) < 1e-3 })
        #expect(last.epoch < 60)
        #expect(objective.evaluations < 90)
    }

    @Test("finds the minimum of a logistic regression as Newton's method in double precision does")
    func logistic() throws {
        let objective = LinearObjective.logistic(count: 120, width: 8, weightDecay: 0.01)
        let last = try Training.run(settings(1e-6), on: objective).last
        #expect(last.stop == .gradientNorm)
        #expect(Closeness.relativeDistance(last.parameters, objective.minimum()) < 1e-4)
    }

    @Test(
        "finds the minimum of softmax regressions, where ∇F vanishes in double precision too",
        arguments: SoftmaxProblem.all(count: 60, width: 3))
    func softmax(problem: SoftmaxProblem) throws {
        let objective = problem.objective(weightDecay: 0.05)
        let last = try Training.run(settings(1e-6), on: objective).last
        #expect(last.stop == .gradientNorm)
        let theta = last.parameters.map { Double($0) }
        var gradient = theta.map { 0.05 * $0 }
        for example in 0..<60 {
            for (i, g) in problem.reference.gradient(theta, example).enumerated() { gradient[i] += g / 60 }
        }
        #expect(gradient.reduce(0) { $0 + $1 * $1 }.squareRoot() < 1.2e-6)
    }

    @Test("its direction is the product with the BFGS matrix of its pairs, written out")
    func direction() throws {
        var numbers = SeededNumbers(3)
        let spectrum = (0..<6).map { Double($0 + 1) }
        let hessian = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        var memory = LBFGSMemory(LBFGS(history: 5), dimension: 6)
        for _ in 0..<4 {
            let step = numbers.floats(6)
            memory.pairs.append(try #require(LBFGSMemory.Pair(step: step, change: hessian.times(step).map { Float($0) })))
        }
        let gradient = numbers.floats(6)
        let landscape = Landscape(
            objective: FormulaObjective.rosenbrock(pairs: 3), parallel: Parallel(threads: 1), interruption: .never)
        // H ← (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ (Nocedal & Wright, equation 7.16).
        let last = try #require(memory.pairs.last)
        var h = DenseMatrix(diagonal: [Double](repeating: last.inner / Vectors.dot(last.change, last.change), count: 6))
        for pair in memory.pairs {
            var left = DenseMatrix(diagonal: [Double](repeating: 1, count: 6))
            for i in 0..<6 { for j in 0..<6 { left[i, j] -= Double(pair.step[i]) * Double(pair.change[j]) / pair.inner } }
            h = left * h * left.transposed
            for i in 0..<6 { for j in 0..<6 { h[i, j] += Double(pair.step[i]) * Double(pair.step[j]) / pair.inner } }
        }
        let expected = h.times(gradient).map { -$0 }
        let direction = try memory.direction(for: gradient, landscape)
        #expect(Closeness.largestError(direction, expected) < 1e-5)
    }

    @Test("pairs without positive curvature are not remembered")
    func pairs() {
        #expect(LBFGSMemory.Pair(step: [1, 0], change: [1, 5]) != nil)
        #expect(LBFGSMemory.Pair(step: [1, 0], change: [-1, 5]) == nil)
        #expect(LBFGSMemory.Pair(step: [1, 0], change: [0, 5]) == nil)
        #expect(LBFGSMemory.Pair(step: [0, 0], change: [0, 0]) == nil)
        #expect(LBFGSMemory.Pair(step: [1, 0], change: [.infinity, 0]) == nil)
        #expect(LBFGSMemory.Pair(step: [1, 1], change: [1e-9, 1]) != nil)
        #expect(LBFGSMemory.Pair(step: [1, 0], change: [1e-9, 1]) == nil)
    }

    @Test("finds a minimum from where F is not convex, and is not thrown by regions where F is not finite")
    func difficult() throws {
        let wells = FormulaObjective(
            dimension: 1, value: { ($0[0] * $0[0] - 1) * ($0[0] * $0[0] - 1) }, gradient: { [4 * $0[0] * ($0[0] * $0[0] - 1)] })
        let well = try Training.run(settings(1e-5), on: wells, from: [0.01]).last
        #expect(abs(abs(well.parameters[0]) - 1) < 1e-4)
        let barrier = FormulaObjective(
            dimension: 1, value: { $0[0] > 0 ? $0[0] - 0.01 * naturalLogarithm($0[0]) : .nan },
            gradient: { [1 - 0.01 / $0[0]] })
        let inside = try Training.run(settings(1e-4), on: barrier, from: [5]).last
        #expect(abs(inside.parameters[0] - 0.01) < 1e-5)
    }
}
