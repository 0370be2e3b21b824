@testable import Networks
import Testing

/// A step with sizes, numbers to compute it with, and what PyTorch makes of them.
///
/// The numbers are sines, which any program can make: number k of x is sin(1 + k), of θ sin(2 + 1.3k), of δy cos(0.5 + 0.7k), of ẋ
/// cos(3 + 1.1k), of v cos(0.2 + 0.9k) and of δẏ sin(0.4 + 0.6k).
struct StepCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let operation: Operation
    let rows, inputWidth, outputWidth: Int
    /// Numbers in θ, weights first, and what is not trained.
    var trainedCount = 0
    var fixed: [Double] = []
    /// Token ids, where the input is not numbers.
    var ids: [Double]?
    /// Numbers of θ that have no derivative.
    var untrained: Range<Int> = 0..<0
    /// Σ_k cos(k) · number k of each of y, δx, δθ, ẏ, δẋ and the tangent of δθ, from PyTorch in double precision.
    var reference: [Double] = []

    var step: Step {
        Step(
            operation: operation, inputWidth: inputWidth, outputWidth: outputWidth, trained: 0..<trainedCount, pointer: "",
            name: "")
    }

    var x: [Double] { ids ?? Self.sines(rows * inputWidth, 1, 1) }
    var parameters: [Double] { Self.sines(trainedCount, 2, 1.3) }
    var dy: [Double] { Self.sines(rows * outputWidth, 0.5 + .pi / 2, 0.7) }
    /// No direction, where x is token ids.
    var tangentX: [Double]? { ids == nil ? Self.sines(rows * inputWidth, 3 + .pi / 2, 1.1) : nil }
    /// No direction, where nothing is trained.
    var direction: [Double]? { trainedCount > 0 ? Self.sines(trainedCount, 0.2 + .pi / 2, 0.9) : nil }
    var tangentDy: [Double] { Self.sines(rows * outputWidth, 0.4, 0.6) }

    static func sines(_ count: Int, _ phase: Double, _ frequency: Double) -> [Double] {
        (0..<count).map { sine(phase + frequency * Double($0)) }
    }
}

/// Where a case's tensors lie, in θ or among what is fixed.
struct Slots {
    private(set) var trained = 0
    private(set) var fixed = 0

    mutating func slot(_ count: Int, isTrained: Bool = true) -> TensorSlot {
        defer { if isTrained { trained += count } else { fixed += count } }
        return TensorSlot(isTrained: isTrained, offset: isTrained ? trained : fixed, count: count)
    }
}
