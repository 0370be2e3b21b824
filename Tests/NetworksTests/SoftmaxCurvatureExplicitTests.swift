import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("softmax regression: the explicit curvature and what is known of it")
struct SoftmaxCurvatureExplicitTests {
    private func written(_ curvature: SoftmaxCurvature, plus shift: Double, threads: Int = 1) throws -> PackedSymmetricMatrix {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
        matrix.memory.elements.initialize(repeating: .nan)
        try curvature.write(plus: shift, to: matrix, parallel: Parallel(threads: threads), interruption: .never)
        return matrix
    }

    private func dense(_ matrix: PackedSymmetricMatrix) -> [Float] {
        (0..<matrix.order).flatMap { row in (0..<matrix.order).map { matrix[row, $0] } }
    }

    @Test(
        "what is written is D + λI, of even and odd order",
        arguments: SoftmaxProblem.all(count: 21, width: 4) + SoftmaxProblem.all(count: 21, width: 3), SoftmaxCurvatureTests.kinds)
    func matrix(problem: SoftmaxProblem, kind: SoftmaxCurvature.Kind) throws {
        let expected = problem.reference.curvature(kind, problem.theta, over: Array(0..<21)).plus(diagonal: 0.25)
        #expect(Closeness.largestError(dense(try written(problem.curvature(kind), plus: 0.25)), expected.elements) < 1e-5)
    }

    @Test(
        "what is written agrees with products with unit vectors, over more rows than a tile holds",
        arguments: [(3, true), (3, false), (2, true), (10, false)], SoftmaxCurvatureTests.kinds)
    func unitVectors(model: (classes: Int, bias: Bool), kind: SoftmaxCurvature.Kind) throws {
        let problem = SoftmaxProblem(count: 600, width: 5, classes: model.classes, bias: model.bias, bytes: true)
        let curvature = try problem.curvature(kind)
        let p = curvature.dimension
        var units = [Float](repeating: 0, count: p * p)
        for i in 0..<p { units[i * p + i] = 1 }
        var products = [Float](repeating: 0, count: p * p)
        try curvature.product(of: units, to: &products, vectorCount: p, parallel: Parallel(threads: 2))
        #expect(Closeness.largestError(dense(try written(curvature, plus: 0)), products) < 1e-5)
    }

    @Test("the bits that are written do not depend on the number of threads", arguments: SoftmaxCurvatureTests.kinds)
    func threads(kind: SoftmaxCurvature.Kind) throws {
        let problem = SoftmaxProblem(count: 300, width: 19, classes: 4, bias: true, bytes: true)
        let curvature = try problem.curvature(kind)
        let one = dense(try written(curvature, plus: 0.1))
        for threads in [2, 5] { #expect(dense(try written(curvature, plus: 0.1, threads: threads)) == one) }
    }

    @Test("the matrix of some examples is their mean, wherever they lie and however they are stored")
    func someExamples() throws {
        for problem in SoftmaxProblem.all(count: 21, width: 4) {
            let rows: [UInt32] = [20, 3, 3, 11]
            let curvature = try problem.curvature(.hessian)
            let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
            try rows.withUnsafeBufferPointer {
                try curvature.write(
                    over: .indices($0), plus: 0.25, to: matrix, parallel: Parallel(threads: 2), interruption: .never)
            }
            let expected = problem.reference.curvature(.hessian, problem.theta, over: rows.map(Int.init)).plus(diagonal: 0.25)
            #expect(Closeness.largestError(dense(matrix), expected.elements) < 1e-5)
        }
    }

    @Test("blocks that are summed in parts are the same on any number of threads, and agree with products")
    func parts() throws {
        let problem = SoftmaxProblem(count: 1700, width: 5, classes: 2, bias: true, bytes: false)
        let curvature = try problem.curvature(.hessian)
        let one = dense(try written(curvature, plus: 0))
        #expect(dense(try written(curvature, plus: 0, threads: 3)) == one)
        let p = curvature.dimension
        var units = [Float](repeating: 0, count: p * p)
        for i in 0..<p { units[i * p + i] = 1 }
        var products = [Float](repeating: 0, count: p * p)
        try curvature.product(of: units, to: &products, vectorCount: p, parallel: Parallel(threads: 2))
        #expect(Closeness.largestError(one, products) < 1e-5)
    }

    @Test("probabilities known as what residuals leave of one may be a rounding below zero")
    func roundings() throws {
        let model = SoftmaxRegression(inputWidth: 2, classCount: 3, hasBias: true)
        let features = FeatureRows([1, 2, -1, 0.5], width: 2)
        // The model is sure of another class than the label, and its probabilities sum to a little more than one.
        let curvature = SoftmaxCurvature(
            .hessian, model: model, features: features, residuals: [0.6, 0.400_000_1, -1.000_000_1, 0.2, -0.7, 0.5],
            targets: [2, 1])
        let exact = SoftmaxCurvature(
            .hessian, model: model, features: features, outputFactors: [0.6, 0.4, 0, 0.2, 0.3, 0.5])
        #expect(Closeness.largestError(dense(try written(curvature, plus: 0)), dense(try written(exact, plus: 0))) < 1e-6)
    }

    @Test("writing stops when interrupted")
    func interrupted() throws {
        let curvature = try SoftmaxProblem(count: 10, width: 4, classes: 3, bias: true, bytes: false).curvature(.hessian)
        let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
        #expect(throws: Interrupted()) {
            try curvature.write(plus: 0, to: matrix, parallel: Parallel(threads: 1), interruption: Interruption { true })
        }
    }

    @Test("a matrix of another order is a programmer's error")
    func wrongOrder() async {
        await #expect(processExitsWith: .failure) {
            let curvature = try SoftmaxProblem(count: 10, width: 4, classes: 3, bias: true, bytes: false).curvature(.hessian)
            let matrix = PackedSymmetricMatrix(uninitializedOrder: 3)
            try curvature.write(plus: 0, to: matrix, parallel: Parallel(threads: 1), interruption: .never)
        }
    }

    @Test("the trace is the explicit matrix's", arguments: SoftmaxProblem.all(count: 21, width: 4), SoftmaxCurvatureTests.kinds)
    func trace(problem: SoftmaxProblem, kind: SoftmaxCurvature.Kind) throws {
        let matrix = problem.reference.curvature(kind, problem.theta, over: Array(0..<21))
        let trace = (0..<matrix.rows).reduce(0) { $0 + matrix[$1, $1] }
        #expect(
            abs(try problem.curvature(kind).measure(parallel: Parallel(threads: 2), interruption: .never).trace - trace) < 1e-5
                * trace)
    }

    @Test(
        "no example's curvature is larger than the bound, which is at most a few times too large",
        arguments: SoftmaxProblem.all(count: 12, width: 4) + SoftmaxProblem.all(count: 12, width: 4, parameterScale: 6),
        SoftmaxCurvatureTests.kinds)
    func bound(problem: SoftmaxProblem, kind: SoftmaxCurvature.Kind) throws {
        let reference = problem.reference
        let classes = problem.model.classCount
        let norms = (0..<12).map { example in
            let squaredNorm = reference.inputs[example].reduce(problem.model.hasBias ? 1 : 0) { $0 + $1 * $1 }
            // ‖A ⊗ x̃x̃ᵀ‖ = ‖A‖·‖x̃‖².
            let p = reference.probabilities(problem.theta, example)
            switch kind {
            case .hessian:
                var a = DenseMatrix(diagonal: p)
                for c in 0..<classes { for d in 0..<classes { a[c, d] -= p[c] * p[d] } }
                return (a.symmetricEigenvalues.last ?? 0) * squaredNorm
            case .empiricalFisher:
                return reference.gradient(problem.theta, example).reduce(0) { $0 + $1 * $1 }
            }
        }
        let largest = norms.max() ?? 0
        let bound = try problem.curvature(kind).measure(parallel: Parallel(threads: 2), interruption: .never)
            .largestExampleNorm
        #expect(bound >= largest * (1 - 1e-5))
        #expect(bound <= 2 * largest)
    }
}
