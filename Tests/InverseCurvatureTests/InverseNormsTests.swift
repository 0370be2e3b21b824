import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("RelatIF's denominators of all examples")
struct InverseNormsTests {
    private let parallel = Parallel(threads: 2)
    private let shift = 0.05

    private func scales(_ count: Int) -> [Double] { (0..<count).map { 2 / Double($0 % 13 + 1) } }

    private func norms(
        _ solver: any SystemSolver, _ rows: any FisherRows, _ system: DampedCurvature, _ quantity: InverseNorms.Quantity = .both,
        memoryLimit: Int = 1 << 26, threads: Int = 2
    ) throws -> InverseNorms {
        try solver.inverseNorms(
            of: rows, quantity, in: system, memoryLimit: memoryLimit, parallel: Parallel(threads: threads), interruption: .never)
    }

    private func exact(_ system: DampedCurvature) throws -> ExactSolver {
        try ExactSolver(factoring: system, memoryLimit: 1 << 26, parallel: parallel)
    }

    /// Solvers that are exact on small problems, by a name each.
    private func solvers(_ rows: DenseRows, _ system: DampedCurvature) throws -> [(name: String, solver: any SystemSolver)] {
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        return [
            ("exact", try exact(system)),
            ("woodbury", try WoodburySolver(factoring: rows, shift: system.shift, memoryLimit: 1 << 26, parallel: parallel)),
            ("cg", ConjugateGradient(.init(maxIter: 500, tol: 1e-7))),
            (
                "arnoldi",
                try ArnoldiSolver(of: system.data, rank: system.dimension, memoryLimit: 1 << 26, parallel: parallel)
            ),
            (
                "sketch",
                try SketchSolver(
                    of: system, settings: .init(projectionDim: system.dimension), spectrum: spectrum, memoryLimit: 1 << 26,
                    parallel: parallel)
            ),
        ]
    }

    @Test(
        "solvers that are exact agree with Gaussian elimination in double precision, of fewer and of more examples than parameters",
        arguments: [1, 7, 60], [1, 2, 24])
    func references(examples: Int, parameters: Int) throws {
        let rows = DenseRows(count: examples, scales: scales(parameters), seed: 1)
        let system = DampedCurvature(rows.curvature, shift: shift)
        let reference = NormReference(rows, rows.curvature.dense.plus(diagonal: shift))
        for (name, solver) in try solvers(rows, system) {
            #expect(reference.error(try norms(solver, rows, system)) < 1e-4, "\(name)")
        }
    }

    @Test("by the factor they are exact whatever the order", arguments: [63, 127, 128, 129, 200, 257])
    func orders(parameters: Int) throws {
        let rows = DenseRows(count: 3, scales: scales(parameters), seed: 2)
        let system = DampedCurvature(rows.curvature, shift: shift)
        let reference = NormReference(rows, rows.curvature.dense.plus(diagonal: shift))
        #expect(reference.error(try norms(exact(system), rows, system)) < 2e-5)
    }

    @Test("elements that are coupled to nothing count by themselves, and those that are zero everywhere not at all")
    func uncoupled() throws {
        // The curvature's rows vanish in every third column; the gradients do in every ninth.
        var numbers = SeededNumbers(3)
        let curved = DenseRows((0..<1500).map { $0 % 3 == 1 ? 0 : Float(numbers.normal()) }, width: 30)
        let rows = DenseRows((0..<600).map { $0 % 9 == 4 ? 0 : Float(numbers.normal()) }, width: 30)
        let system = DampedCurvature(curved.curvature, shift: shift)
        let reference = NormReference(rows, curved.curvature.dense.plus(diagonal: shift))
        #expect(reference.error(try norms(exact(system), rows, system)) < 1e-5)
        // Also where what is coupled has no room of its own.
        #expect(reference.error(try norms(exact(system), rows, system, memoryLimit: 100)) < 1e-5)
        let none = DampedCurvature(RankOneCurvature([Float](repeating: 0, count: 30), width: 30), shift: 0.5)
        let plain = try norms(exact(none), rows, none)
        #expect(
            zip(plain.selfInfluence, 0...).allSatisfy { value, i in
                abs(value - 2 * rows.row(i).reduce(0) { $0 + $1 * $1 }) < 1e-5 * value
            })
    }

    @Test(
        "by Woodbury's identity nothing cancels, be λ small or large, and rows that it was not made of are solved for",
        arguments: [1e-4, 1e4])
    func woodbury(shift: Double) throws {
        let rows = DenseRows(count: 20, scales: scales(50), seed: 9)
        let system = DampedCurvature(rows.curvature, shift: shift)
        let solver = try WoodburySolver(factoring: rows, shift: shift, memoryLimit: 1 << 24, parallel: parallel)
        let matrix = rows.curvature.dense.plus(diagonal: shift)
        #expect(try NormReference(rows, matrix).error(norms(solver, rows, system)) < 2e-4)
        let others = DenseRows(count: 20, scales: scales(50), seed: 10)
        #expect(try NormReference(others, matrix).error(norms(solver, others, system)) < 2e-4)
        #expect(try norms(solver, others, system, memoryLimit: 1) == norms(solver, others, system))
    }

    @Test("the identity's are squared lengths, and DataInf's those of its closed form")
    func closedForms() throws {
        let rows = DenseRows(count: 11, scales: scales(6), seed: 4)
        let system = DampedCurvature(rows.curvature, shift: shift)
        let lengths = (0..<11).map { rows.row($0).reduce(0) { $0 + $1 * $1 } }
        let plain = try norms(IdentitySolver(), rows, system)
        #expect(Closeness.largestError(plain.selfInfluence, lengths) < 1e-12)
        #expect(plain.squaredSteps == plain.selfInfluence)
        let solver = DataInf(rows: rows)
        let solutions = try solver.solve(rows.numbers, count: 11, in: system, parallel: parallel).vectors
        let computed = try norms(solver, rows, system)
        for i in 0..<11 {
            let s = solutions[i * 6..<(i + 1) * 6].map { Double($0) }
            #expect(abs(computed.selfInfluence[i] / zip(rows.row(i), s).reduce(0) { $0 + $1.0 * $1.1 } - 1) < 1e-6)
            #expect(abs((computed.squaredSteps?[i] ?? 0) / s.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
        }
    }

    @Test("they have the same bits whatever the memory, the number of threads, the company, and what else is wanted")
    func determinism() throws {
        let rows = DenseRows(count: 70, scales: scales(40), seed: 5)
        let system = DampedCurvature(rows.curvature, shift: shift)
        for (name, solver) in try solvers(rows, system) + [("datainf", DataInf(rows: rows)), ("identity", IdentitySolver())] {
            let all = try norms(solver, rows, system, threads: 3)
            #expect(try norms(solver, rows, system, memoryLimit: 2000, threads: 1) == all, "\(name)")
            #expect(try norms(solver, rows, system, .selfInfluence).selfInfluence == all.selfInfluence, "\(name)")
            #expect(try norms(solver, rows, system, .selfInfluence).squaredSteps == nil, "\(name)")
        }
        let (solver, all) = (try exact(system), try norms(exact(system), rows, system))
        for i in [0, 33, 69] {
            let one = DenseRows(Array(rows.numbers[i * 40..<(i + 1) * 40]), width: 40)
            let alone = try norms(solver, one, system)
            #expect(alone.selfInfluence[0] == all.selfInfluence[i] && alone.squaredSteps?[0] == all.squaredSteps?[i])
        }
    }

    @Test("a zero gradient has zeros and the multiplier 0; the smallest gradients' are finite")
    func zeros() throws {
        let rows = DenseRows([0, 0, 0, 1e-30, 0, 2e-30, 3, 1, 2], width: 3)
        let curved = DenseRows(count: 20, scales: [1, 1, 1], seed: 6)
        let system = DampedCurvature(curved.curvature, shift: shift)
        let reference = NormReference(rows, curved.curvature.dense.plus(diagonal: shift))
        for solver in [try exact(system), DataInf(rows: curved)] as [any SystemSolver] {
            let norms = try norms(solver, rows, system)
            #expect(norms.selfInfluence[0] == 0 && norms.squaredSteps?[0] == 0)
            for kind in RelatIFDenominator.allCases {
                #expect(norms.denominators(kind)?[0] == 0)
                let multipliers = try #require(norms.multipliers(kind))
                #expect(multipliers[0] == 0)
                #expect(multipliers[1] > 1e20 && multipliers[1] < 1e40)
            }
        }
        #expect(reference.error(try norms(exact(system), rows, system)) < 1e-5)
        let selfInfluence = try norms(exact(system), rows, system, .selfInfluence)
        #expect(selfInfluence.denominators(.theta) == nil && selfInfluence.multipliers(.theta) == nil)
        #expect(selfInfluence.denominators(.loss) == selfInfluence.selfInfluence.map { $0.squareRoot() })
    }

    @Test("weights of examples multiply: wᵢ∇ℓᵢ is √wᵢ times √wᵢ∇ℓᵢ")
    func weights() throws {
        let rows = DenseRows(count: 4, scales: scales(3), seed: 7)
        let system = DampedCurvature(rows.curvature, shift: shift)
        let plain = try norms(exact(system), rows, system)
        let weighted = try plain.weighted(by: [1, 0, 4, 0.25])
        #expect(weighted.selfInfluence == zip(plain.selfInfluence, [1, 0, 4, 0.25]).map { $0 * $1 })
        #expect(weighted.squaredSteps == zip(plain.squaredSteps ?? [], [1, 0, 4, 0.25]).map { $0 * $1 })
        #expect(try plain.weighted(by: nil) == plain)
        for weight in [-1, Float.nan, .infinity] {
            #expect(throws: SolverError.notFinite) { try plain.weighted(by: [1, 1, weight, 1]) }
        }
    }

    @Test("no examples have no norms")
    func none() throws {
        let rows = DenseRows([], width: 3)
        let curved = DenseRows(count: 5, scales: [1, 1, 1], seed: 8)
        let system = DampedCurvature(curved.curvature, shift: shift)
        for solver in [try exact(system), IdentitySolver(), ConjugateGradient(.init())] as [any SystemSolver] {
            #expect(try norms(solver, rows, system).selfInfluence.isEmpty)
        }
    }
}
