import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("what has no RelatIF denominators")
struct InverseNormsRefusalTests {
    private let parallel = Parallel(threads: 2)

    private func norms(
        _ solver: any SystemSolver, _ rows: any FisherRows, _ system: DampedCurvature, interruption: Interruption = .never
    ) throws -> InverseNorms {
        try solver.inverseNorms(
            of: rows, .both, in: system, memoryLimit: 1 << 24, parallel: parallel, interruption: interruption)
    }

    @Test("a curvature that falls along an example's step is refused with its Rayleigh quotient there")
    func indefinite() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, -0.5, 2]), shift: 0.25)
        let inverse = FunctionSolver { [$0[0] / 1.25, $0[1] / -0.25, $0[2] / 2.25] }
        #expect(try norms(inverse, DenseRows([1, 0, 1], width: 3), system).count == 1)
        do {
            _ = try norms(inverse, DenseRows([1, 0, 1, 0, 1, 0], width: 3), system)
            Issue.record("it was not refused")
        } catch SolverError.indefinite(let shift, let curvature) {
            #expect(shift == 0.25)
            #expect(abs(curvature + 0.25) < 1e-6)
        }
        #expect(throws: SolverError.self) { try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel) }
    }

    @Test("a solver that makes a positive curvature negative is refused by that, and named")
    func notPositive() throws {
        let system = DampedCurvature(RankOneCurvature(diagonal: [1, 1]), shift: 1)
        let wrong = FunctionSolver { $0.map { -$0 } }
        let rows = DenseRows([0, 0, 1, 2], width: 2)
        do {
            _ = try norms(wrong, rows, system)
            Issue.record("it was not refused")
        } catch let error as NegativeSelfInfluence {
            #expect(error.example == 1 && error.value == -5 && error.shift == 1)
            #expect(error.description.contains("use the exact solver, ekfac, or a fitted sketch"))
        }
    }

    @Test("an unbiased sketch of few columns is no positive inverse")
    func unbiasedSketch() throws {
        let rows = DenseRows(count: 60, scales: [Double](repeating: 1, count: 40), seed: 1)
        let system = DampedCurvature(rows.curvature, shift: 1)
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 24, parallel: parallel)
        func sketch(_ columns: Int) throws -> SketchSolver {
            try SketchSolver(
                of: system, settings: .init(projectionDim: columns, estimate: .unbiased), memoryLimit: 1 << 26, parallel: parallel
            ) { _ in exact }
        }
        #expect(throws: NegativeSelfInfluence.self) { try norms(sketch(1), rows, system) }
        // With many it is, and what it gives are the lengths of what it solves.
        let solver = try sketch(201)
        let solutions = try solver.solve(rows.numbers, count: 60, in: system, parallel: parallel).vectors
        let steps = (0..<60).map { i in solutions[i * 40..<(i + 1) * 40].reduce(0.0) { $0 + Double($1) * Double($1) } }
        #expect(try Closeness.relativeDistance(norms(solver, rows, system).squaredSteps ?? [], steps) < 1e-5)
    }

    @Test("gradients that are not finite, or whose norms are not, are refused", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) throws {
        let curved = DenseRows(count: 5, scales: [1, 1], seed: 2)
        let system = DampedCurvature(curved.curvature, shift: 0.1)
        let rows = DenseRows([1, 2, value, 0], width: 2)
        let solvers: [any SystemSolver] = [
            try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel), IdentitySolver(),
            try ArnoldiSolver(of: curved.curvature, rank: 1, memoryLimit: 1 << 20, parallel: parallel),
        ]
        for solver in solvers { #expect(throws: SolverError.notFinite) { try norms(solver, rows, system) } }
    }

    @Test("all of them stop when told to")
    func interruption() throws {
        let rows = DenseRows(count: 30, scales: [1, 1, 1], seed: 3)
        let system = DampedCurvature(rows.curvature, shift: 0.1)
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        let solvers: [any SystemSolver] = [
            try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel), IdentitySolver(), DataInf(rows: rows),
            try ArnoldiSolver(of: system.data, rank: 2, memoryLimit: 1 << 20, parallel: parallel),
            try SketchSolver(of: system, spectrum: spectrum, memoryLimit: 1 << 20, parallel: parallel),
            try WoodburySolver(factoring: rows, shift: 0.1, memoryLimit: 1 << 20, parallel: parallel),
            ConjugateGradient(.init()),
        ]
        for solver in solvers {
            #expect(throws: Interrupted.self) { try norms(solver, rows, system, interruption: Interruption { true }) }
        }
    }
}
