import Foundation
@testable import InverseCurvature
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("LiSSA: preconditioned")
struct LiSSAPreconditionedTests {
    private let parallel = Parallel(threads: 2)
    private let shift = 0.01
    private let curvature = RankOneCurvature(count: 600, scales: [3, 1, 0.5, 0.2, 0.1, 0.05], seed: 1)

    private var system: DampedCurvature { DampedCurvature(curvature, shift: shift) }
    private var diagonal: [Float] { (0..<6).map { Float(curvature.dense[$0, $0]) } }
    private var preconditioner: DiagonalPreconditioner { DiagonalPreconditioner(diagonal: diagonal, shift: shift) }

    private func lissa(_ choice: LiSSA.Choice) throws -> LiSSA {
        LiSSA(
            choice, spectrum: try SpectrumEstimate(of: curvature, parallel: parallel),
            preconditioning: .init(
                preconditioner, spectrum: try PreconditionedSpectrum(of: system, by: preconditioner, parallel: parallel)),
            exampleCount: 600, shift: shift)
    }

    private func sides(_ count: Int) -> [Float] {
        var numbers = SeededNumbers(7)
        return numbers.floats(6 * count)
    }

    /// P^-½(D + λI)P^-½ written out.
    private var dense: DenseMatrix {
        var matrix = curvature.dense.plus(diagonal: shift)
        for i in 0..<6 {
            for j in 0..<6 {
                matrix[i, j] /= ((Double(diagonal[i]) + shift) * (Double(diagonal[j]) + shift)).squareRoot()
            }
        }
        return matrix
    }

    @Test(
        "with the full batch rounds are h ← h + P⁻¹(r − (D + λI)h)/scale from P⁻¹r/scale, written out in double precision",
        arguments: [1, 3], [0, 1, 9])
    func formula(rounds: Int, depth: Int) throws {
        let scale = 2.5
        let side = sides(1)
        let matrix = curvature.dense.plus(diagonal: shift)
        func preconditioned(_ x: [Double]) -> [Double] { x.indices.map { x[$0] / (Double(diagonal[$0]) + shift) } }
        var s = [Double](repeating: 0, count: 6)
        for _ in 0..<rounds {
            func remainder(_ x: [Double], of v: [Double]) -> [Double] { zip(v, matrix.times(x)).map { $0 - $1 } }
            let r = remainder(s, of: side.map { Double($0) })
            var h = preconditioned(r).map { $0 / scale }
            for _ in 0..<depth { h = zip(h, preconditioned(remainder(h, of: r))).map { $0 + $1 / scale } }
            s = zip(s, h).map { $0 + $1 }
        }
        let run = try lissa(
            .init(
                recursionDepth: depth, numRepeat: 1, batchSize: 600, scale: scale, rounds: rounds, isPreconditioned: true))
        #expect(run.settings.isPreconditioned && run.settings.averaged == 1)
        let solution = try run.solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, s) < 1e-5)
    }

    @Test("what a wanted error makes it return is the mean of the last half of the steps, and its bias that of their powers")
    func averaged() throws {
        let (depth, scale) = (8, 2.5)
        func run(_ depth: Int, error: Double?) throws -> LiSSA {
            try lissa(
                .init(
                    recursionDepth: depth, numRepeat: 1, batchSize: 600, scale: scale, rounds: 1, relativeError: error,
                    isPreconditioned: true))
        }
        let side = sides(1)
        let steps = try (5...8).map { try run($0, error: nil).solve(side, count: 1, in: system, parallel: parallel).vectors }
        let mean = (0..<6).map { i in steps.reduce(0.0) { $0 + Double($1[i]) } / 4 }
        let run = try run(depth, error: 0.01)
        #expect(run.settings.averaged == 4)
        let solution = try run.solve(side, count: 1, in: system, parallel: parallel)
        #expect(Closeness.relativeDistance(solution.vectors, mean) < 1e-5)
        let powers = (5...8).map { pow(1 - 0.3 / scale, Double($0)) }
        #expect(abs(run.settings.bias(shift: 0.3) - powers.reduce(0, +) / 4) < 1e-12)
        #expect(run.settings.bias(shift: 0) == 1)
    }

    @Test("the spectrum is that of P^-½(D + λI)P^-½, and survives being kept")
    func spectrum() throws {
        let spectrum = try PreconditionedSpectrum(of: system, by: preconditioner, parallel: parallel)
        let values = dense.symmetricEigenvalues.sorted()
        #expect(abs(spectrum.ends.smallest.value - values[0]) < 1e-4)
        #expect(abs(spectrum.ends.largest.value - values[5]) < 1e-4)
        #expect(spectrum.slowest <= values[0] + 1e-4 && spectrum.largest >= values[5] - 1e-4)
        let trace = (0..<6).reduce(0.0) { $0 + Double(diagonal[$1]) / (Double(diagonal[$1]) + shift) }
        #expect(abs(spectrum.trace - trace) < 0.8 * trace)
        #expect(spectrum.batches.isEmpty)
        #expect(spectrum.rowsOfPreconditioner == 0.25)
        #expect(try JSONDecoder().decode(PreconditionedSpectrum.self, from: JSONEncoder().encode(spectrum)) == spectrum)
        func batches(threads: Int) throws -> PreconditionedSpectrum {
            try PreconditionedSpectrum(
                of: system, by: preconditioner, batchSizes: [8, 64], parallel: Parallel(threads: threads))
        }
        #expect(try batches(threads: 1) == batches(threads: 3))
        #expect(try batches(threads: 1).batches.map(\.size) == [8, 64])
        #expect(try batches(threads: 1).batches.allSatisfy { $0.bound > 0.9 * values[5] })
    }

    @Test("a root applied twice is the preconditioner")
    func roots() throws {
        let problem = try EKFACProblem()
        let inverse = try EKFAC(blocks: problem.blocks, exampleCount: 10).inverse(shift: 0.3)
        var numbers = SeededNumbers(4)
        func check(_ preconditioner: some RootedPreconditioner) throws {
            let r = numbers.floats(2 * preconditioner.dimension)
            var (once, twice, z) = (r, r, r)
            let root = preconditioner.root
            try root.apply(r, to: &once, count: 2, parallel: parallel, interruption: .never)
            try root.apply(once, to: &twice, count: 2, parallel: parallel, interruption: .never)
            try preconditioner.apply(r, to: &z, count: 2, parallel: parallel, interruption: .never)
            #expect(Closeness.relativeDistance(twice, z) < 1e-5)
            #expect(Closeness.relativeDistance(once, z) > 0.01)
        }
        try check(inverse)
        try check(preconditioner)
        // 4·C·D̃·(C + D̃) of each block, and the diagonal.
        #expect(inverse.operations == Double(4 * 18 * 9 + 4 * 8 * 6 + 4 * 7 * 8 + 4))
    }

    @Test("the wanted error is reached, from the estimate and in truth", arguments: [0.1, 0.01, 1e-3], 0..<3 as Range<UInt64>)
    func target(error: Double, seed: UInt64) throws {
        let (v, count) = (sides(3), 3)
        let run = try lissa(.init(seed: seed, relativeError: error, isPreconditioned: true))
        #expect(run.settings.isPreconditioned && run.settings.averaged > 1)
        let solution = try run.solve(v, count: count, in: system, parallel: parallel)
        #expect(solution.converged == [true, true, true], "\(run.settings) \(solution.accuracies)")
        for side in 0..<count {
            let part = side * 6..<side * 6 + 6
            let exact = curvature.dense.plus(diagonal: shift).solved(for: Array(v[part]))
            #expect(
                Closeness.relativeDistance(solution.vectors[part], exact) < 2.5 * error,
                "\(run.settings) \(solution.accuracies) \(run.slowest) \(dense.symmetricEigenvalues)")
        }
    }

    @Test("bits depend neither on threads nor on companions, of very different sizes")
    func independent() throws {
        var numbers = SeededNumbers(9)
        let sides = [numbers.floats(6), numbers.floats(6, scale: 1e9), [0, 0, 0, 0, 0, 0], numbers.floats(6, scale: 1e-9)]
        let run = try lissa(.init(batchSize: 64, relativeError: 0.01, isPreconditioned: true))
        #expect(run.settings.batchSize == 64)
        let together = try run.solve(sides.flatMap { $0 }, count: 4, in: system, parallel: Parallel(threads: 3))
        for (index, side) in sides.enumerated() {
            #expect(try together[index] == run.solve(side, count: 1, in: system, parallel: Parallel(threads: 1)))
        }
    }

    @Test("a scale that is too small is noticed, and the scale named instead works", arguments: [1.2, 2, 100, 1e6])
    func diverged(factor: Double) throws {
        let limit = try PreconditionedSpectrum(of: system, by: preconditioner, parallel: parallel).ends.largest.value / 2
        var choice = LiSSA.Choice(
            recursionDepth: 400, numRepeat: 2, batchSize: 600, scale: limit / factor, isPreconditioned: true)
        let run = try lissa(choice)
        let error = #expect(throws: SolverError.self) { try run.solve(sides(1), count: 1, in: system, parallel: parallel) }
        guard case .diverged(let settings, let step, let safeScale) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(settings == run.settings && (1...400).contains(step))
        choice.scale = safeScale
        choice.recursionDepth = 2000
        #expect(try lissa(choice).solve(sides(1), count: 1, in: system, parallel: parallel).converged == [true])
    }

    @Test("automatic settings do not diverge, whatever the curvature, nor where P has nothing to do with it")
    func robust() throws {
        for nasty in LiSSASettingsTests.Nasty.solvable {
            let system = DampedCurvature(nasty.curvature, shift: nasty.shift)
            let order = nasty.curvature.dimension
            let own = (0..<order).map { Float(nasty.curvature.dense[$0, $0]) }
            for diagonal in [own, (0..<order).map { own[order - 1 - $0] }] {
                let preconditioner = DiagonalPreconditioner(diagonal: diagonal, shift: nasty.shift)
                let run = LiSSA(
                    .init(isPreconditioned: true), spectrum: try SpectrumEstimate(of: nasty.curvature, parallel: parallel),
                    preconditioning: .init(
                        preconditioner, spectrum: try PreconditionedSpectrum(of: system, by: preconditioner, parallel: parallel)
                    ),
                    exampleCount: nasty.curvature.exampleCount, shift: nasty.shift)
                let solution = try run.solve(nasty.rightHandSide, count: 1, in: system, parallel: parallel)
                let exact = nasty.curvature.dense.plus(diagonal: nasty.shift).solved(for: nasty.rightHandSide)
                #expect(Closeness.relativeDistance(solution.vectors, exact) < 0.05, "\(nasty.testDescription) \(run.settings)")
            }
        }
    }

    @Test("where batches that were looked at did not show what a curvature holds, the round is done anew, for each side alone")
    func cautious() throws {
        let honest = try SpectrumEstimate(of: curvature, parallel: parallel)
        // As if every batch had been small.
        let small = BatchSpectrum(size: 1, count: 8, mean: 0.01, deviation: 0, largest: 0.01)
        let blind = SpectrumEstimate(
            largestEigenvalue: 0.1, trace: honest.trace, largestExampleNorm: honest.largestExampleNorm, largestResidual: 0,
            batches: [small])
        let run = LiSSA(.init(batchSize: 8, relativeError: 0.01), spectrum: blind, exampleCount: 600, shift: shift)
        #expect(run.settings.scale < 1 && (run.cautious?.scale ?? 0) > 1)
        // Along the strong direction, which grows, and along the weak one, which may not.
        let v = sides(2) + [0, 0, 0, 0, 0, 1]
        let together = try run.solve(v, count: 3, in: system, parallel: parallel)
        for index in 0..<3 {
            let side = Array(v[index * 6..<index * 6 + 6])
            #expect(try together[index] == run.solve(side, count: 1, in: system, parallel: Parallel(threads: 1)))
            let exact = curvature.dense.plus(diagonal: shift).solved(for: side)
            #expect(Closeness.relativeDistance(together[index].vectors, exact) < 0.03)
        }
        let preconditioned = LiSSA(
            .init(relativeError: 0.01, isPreconditioned: true), spectrum: honest,
            preconditioning: .init(
                preconditioner,
                spectrum: PreconditionedSpectrum(
                    ends: SpectrumEnds(
                        smallest: RitzValue(value: 0.1, residual: 0), largest: RitzValue(value: 0.2, residual: 0), steps: 1),
                    trace: 1, batches: [small], rowsOfPreconditioner: 0)), exampleCount: 600, shift: shift)
        #expect(preconditioned.settings.isPreconditioned && preconditioned.cautious?.isPreconditioned == false)
        let solution = try preconditioned.solve(v, count: 3, in: system, parallel: parallel)
        #expect(solution.converged == [true, true, true])
    }

    @Test("it is chosen where its rounds are expected to cost less, and only there")
    func choice() throws {
        func isChosen(shift: Double, slowest: Double, rows: Double, _ choice: LiSSA.Choice = .init()) -> Bool {
            LiSSA(
                choice,
                spectrum: SpectrumEstimate(largestEigenvalue: 2, trace: 20, largestExampleNorm: 100),
                preconditioning: .init(
                    preconditioner,
                    spectrum: PreconditionedSpectrum(
                        ends: SpectrumEnds(
                            smallest: RitzValue(value: slowest, residual: 0), largest: RitzValue(value: 2, residual: 0), steps: 9),
                        trace: 100, batches: [BatchSpectrum(size: 256, count: 8, mean: 3, deviation: 0.1, largest: 3)],
                        rowsOfPreconditioner: rows)), exampleCount: 50_000, shift: shift
            ).settings.isPreconditioned
        }
        #expect(isChosen(shift: 1e-4, slowest: 0.3, rows: 100))
        #expect(!isChosen(shift: 1, slowest: 0.3, rows: 100))
        #expect(!isChosen(shift: 0.01, slowest: 0.01, rows: 100))
        #expect(!isChosen(shift: 0.01, slowest: 0.3, rows: 1e6))
        #expect(!isChosen(shift: 1e-4, slowest: 0.3, rows: 100, .init(isPreconditioned: false)))
        // What is chosen by hand is meant for the plain recursion.
        #expect(!isChosen(shift: 1e-4, slowest: 0.3, rows: 100, .init(recursionDepth: 1000)))
        #expect(!isChosen(shift: 1e-4, slowest: 0.3, rows: 100, .init(scale: 5)))
        #expect(isChosen(shift: 1, slowest: 0.3, rows: 100, .init(isPreconditioned: true)))
    }

    @Test("stops within a few steps when interrupted")
    func interrupted() throws {
        let run = try lissa(.init(recursionDepth: 1_000_000, numRepeat: 2, batchSize: 8, isPreconditioned: true))
        let asked = Atomic(0)
        let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue > 10 }
        #expect(throws: Interrupted()) {
            try run.solve(sides(1), count: 1, in: system, parallel: parallel, interruption: interruption)
        }
        #expect(asked.load(ordering: .relaxed) <= 14)
    }
}
