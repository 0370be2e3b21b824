import LinearAlgebra
import Synchronization
import TestSupport
import Testing

/// Orders around the blocks and panels that factoring and solving go by.
@Suite("Cholesky factors, block by block")
struct CholeskyBlocksTests {
    /// A = UUᵀ + 2I for a U of three columns: quick to make, and to multiply with.
    struct LowRank {
        let order: Int
        let u: [Double]

        init(order: Int) {
            var numbers = SeededNumbers(UInt64(order))
            self.order = order
            u = (0..<3 * order).map { _ in numbers.uniform() - 0.5 }
        }

        func packed(minusDiagonalAt bad: Int? = nil, by size: Double = 0) -> PackedSymmetricMatrix {
            let packed = PackedSymmetricMatrix(uninitializedOrder: order)
            for row in 0..<order {
                for column in 0...row {
                    var sum = row == column ? 2.0 : 0
                    for k in 0..<3 { sum += u[3 * row + k] * u[3 * column + k] }
                    packed[row, column] = Float(row == column && row == bad ? sum - size : sum)
                }
            }
            return packed
        }

        func times(_ x: ArraySlice<Float>) -> [Double] {
            let x = x.map { Double($0) }
            var inner = [0.0, 0, 0]
            for i in 0..<order { for k in 0..<3 { inner[k] += u[3 * i + k] * x[i] } }
            var image = x.map { 2 * $0 }
            for i in 0..<order { for k in 0..<3 { image[i] += u[3 * i + k] * inner[k] } }
            return image
        }
    }

    static let orders = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 255, 256, 257, 511, 512, 513, 514, 770, 1027, 1300]

    @Test("solve what they were made from, on any number of threads with the same bits", arguments: orders)
    func solves(order: Int) throws {
        let matrix = LowRank(order: order)
        var numbers = SeededNumbers(1)
        let sides = (0..<20 * order).map { _ in Float(numbers.uniform() - 0.5) }
        let results = try [1, 3].map { threads in
            let parallel = Parallel(threads: threads)
            let factor = try CholeskyFactor(factoring: matrix.packed(), parallel: parallel)
            var solutions = sides
            try factor.solve(&solutions, count: 20, parallel: parallel)
            return solutions
        }
        #expect(results[0] == results[1])
        for side in [0, 15, 16, 19] {
            let part = side * order..<(side + 1) * order
            #expect(Closeness.relativeDistance(matrix.times(results[0][part]), sides[part]) < 2e-6)
        }
    }

    /// One after the other in the calling process: the unit must not change while others compute.
    static func expectIndependence(orders: [Int]) throws {
        for order in orders {
            let factor = try CholeskyFactor(factoring: LowRank(order: order).packed())
            var numbers = SeededNumbers(2)
            var sides = (0..<33 * order).map { _ in Float(numbers.uniform() - 0.5) }
            for i in 0..<order {
                sides[2 * order + i] *= 1e30
                sides[5 * order + i] *= 1e-30
                sides[11 * order + i] = .nan
                sides[20 * order + i] = 0
            }
            let alone = try (0..<33).map { side in
                var x = Array(sides[side * order..<(side + 1) * order])
                try factor.solve(&x, count: 1)
                return x.map(\.bitPattern)
            }
            for count in [1, 2, 3, 7, 8, 9, 15, 16, 17, 33] {
                for first in Set([0, 1, 33 - count]) where first + count <= 33 {
                    var x = Array(sides[first * order..<(first + count) * order])
                    try factor.solve(&x, count: count, parallel: Parallel(threads: 2))
                    #expect(x.map(\.bitPattern) == alone[first..<first + count].flatMap { $0 })
                }
            }
        }
    }

    @Test("a right-hand side has the same solution alone and among others, bit for bit, wherever it stands")
    func independence() throws {
        try Self.expectIndependence(orders: [1, 2, 5, 8, 9, 16, 17, 40, 77, 130])
    }

    @Test("and so on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                #expect(VectorUnit.current == unit)
                try CholeskyBlocksTests.expectIndependence(orders: [1, 9, 17, 38])
                let matrix = LowRank(order: 83)
                let factor = try CholeskyFactor(factoring: matrix.packed())
                let side = (0..<83).map { Float($0 % 7) - 3 }
                var x = side
                try factor.solve(&x, count: 1)
                #expect(Closeness.relativeDistance(matrix.times(x[...]), side) < 2e-6)
            }
            #expect(!VectorUnit.use("abacus"))
        }
    }

    @Test("say at which minor a matrix stops being positive definite, in whichever block that is")
    func minors() throws {
        let order = 600
        let matrix = LowRank(order: order)
        for bad in [0, 7, 31, 32, 255, 256, 299, 300, 301, 511, 556, 599] {
            for size in [1000, Double.nan, -Double.infinity] {
                let error = #expect(throws: NotPositiveDefinite.self) {
                    try CholeskyFactor(factoring: matrix.packed(minusDiagonalAt: bad, by: size), parallel: Parallel(threads: 2))
                }
                #expect(error?.minor == bad + 1)
            }
        }
    }

    @Test("factoring and solving ask between blocks whether to stop, and do", arguments: [1, 2])
    func interrupted(threads: Int) throws {
        let matrix = LowRank(order: 1300)
        let parallel = Parallel(threads: threads)
        let asked = Atomic(0)
        func interruption(at limit: Int) -> Interruption {
            asked.store(0, ordering: .relaxed)
            return Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit }
        }
        let factor = try CholeskyFactor(factoring: matrix.packed(), parallel: parallel, interruption: interruption(at: .max))
        // Six blocks of columns, and what lies below them.
        let questions = asked.load(ordering: .relaxed)
        #expect(questions >= 12)
        for limit in Set([1, 2, questions / 2, questions]) {
            #expect(throws: Interrupted()) {
                try CholeskyFactor(factoring: matrix.packed(), parallel: parallel, interruption: interruption(at: limit))
            }
            #expect(asked.load(ordering: .relaxed) <= limit + threads)
        }
        var sides = [Float](repeating: 1, count: 1300)
        try factor.solve(&sides, count: 1, parallel: parallel, interruption: interruption(at: .max))
        // Sixteen lanes of 2·n² operations each.
        #expect(asked.load(ordering: .relaxed) >= 32 * 1300 * 1300 / PacedInterruption.interval)
        #expect(throws: Interrupted()) {
            try factor.solve(&sides, count: 1, parallel: parallel, interruption: interruption(at: 5))
        }
    }
}
