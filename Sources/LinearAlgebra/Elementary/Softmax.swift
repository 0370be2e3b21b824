internal import CKernels
internal import Foundation

/// The softmax of rows of scores, and its normalisers.
public enum Softmax {
    /// pᵣ = softmax(xᵣ) and log Σ_c exp(x[r, c]) of each row, as far as they are asked for.
    ///
    /// Shifted by the row's largest score, so that nothing overflows, and summed in double precision: the log-sum is exact to about
    /// 1e-9 and comes in double precision, as a loss is a difference of it and a score. A row's results are its own, whatever other
    /// rows there are. A row with NaN or +∞, or of −∞ alone, gives NaN, as in PyTorch; a score of −∞ beside others gives zero.
    /// - Parameters:
    ///   - x: scores [rows, classes].
    ///   - rows: how many rows.
    ///   - classes: scores of a row, at least one.
    ///   - probabilities: takes the softmax [rows, classes]; may be `x`.
    ///   - logSums: takes the log-sums [rows].
    public static func rows(
        _ x: UnsafePointer<Float>, rows: Int, classes: Int, probabilities: UnsafeMutablePointer<Float>? = nil,
        logSums: UnsafeMutablePointer<Double>? = nil
    ) {
        influenced_softmax_rows(x, rows, classes, probabilities, logSums)
    }

    /// The same in double precision, one number after the other: what single precision is checked against.
    public static func rows(
        _ x: UnsafePointer<Double>, rows: Int, classes: Int, probabilities: UnsafeMutablePointer<Double>? = nil,
        logSums: UnsafeMutablePointer<Double>? = nil
    ) {
        for row in 0..<rows {
            let scores = x + row * classes
            var largest = -Double.infinity
            for c in 0..<classes { largest = max(largest, scores[c]) }
            var sum = 0.0
            for c in 0..<classes { sum += exp(scores[c] - largest) }
            logSums?[row] = largest + log(sum)
            if let probabilities {
                for c in 0..<classes { probabilities[row * classes + c] = exp(scores[c] - largest) / sum }
            }
        }
    }
}
