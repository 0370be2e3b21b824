import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Curvatures of networks against their definitions.
@Suite("networks: curvatures")
struct NetworkCurvatureTests {
    private static let networks = Result { try RandomNetwork.all() + RandomNetwork.all(weighted: true) }
    private var networks: [RandomNetwork] { get throws { try Self.networks.get() } }

    private func curvature(_ kind: CurvatureKind, _ subject: RandomNetwork) -> NetworkCurvature {
        NetworkCurvature(kind, of: subject.trained, over: subject.examples)
    }

    @Test("the Hessian is symmetric, and the others have no negative eigenvalue")
    func symmetric() throws {
        for subject in try networks {
            for kind in CurvatureKind.allCases {
                let matrix = try curvature(kind, subject).explicit()
                #expect(Closeness.largestError(matrix.elements, matrix.transposed.elements) < 1e-5, "\(subject.testDescription)")
                guard kind != .hessian, matrix.rows < 60 else { continue }
                let eigenvalues = matrix.symmetricEigenvalues
                #expect((eigenvalues.first ?? -1) > -1e-5 * (eigenvalues.last ?? 0), "\(subject.testDescription)")
            }
        }
    }

    @Test("the empirical Fisher matrix is (1/n) Σ w∇ℓ∇ℓᵀ")
    func fisher() throws {
        for subject in try networks {
            let rows = try subject.trained.gradientRows(of: subject.examples)
            let p = subject.network.parameterCount
            var expected = DenseMatrix(rows: p, columns: p)
            for (example, g) in rows.enumerated() {
                // g is weighted: w∇ℓ∇ℓᵀ = ggᵀ/w.
                let weight = Double(subject.examples.weights?[example] ?? 1)
                guard weight > 0 else { continue }
                for i in 0..<p { for j in 0..<p { expected[i, j] += g[i] * g[j] / weight / Double(rows.count) } }
            }
            let matrix = try curvature(.empiricalFisher, subject).explicit()
            #expect(Closeness.largestError(matrix.elements, expected.elements) < 1e-5, "\(subject.testDescription)")
        }
    }

    @Test("the Gauss-Newton matrix is the Hessian where outputs are affine in θ, and only there")
    func gaussNewton() throws {
        for subject in try networks {
            let hessian = try curvature(.hessian, subject).explicit()
            let gaussNewton = try curvature(.gaussNewton, subject).explicit()
            let difference = Closeness.relativeDistance(gaussNewton.elements, hessian.elements)
            #expect(subject.network.isConvex ? difference == 0 : difference > 1e-3, "\(subject.testDescription)")
        }
        let linear = try RandomNetwork("linear", #"{"type": "linear", "in_features": 4, "out_features": 3}"#)
        #expect(linear.network.isConvex)
        #expect(
            try curvature(.hessian, linear).explicit() == curvature(.gaussNewton, linear).explicit(), "computed the same way")
    }

    @Test(
        "a batch's product is the mean over its examples, an example named twice counting twice",
        arguments: CurvatureKind.allCases)
    func batches(kind: CurvatureKind) throws {
        for subject in try networks {
            let curvature = curvature(kind, subject)
            var numbers = SeededNumbers(7)
            let vectors = numbers.floats(2 * curvature.dimension)
            let chosen: [UInt32] = [3, 0, 3, 3, 39, 20, 7]
            let images = try curvature.products(of: vectors, over: chosen)
            let alone = try chosen.map { try curvature.products(of: vectors, over: [$0]) }
            let expected = images.indices.map { i in alone.reduce(0) { $0 + Double($1[i]) } / Double(chosen.count) }
            #expect(Closeness.relativeDistance(images, expected) < 1e-5, "\(subject.testDescription)")
        }
    }

    @Test("products enter y as β·y + addend + α·Cx, whether or not x is y", arguments: CurvatureKind.allCases)
    func factors(kind: CurvatureKind) throws {
        let subject = try networks[1]
        let curvature = curvature(kind, subject)
        let count = 2 * curvature.dimension
        var numbers = SeededNumbers(8)
        let (x, y, addend) = (numbers.floats(count), numbers.floats(count), numbers.floats(count))
        let image = try curvature.products(of: x, over: [5, 6, 7])
        for (alpha, beta, isAdded) in [(1, 0, false), (-0.5, 0.75, true), (2, -1, false), (0, 1, true), (0.5, 0, true)]
            as [(Float, Float, Bool)]
        {
            for isSame in [false, true] {
                var result = isSame ? x : beta == 0 ? [Float](repeating: .nan, count: count) : y
                let before = result
                try result.withUnsafeMutableBufferPointer { result in
                    let out = result.baseAddress!
                    try x.withUnsafeBufferPointer { x in
                        try curvature.addProduct(
                            over: .range(5..<8), alpha: alpha, of: isSame ? UnsafePointer(out) : x.baseAddress!, beta: beta,
                            plus: isAdded ? addend : nil, to: out, vectorCount: 2,
                            workspace: curvature.makeWorkspace(vectorCount: 3))
                    }
                }
                let expected = (0..<count).map { i in
                    (beta == 0 ? 0 : Double(beta) * Double(before[i])) + (isAdded ? Double(addend[i]) : 0)
                        + Double(alpha) * Double(image[i])
                }
                #expect(Closeness.relativeDistance(result, expected) < 1e-5)
            }
        }
    }

    @Test("what is written is D + λI, of whatever kind, on any number of threads", arguments: CurvatureKind.allCases)
    func written(kind: CurvatureKind) throws {
        for subject in try networks.prefix(5) {
            let curvature = curvature(kind, subject)
            let expected = try curvature.explicit().plus(diagonal: 0.25)
            let matrices = try [1, 2].map { threads in
                let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
                matrix.memory.elements.initialize(repeating: .nan)
                try curvature.write(plus: 0.25, to: matrix, parallel: Parallel(threads: threads), interruption: .never)
                return matrix
            }
            let order = curvature.dimension
            let elements = (0..<order).flatMap { row in (0..<order).map { matrices[0][row, $0] } }
            #expect(Closeness.largestError(elements, expected.elements) < 1e-5, "\(subject.testDescription)")
            #expect(matrices[0].memory.copy == matrices[1].memory.copy)
        }
    }
}
