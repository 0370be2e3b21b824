internal import Foundation
internal import LinearAlgebra

/// A kind of floating-point number that networks can be computed in: single precision to serve, double to check it against.
protocol Real: ImageNumber, Sendable {
    /// C ← α·op(A)·op(B) + β·C, row-major, as `BLAS.multiply`.
    static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Self, _ a: UnsafePointer<Self>, _ lda: Int, _ b: UnsafePointer<Self>, _ ldb: Int,
        beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: Int)
    /// The function and its derivatives of each of some numbers, as far as they are asked for.
    static func evaluate(
        _ function: ElementwiseFunction, _ x: UnsafePointer<Self>, count: Int, value: UnsafeMutablePointer<Self>?,
        first: UnsafeMutablePointer<Self>?, second: UnsafeMutablePointer<Self>?)
    /// exp(xᵢ) / Σ exp(x), shifted so that nothing overflows.
    static func softmax(_ x: UnsafePointer<Self>, count: Int, into probabilities: UnsafeMutablePointer<Self>)
    /// eˣ.
    static func exponential(_ x: Self) -> Self
    /// The values of some rows, the features' multiplier applied.
    static func load(_ rows: Range<Int>, of features: FeatureRows, into destination: UnsafeMutablePointer<Self>)
}

extension Float: Real {
    @inline(__always)
    static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        MatrixProduct.multiply(transA, transB, m: m, n: n, k: k, alpha: alpha, a, lda, b, ldb, beta: beta, c, ldc)
    }

    @inline(__always)
    static func evaluate(
        _ function: ElementwiseFunction, _ x: UnsafePointer<Float>, count: Int, value: UnsafeMutablePointer<Float>?,
        first: UnsafeMutablePointer<Float>?, second: UnsafeMutablePointer<Float>?
    ) {
        function.evaluate(x, count: count, value: value, first: first, second: second)
    }

    @inline(__always)
    static func softmax(_ x: UnsafePointer<Float>, count: Int, into probabilities: UnsafeMutablePointer<Float>) {
        Softmax.rows(x, rows: 1, classes: count, probabilities: probabilities)
    }

    @inline(__always)
    static func exponential(_ x: Float) -> Float { expf(x) }

    static func load(_ rows: Range<Int>, of features: FeatureRows, into destination: UnsafeMutablePointer<Float>) {
        features.copyValues(of: rows, into: destination)
    }
}

extension Double: Real {
    static func multiply(
        _ transA: Transposition, _ transB: Transposition, m: Int, n: Int, k: Int,
        alpha: Double, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        BLAS.multiply(transA, transB, m: m, n: n, k: k, alpha: alpha, a, lda, b, ldb, beta: beta, c, ldc)
    }

    static func evaluate(
        _ function: ElementwiseFunction, _ x: UnsafePointer<Double>, count: Int, value: UnsafeMutablePointer<Double>?,
        first: UnsafeMutablePointer<Double>?, second: UnsafeMutablePointer<Double>?
    ) {
        function.evaluate(x, count: count, value: value, first: first, second: second)
    }

    static func softmax(_ x: UnsafePointer<Double>, count: Int, into probabilities: UnsafeMutablePointer<Double>) {
        Softmax.rows(x, rows: 1, classes: count, probabilities: probabilities)
    }

    static func exponential(_ x: Double) -> Double { exp(x) }

    static func load(_ rows: Range<Int>, of features: FeatureRows, into destination: UnsafeMutablePointer<Double>) {
        for row in rows {
            let values = features.values(of: row)
            for (j, value) in values.enumerated() { destination[(row - rows.lowerBound) * features.width + j] = Double(value) }
        }
    }
}
