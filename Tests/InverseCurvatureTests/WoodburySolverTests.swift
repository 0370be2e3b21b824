import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@Suite("Woodbury's identity on the empirical Fisher matrix")
struct WoodburySolverTests {
    private let parallel = Parallel(threads: 2)

    private func solver(_ rows: DenseRows, shift: Double) throws -> WoodburySolver {
        try WoodburySolver(factoring: rows, shift: shift, memoryLimit: 1 << 24, parallel: parallel)
    }

    private func scales(_ count: Int) -> [Double] { (0..<count).map { 2 / Double($0 % 13 + 1) } }

    @Test(
        "agrees with Gaussian elimination in double precision and with the exact solver, of fewer and of more examples than parameters",
        arguments: [1, 2, 7, 30, 64, 65, 150], [8, 40])
    func references(examples: Int, parameters: Int) throws {
        let rows = DenseRows(count: examples, scales: scales(parameters), seed: 1)
        let system = DampedCurvature(rows.curvature, shift: 0.05)
        #expect(WoodburySolver.pays(for: rows) == (examples < parameters))
        let solver = try solver(rows, shift: 0.05)
        #expect(solver.factor.order == examples)
        var numbers = SeededNumbers(2)
        let sides = numbers.floats(3 * parameters)
        let solution = try solver.solve(sides, count: 3, in: system, parallel: parallel)
        let exact = try ExactSolver(factoring: system, memoryLimit: 1 << 20, parallel: parallel)
            .solve(sides, count: 3, in: system, parallel: parallel)
        #expect(solution.converged == [true, true, true])
        #expect(solution.repeats.isEmpty && solution.iterations.isEmpty)
        #expect(Closeness.relativeDistance(solution.vectors, exact.vectors) < 2e-5)
        for i in 0..<3 {
            let part = i * parameters..<(i + 1) * parameters
            let expected = rows.curvature.dense.plus(diagonal: 0.05).solved(for: Array(sides[part]))
            #expect(Closeness.relativeDistance(solution.vectors[part], expected) < 2e-5)
        }
    }

    @Test("small λ is made good against the curvature's own products", arguments: [1, 1e-2, 1e-3, 1e-4])
    func smallShift(shift: Double) throws {
        let rows = DenseRows(count: 30, scales: scales(90), seed: 3)
        let system = DampedCurvature(rows.curvature, shift: shift)
        var numbers = SeededNumbers(4)
        let side = numbers.floats(90)
        let solution = try solver(rows, shift: shift).solve(side, count: 1, in: system, parallel: parallel)
        let measured = rows.curvature.residual(solution.vectors, side, shift: shift)
        #expect(solution.converged == [true])
        // Rounding of s itself, which is v/λ in part, times the curvature.
        #expect(abs(solution.residuals[0] - measured) < 1e-6 + 1e-6 / shift)
        #expect(measured < 1e-6 + 1e-6 / shift)
    }

    @Test("what a factor for another λ leaves over is removed against the data themselves")
    func refinement() throws {
        let rows = DenseRows(count: 20, scales: scales(50), seed: 5)
        let nearby = try solver(rows, shift: 0.0102)
        let system = DampedCurvature(rows.curvature, shift: 0.01)
        var numbers = SeededNumbers(6)
        let side = numbers.floats(50)
        let solution = try nearby.solve(side, count: 1, in: system, parallel: parallel)
        #expect(rows.curvature.residual(solution.vectors, side, shift: 0.01) < 1e-4)
    }

    @Test("an orthogonal set of gradients has a solution known by sight, and none at all is v/λ")
    func orthogonal() throws {
        // F = I for four examples, and zero along the fifth axis.
        var numbers = [Float](repeating: 0, count: 20)
        for i in 0..<4 { numbers[i * 5 + i] = 2 }
        let rows = DenseRows(numbers, width: 5)
        let system = DampedCurvature(rows.curvature, shift: 0.25)
        let solution = try solver(rows, shift: 0.25).solve([1, 2, 3, 4, 5], count: 1, in: system, parallel: parallel)
        #expect(Closeness.largestError(solution.vectors, [0.8, 1.6, 2.4, 3.2, 20]) < 1e-6)
        let none = DenseRows([Float](repeating: 0, count: 20), width: 5)
        let zero = DampedCurvature(none.curvature, shift: 0.25)
        let plain = try solver(none, shift: 0.25).solve([1, 2, 3, 4, 5], count: 1, in: zero, parallel: parallel)
        #expect(plain.vectors == [4, 8, 12, 16, 20])
        #expect(plain.residuals == [0])
    }

    @Test("several right-hand sides are solved as each alone, bit for bit, on any number of threads", arguments: [1, 2, 9, 17])
    func several(count: Int) throws {
        let rows = DenseRows(count: 70, scales: scales(100), seed: 8)
        let system = DampedCurvature(rows.curvature, shift: 0.01)
        var numbers = SeededNumbers(9)
        let sides = (0..<count).flatMap { numbers.floats(100, scale: [1, 1e-12, 1e12, 0][$0 % 4]) }
        let solver = try solver(rows, shift: 0.01)
        let single = try WoodburySolver(
            factoring: rows, shift: 0.01, memoryLimit: 1 << 24, parallel: Parallel(threads: 1))
        #expect(single.encoded == solver.encoded)
        let together = try solver.solve(sides, count: count, in: system, parallel: Parallel(threads: 3))
        for side in 0..<count {
            let part = Array(sides[side * 100..<(side + 1) * 100])
            #expect(try solver.solve(part, count: 1, in: system, parallel: Parallel(threads: 1)) == together[side])
        }
    }

    @Test("the Gram matrix has the same bits whatever memory its making may take")
    func stripes() throws {
        let rows = DenseRows(count: 150, scales: scales(200), seed: 10)
        let matrices = try [1 << 30, 50_000, 1].map { memory in
            let matrix = PackedSymmetricMatrix(uninitializedOrder: 150)
            try rows.writeGram(plus: 0.5, to: matrix, workingMemory: memory, parallel: parallel, interruption: .never)
            return matrix
        }
        #expect(matrices[1].memory.copy == matrices[0].memory.copy)
        #expect(matrices[2].memory.copy == matrices[0].memory.copy)
        for i in 0..<150 {
            for j in 0...i {
                let expected = zip(rows.row(i), rows.row(j)).reduce(i == j ? 0.5 : 0) { $0 + $1.0 * $1.1 }
                #expect(abs(Double(matrices[0][i, j]) - expected) < 1e-4)
            }
        }
    }

    @Test("a λ that nothing can be divided by is refused, as damping alone makes a Fisher matrix of few examples definite")
    func noDamping() {
        let rows = DenseRows(count: 3, scales: [1, 1, 1, 1, 1], seed: 11)
        for shift in [0, -0.1, 1e-45, Double.infinity] {
            #expect(throws: SolverError.notPositiveDefinite(shift: shift)) { try solver(rows, shift: shift) }
        }
        #expect(throws: SolverError.self) { try solver(rows, shift: .nan) }
    }

    @Test("gradients that repeat are refused where λ is lost beside them, and solved where it is not")
    func repeated() throws {
        let rows = DenseRows([Float](repeating: 1000, count: 24), width: 8)
        #expect(throws: SolverError.notPositiveDefinite(shift: 1e-9)) { try solver(rows, shift: 1e-9) }
        let system = DampedCurvature(rows.curvature, shift: 1e5)
        let solution = try solver(rows, shift: 1e5).solve(
            [Float](repeating: 1, count: 8), count: 1, in: system, parallel: parallel)
        #expect(Closeness.largestError(solution.vectors, [Float](repeating: 1 / 8.1e6, count: 8)) < 1e-5)
    }

    @Test("numbers that are not finite are refused", arguments: [Float.nan, .infinity, 1e25])
    func notFinite(value: Float) throws {
        let rows = DenseRows([1, 0, 0, 0, value, 0], width: 3)
        #expect(throws: SolverError.notFinite) { try solver(rows, shift: 0.1) }
        let good = DenseRows([1, 0, 0, 0, 1, 0], width: 3)
        let system = DampedCurvature(good.curvature, shift: 0.1)
        if !(abs(value) < .infinity) {
            let solver = try solver(good, shift: 0.1)
            #expect(throws: SolverError.notFinite) {
                try solver.solve([value, 1, 1], count: 1, in: system, parallel: parallel)
            }
        }
    }

    @Test("says how much memory it would take, before it begins, where that is too much")
    func tooLarge() throws {
        let rows = DenseRows(count: 9, scales: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], seed: 12)
        let bytes = 9 * 10 / 2 * 4 + 2 * 10 * 4
        #expect(throws: SolverError.tooLarge(parameters: 10, bytes: bytes, limit: bytes - 1)) {
            try WoodburySolver(
                factoring: rows, shift: 1, memoryLimit: bytes - 1, parallel: parallel,
                interruption: Interruption {
                    Issue.record("work began")
                    return false
                })
        }
        _ = try WoodburySolver(factoring: rows, shift: 1, memoryLimit: bytes, parallel: parallel)
    }

    @Test("stops when interrupted, while building and while solving")
    func interrupted() throws {
        let rows = DenseRows(count: 3, scales: [1, 1, 1, 1], seed: 13)
        let raised = Interruption { true }
        #expect(throws: Interrupted()) {
            try WoodburySolver(factoring: rows, shift: 1, memoryLimit: 1 << 20, parallel: parallel, interruption: raised)
        }
        let solver = try solver(rows, shift: 1)
        #expect(throws: Interrupted()) {
            try solver.solve(
                [1, 1, 1, 1], count: 1, in: DampedCurvature(rows.curvature, shift: 1), parallel: parallel, interruption: raised)
        }
    }

    @Test("a factor kept as bytes solves the same, bit for bit")
    func kept() throws {
        let rows = DenseRows(count: 6, scales: scales(9), seed: 14)
        let first = try solver(rows, shift: 0.1)
        #expect(first.encoded.count == WoodburySolver.byteCount(exampleCount: 6))
        let second = try WoodburySolver(decoding: first.encoded, rows: rows, shift: 0.1)
        let system = DampedCurvature(rows.curvature, shift: 0.1)
        var numbers = SeededNumbers(15)
        let side = numbers.floats(9)
        let solutions = try [first, second].map { try $0.solve(side, count: 1, in: system, parallel: parallel) }
        #expect(solutions[0] == solutions[1])
    }

    @Test("bytes of something else, or changed anywhere, are refused")
    func damaged() throws {
        let rows = DenseRows(count: 5, scales: scales(9), seed: 16)
        let bytes = try solver(rows, shift: 0.1).encoded
        func refuses(_ bytes: [UInt8], _ rows: DenseRows, _ shift: Double) -> Bool {
            (try? WoodburySolver(decoding: bytes, rows: rows, shift: shift)) == nil
        }
        #expect(!refuses(bytes, rows, 0.1))
        #expect(refuses(bytes, rows, 0.2))
        #expect(refuses(bytes, DenseRows(count: 4, scales: scales(9), seed: 16), 0.1))
        #expect(refuses(bytes, DenseRows(count: 5, scales: scales(8), seed: 16), 0.1))
        for length in 0..<bytes.count { #expect(refuses(Array(bytes[..<length]), rows, 0.1)) }
        #expect(refuses(bytes + [0], rows, 0.1))
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= 0x40
            #expect(refuses(changed, rows, 0.1))
        }
    }
}
