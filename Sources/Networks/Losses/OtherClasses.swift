internal import Foundation

/// The outputs of all classes but one, measured from the largest of them: so their sum is never zero and never infinite, however
/// sure the model is of the one.
struct OtherClasses {
    /// Their largest output, −∞ where there is no other; and Σ exp(f_j − largest) without the largest's own 1.
    private let largest, rest: Double
    /// log p_y/(1 − p_y) = f_y − log Σ_{j≠y} exp f_j of the one: computed without 1 − p_y, which may be far below the spacing of
    /// numbers near 1. Then p_y = σ(margin) and 1 − p_y = σ(−margin), each with all its digits.
    let margin: Double

    /// The others than class y among `count` finite outputs.
    @inline(__always)
    init<Number: Real>(than y: Int, _ outputs: UnsafePointer<Number>, count: Int) {
        guard count > 1 else {
            (largest, rest, margin) = (-.infinity, 0, .infinity)
            return
        }
        var top = y == 0 ? 1 : 0
        for j in 0..<count where j != y && outputs[j] > outputs[top] { top = j }
        let largest = Double(outputs[top])
        var rest = 0.0
        for j in 0..<count where j != y && j != top { rest += exp(Double(outputs[j]) - largest) }
        (self.largest, self.rest, margin) = (largest, rest, (Double(outputs[y]) - largest) - log1p(rest))
    }

    /// p_j/(1 − p_y) of another class, from its output.
    func share(_ output: Double) -> Double { exp(output - largest) / (1 + rest) }
}
