import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

@Suite("Newton's method with conjugate gradients")
struct NewtonCGTests {
    private func settings(_ norm: Double, epochs: Int = 100, maxProducts: Int = 250) -> TrainingSettings {
        TrainingSettings(optimizer: .newtonCG(NewtonCG(maxProducts: maxProducts)), epochs: epochs, gradientNorm: norm)
    }

    private func landscape(_ objective: some TrainingObjective) -> Landscape {
        Landscape(objective: objective, parallel: Parallel(threads: 2), interruption: .never)
    }

    /// A point where F and ∇F are known.
    private func point(_ parameters: [Float], on objective: some TrainingObjective) throws -> TrainingPoint {
        var point = TrainingPoint(parameters: parameters)
        try landscape(objective).evaluate(&point)
        return point
    }

    @Test("finds the minimum of quadratics, of logistic and of softmax regressions in few iterations")
    func convex() throws {
        let minimum = (0..<20).map { Double($0 % 5) - 2 }
        let quadratic = FormulaObjective.quadratic(eigenvalues: (0..<20).map { 0.01 * Double($0 + 1) }, minimum: minimum)
        let last = try Training.run(settings(1e-7), on: quadratic).last
        #expect(last.stop == .gradientNorm)
        #expect(last.epoch <= 12)
        #expect(zip(last.parameters, minimum).allSatisfy { abs(Double($0) - $1) < 1e-4 })

        let logistic = LinearObjective.logistic(count: 120, width: 8, weightDecay: 0.01)
        let fitted = try Training.run(settings(1e-6), on: logistic).last
        #expect(fitted.stop == .gradientNorm)
        #expect(fitted.epoch <= 12)
        #expect(Closeness.relativeDistance(fitted.parameters, logistic.minimum()) < 1e-4)
    }

    @Test("ends where L-BFGS does on softmax regressions", arguments: SoftmaxProblem.all(count: 60, width: 3))
    func softmax(problem: SoftmaxProblem) throws {
        let objective = problem.objective(weightDecay: 0.05)
        let newton = try Training.run(settings(2e-6), on: objective).last
        let lbfgs = try Training.run(
            TrainingSettings(optimizer: .lbfgs(), epochs: 500, gradientNorm: 2e-6), on: objective
        ).last
        #expect(newton.stop == .gradientNorm)
        #expect(Closeness.relativeDistance(newton.parameters, lbfgs.parameters) < 3e-4)
    }

    @Test("a direction is as exact as asked, and takes no more products than that")
    func direction() throws {
        let objective = RecordedObjective(
            FormulaObjective.quadratic(eigenvalues: [1, 2, 3, 4, 5, 6], minimum: [1, 1, -1, 2, 3, -2]))
        let point = try point([0, 0, 0, 0, 0, 0], on: objective)
        var products = 0
        for residual in [0.5, 0.1, 1e-3] {
            let direction = try NewtonCGMemory(NewtonCG()).direction(
                at: point, residual: residual * point.gradientNorm, landscape(objective))
            var left = point.gradient
            for i in left.indices { left[i] += Float(i + 1) * direction[i] }
            #expect(Vectors.norm(left) <= 1.001 * residual * point.gradientNorm)
            #expect(objective.products > products)
            products = objective.products
        }
        #expect(products < 18)
        _ = try NewtonCGMemory(NewtonCG(maxProducts: 2)).direction(at: point, residual: 0, landscape(objective))
        #expect(objective.products == products + 2)
    }

    @Test("a direction of negative curvature is not followed uphill: the step goes down, at once or with what was found before")
    func negativeCurvature() throws {
        for eigenvalues in [[-1.0, -2, -3], [4, 2, -0.5], [0, 0, 0], [1, 0, -1e-3]] {
            let objective = FormulaObjective.quadratic(eigenvalues: eigenvalues, minimum: [0, 0, 0], slope: 1)
            let point = try point([0.3, -0.2, 0.1], on: objective)
            let direction = try NewtonCGMemory(NewtonCG()).direction(at: point, residual: 0, landscape(objective))
            #expect(direction.allSatisfy { $0.isFinite })
            #expect(Vectors.dot(point.gradient, direction) < 0)
        }
    }

    @Test("comes to a minimum from where F is not convex")
    func nonConvex() throws {
        let wells = FormulaObjective(
            dimension: 2,
            value: { ($0[0] * $0[0] - 1) * ($0[0] * $0[0] - 1) + $0[1] * $0[1] },
            gradient: { [4 * $0[0] * ($0[0] * $0[0] - 1), 2 * $0[1]] },
            hessian: { [[12 * $0[0] * $0[0] - 4, 0], [0, 2]] })
        let well = try Training.run(settings(1e-5), on: wells, from: [0.01, 1]).last
        #expect(well.stop == .gradientNorm)
        #expect(abs(abs(well.parameters[0]) - 1) < 1e-4)
        let valley = try Training.run(settings(1e-3), on: FormulaObjective.rosenbrock(), from: [-1.2, 1]).last
        #expect(valley.stop == .gradientNorm)
        #expect(valley.parameters.allSatisfy { abs($0 - 1) < 1e-2 })
    }

    @Test("a network without products with its Hessian is refused")
    func unsupported() {
        let objective = FormulaObjective(dimension: 1, value: { $0[0] * $0[0] }, gradient: { [2 * $0[0]] })
        #expect(throws: TrainingError.noHessianProducts) { try TrainingRun(settings(1e-3), of: objective, from: [1]) }
    }
}
