import LinearAlgebra
import Networks
import Synchronization
import TestSupport
import Testing

@Suite("softmax regression: products with the curvature")
struct SoftmaxCurvatureTests {
    static let kinds: [SoftmaxCurvature.Kind] = [.hessian, .empiricalFisher]

    /// y after one product of each of the stacked vectors.
    private func product(
        _ curvature: SoftmaxCurvature, over batch: ExampleBatch, alpha: Float = 1, of x: [Float], beta: Float = 0,
        plus addend: [Float]? = nil, to y: [Float]? = nil
    ) -> [Float] {
        let count = x.count / curvature.dimension
        var result = y ?? [Float](repeating: .nan, count: x.count)
        // Nothing interrupts it.
        try? curvature.addProduct(
            over: batch, alpha: alpha, of: x, beta: beta, plus: addend, to: &result, vectorCount: count,
            workspace: curvature.makeWorkspace(vectorCount: count))
        return result
    }

    @Test("equal the explicit matrix times the vector", arguments: SoftmaxProblem.all(count: 33, width: 4), kinds)
    func explicit(problem: SoftmaxProblem, kind: SoftmaxCurvature.Kind) throws {
        let curvature = try problem.curvature(kind)
        let matrix = problem.reference.curvature(kind, problem.theta, over: Array(0..<33))
        var numbers = SeededNumbers(2)
        let x = numbers.floats(curvature.dimension)
        #expect(Closeness.relativeDistance(product(curvature, over: .range(0..<33), of: x), matrix.times(x)) < 1e-5)
        var y = [Float](repeating: .nan, count: x.count)
        try curvature.product(of: x, to: &y, vectorCount: 1, parallel: Parallel(threads: 2))
        #expect(Closeness.relativeDistance(y, matrix.times(x)) < 1e-5)
    }

    @Test("with the Hessian are differences of gradients", arguments: SoftmaxProblem.all(count: 5, width: 3))
    func finiteDifferences(problem: SoftmaxProblem) throws {
        let reference = problem.reference
        var numbers = SeededNumbers(3)
        let x = numbers.floats(problem.model.parameterCount)
        let step = 1e-5
        let theta = problem.theta
        let above = zip(theta, x).map { $0 + step * Double($1) }
        let below = zip(theta, x).map { $0 - step * Double($1) }
        var expected = [Double](repeating: 0, count: x.count)
        for example in 0..<5 {
            let (a, b) = (reference.gradient(above, example), reference.gradient(below, example))
            for i in expected.indices { expected[i] += (a[i] - b[i]) / (2 * step) / 5 }
        }
        #expect(Closeness.relativeDistance(product(try problem.curvature(.hessian), over: .range(0..<5), of: x), expected) < 1e-5)
    }

    @Test(
        "over any rows are the mean over these rows, below, at and beyond a tile's size",
        arguments: [1, 2, 31, 32, 33, 64, 65, 70], kinds)
    func batches(size: Int, kind: SoftmaxCurvature.Kind) throws {
        for bytes in [false, true] {
            let problem = SoftmaxProblem(count: 70, width: 5, classes: 3, bias: true, bytes: bytes)
            let curvature = try problem.curvature(kind)
            var numbers = SeededNumbers(UInt64(size))
            let x = numbers.floats(curvature.dimension)
            let chosen = Array(Array(0..<70).shuffled(using: &numbers).prefix(size))
            let gathered = chosen.map { UInt32($0) }.withUnsafeBufferPointer { product(curvature, over: .indices($0), of: x) }
            let matrix = problem.reference.curvature(kind, problem.theta, over: chosen)
            #expect(Closeness.relativeDistance(gathered, matrix.times(x)) < 1e-5)

            let range = (70 - size)..<70
            let ranged = product(curvature, over: .range(range), of: x)
            let rangeMatrix = problem.reference.curvature(kind, problem.theta, over: Array(range))
            #expect(Closeness.relativeDistance(ranged, rangeMatrix.times(x)) < 1e-5)
            let listed = range.map { UInt32($0) }.withUnsafeBufferPointer { product(curvature, over: .indices($0), of: x) }
            #expect(listed == ranged, "neighbouring rows by index or as they lie")
        }
    }

    @Test("over a row named twice count it twice", arguments: kinds)
    func repeated(kind: SoftmaxCurvature.Kind) throws {
        let problem = SoftmaxProblem(count: 9, width: 4, classes: 3, bias: false, bytes: true)
        let curvature = try problem.curvature(kind)
        var numbers = SeededNumbers(6)
        let x = numbers.floats(curvature.dimension)
        let y = ([3, 3, 7] as [UInt32]).withUnsafeBufferPointer { product(curvature, over: .indices($0), of: x) }
        let matrix = problem.reference.curvature(kind, problem.theta, over: [3, 3, 7])
        #expect(Closeness.relativeDistance(y, matrix.times(x)) < 1e-5)
    }

    @Test(
        "enter y as β·y + α·Cx, and β = 0 ignores what y held",
        arguments: [(1, 0), (1, 1), (-0.25, 0.75), (2, -1), (0, 0.5)] as [(Float, Float)], [7, 32, 50])
    func factors(alphaBeta: (Float, Float), size: Int) throws {
        let (alpha, beta) = alphaBeta
        for bias in [false, true] {
            let problem = SoftmaxProblem(count: 50, width: 5, classes: 3, bias: bias, bytes: true)
            let curvature = try problem.curvature(.hessian)
            let matrix = problem.reference.curvature(.hessian, problem.theta, over: Array(0..<size))
            var numbers = SeededNumbers(7)
            let (x, y) = (numbers.floats(curvature.dimension), numbers.floats(curvature.dimension))
            let image = matrix.times(x)
            let expected = y.indices.map { Double(beta) * Double(y[$0]) + Double(alpha) * image[$0] }
            let result = product(
                curvature, over: .range(0..<size), alpha: alpha, of: x, beta: beta,
                to: beta == 0 ? [Float](repeating: .nan, count: y.count) : y)
            #expect(Closeness.largestError(result, expected) < 1e-5)
        }
    }

    @Test(
        "have the addend added once to each vector, whatever the batch's size", arguments: [1, 32, 33, 50],
        [0, 0.5, 1] as [Float])
    func addend(size: Int, beta: Float) throws {
        for bias in [false, true] {
            let problem = SoftmaxProblem(count: 50, width: 17, classes: 3, bias: bias, bytes: bias)
            let curvature = try problem.curvature(.hessian)
            let matrix = problem.reference.curvature(.hessian, problem.theta, over: Array(0..<size))
            let p = curvature.dimension
            var numbers = SeededNumbers(13)
            let (x, y, addend) = (numbers.floats(2 * p), numbers.floats(2 * p), numbers.floats(2 * p))
            let result = product(curvature, over: .range(0..<size), alpha: -0.5, of: x, beta: beta, plus: addend, to: y)
            for part in [0..<p, p..<2 * p] {
                let image = matrix.times(Array(x[part]))
                let expected = part.map {
                    Double(beta) * Double(y[$0]) + Double(addend[$0]) - 0.5 * image[$0 - part.lowerBound]
                }
                #expect(Closeness.largestError(result[part], expected) < 1e-5)
            }
        }
    }

    @Test("with x and y the same memory equal those with separate memory, bit for bit", arguments: [1, 31, 32, 33, 80], [1, 3])
    func aliased(size: Int, vectors: Int) throws {
        for kind in Self.kinds {
            let problem = SoftmaxProblem(count: 80, width: 6, classes: 3, bias: true, bytes: false)
            let curvature = try problem.curvature(kind)
            var numbers = SeededNumbers(8)
            let x = numbers.floats(curvature.dimension * vectors)
            let addend = numbers.floats(curvature.dimension * vectors)
            let separate = product(curvature, over: .range(0..<size), alpha: -0.5, of: x, beta: 0.9, plus: addend, to: x)
            var same = x
            let workspace = curvature.makeWorkspace(vectorCount: vectors)
            same.withUnsafeMutableBufferPointer {
                try? curvature.addProduct(
                    over: .range(0..<size), alpha: -0.5, of: UnsafePointer($0.baseAddress!), beta: 0.9, plus: addend,
                    to: $0.baseAddress!, vectorCount: vectors, workspace: workspace)
            }
            #expect(same == separate)
        }
    }

    @Test("with several vectors at once equal those one by one, bit for bit", arguments: [5, 32, 60], kinds)
    func several(size: Int, kind: SoftmaxCurvature.Kind) throws {
        let problem = SoftmaxProblem(count: 60, width: 7, classes: 10, bias: true, bytes: true)
        let curvature = try problem.curvature(kind)
        let p = curvature.dimension
        var numbers = SeededNumbers(9)
        var (x, y) = (numbers.floats(5 * p), numbers.floats(5 * p))
        // A companion that is beyond all numbers.
        for i in p..<2 * p { x[i] = i % 2 == 0 ? .infinity : .nan }
        let together = product(curvature, over: .range(0..<size), alpha: 0.5, of: x, beta: 2, to: y)
        y[p] = 0
        for v in [0, 2, 3, 4] {
            let part = v * p..<(v + 1) * p
            let alone = product(curvature, over: .range(0..<size), alpha: 0.5, of: Array(x[part]), beta: 2, to: Array(y[part]))
            #expect(Array(together[part]) == alone)
        }
    }

    @Test("a workspace serves fewer vectors than it was made for, and again and again")
    func workspace() throws {
        let problem = SoftmaxProblem(count: 40, width: 4, classes: 3, bias: true, bytes: true)
        let curvature = try problem.curvature(.hessian)
        let workspace = curvature.makeWorkspace(vectorCount: 3)
        var numbers = SeededNumbers(10)
        for _ in 0..<3 {
            let x = numbers.floats(curvature.dimension)
            var y = [Float](repeating: 0, count: x.count)
            try curvature.addProduct(
                over: .range(0..<40), alpha: 1, of: x, beta: 0, plus: nil, to: &y, vectorCount: 1, workspace: workspace)
            #expect(y == product(curvature, over: .range(0..<40), of: x))
        }
    }

    @Test("over all examples have the same bits on any number of threads", arguments: kinds)
    func threads(kind: SoftmaxCurvature.Kind) throws {
        let problem = SoftmaxProblem(count: 1003, width: 33, classes: 10, bias: true, bytes: true)
        let curvature = try problem.curvature(kind)
        var numbers = SeededNumbers(11)
        let x = numbers.floats(2 * curvature.dimension)
        let results = try [1, 2, 5].map { threads in
            var y = [Float](repeating: 0, count: x.count)
            try curvature.product(of: x, to: &y, vectorCount: 2, parallel: Parallel(threads: threads))
            return y
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("over all examples stop when interrupted")
    func interrupted() throws {
        let problem = SoftmaxProblem(count: 40, width: 4, classes: 2, bias: false, bytes: false)
        let curvature = try problem.curvature(.hessian)
        var y = [Float](repeating: 0, count: curvature.dimension)
        #expect(throws: Interrupted()) {
            try curvature.product(
                of: y, to: &y, vectorCount: 1, parallel: Parallel(threads: 2), interruption: Interruption { true })
        }
    }

    @Test("a product with many vectors over one batch asks again and again whether to stop", arguments: [32, 400])
    func asks(size: Int) throws {
        let problem = SoftmaxProblem(count: 400, width: 64, classes: 10, bias: true, bytes: true)
        let curvature = try problem.curvature(.hessian)
        let vectors = 12_800 / size
        let x = [Float](repeating: 0.01, count: curvature.dimension * vectors)
        var y = x
        let operations = 4 * size * curvature.dimension * vectors
        let asked = Atomic(0)
        func multiply(stoppingAt limit: Int) throws {
            asked.store(0, ordering: .relaxed)
            let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit }
            try curvature.addProduct(
                over: .range(0..<size), alpha: 1, of: x, beta: 0, plus: nil, to: &y, vectorCount: vectors,
                workspace: curvature.makeWorkspace(vectorCount: vectors, interruption: interruption))
        }
        try multiply(stoppingAt: .max)
        #expect(asked.load(ordering: .relaxed) >= operations / PacedInterruption.interval / 2)
        #expect(asked.load(ordering: .relaxed) >= 4)
        #expect(throws: Interrupted()) { try multiply(stoppingAt: 3) }
        #expect(asked.load(ordering: .relaxed) == 3)
    }

    @Test("a single example and fewer examples than pieces are no special case", arguments: [1, 2, 15, 17])
    func few(count: Int) throws {
        let problem = SoftmaxProblem(count: count, width: 3, classes: 2, bias: true, bytes: false)
        let curvature = try problem.curvature(.hessian)
        var numbers = SeededNumbers(12)
        let x = numbers.floats(curvature.dimension)
        var y = [Float](repeating: .nan, count: x.count)
        try curvature.product(of: x, to: &y, vectorCount: 1, parallel: Parallel(threads: 2))
        let matrix = problem.reference.curvature(.hessian, problem.theta, over: Array(0..<count))
        #expect(Closeness.relativeDistance(y, matrix.times(x)) < 1e-5)
    }
}
