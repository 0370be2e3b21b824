internal import LinearAlgebra

/// θ, with what is known of F there.
struct TrainingPoint: Sendable {
    var parameters: [Float]
    /// ∇F over the examples it was last evaluated on.
    var gradient: [Float]
    /// The mean loss of these, without weight decay.
    var loss = Double.nan
    /// F over these.
    var objective = Double.nan

    init(parameters: [Float]) {
        self.parameters = parameters
        gradient = [Float](repeating: 0, count: parameters.count)
    }

    var gradientNorm: Double { Vectors.norm(gradient) }
}

/// An objective, and the means to evaluate it.
struct Landscape {
    let objective: any TrainingObjective
    let parallel: Parallel
    let interruption: Interruption

    /// Evaluates F and ∇F at a point over a batch; over all examples where there is none.
    func evaluate(_ point: inout TrainingPoint, over batch: ExampleBatch? = nil) throws {
        let value = try point.parameters.withUnsafeBufferPointer { parameters in
            try point.gradient.withUnsafeMutableBufferPointer { gradient in
                try objective.evaluate(
                    parameters.baseAddress!, over: batch ?? .range(0..<objective.exampleCount), gradient: gradient.baseAddress!,
                    parallel: parallel, interruption: interruption)
            }
        }
        (point.loss, point.objective) = (value.loss, value.objective)
    }

    /// y ← ∇²F(θ)·v.
    func hessianProduct(at parameters: [Float], of v: [Float], to y: inout [Float]) throws {
        try parameters.withUnsafeBufferPointer { parameters in
            try v.withUnsafeBufferPointer { v in
                try y.withUnsafeMutableBufferPointer { y in
                    try objective.hessianProduct(
                        at: parameters.baseAddress!, of: v.baseAddress!, to: y.baseAddress!, parallel: parallel,
                        interruption: interruption)
                }
            }
        }
    }
}

/// How finely F can be told apart where θ, outputs and gradients are of single precision: what lies closer is the same.
///
/// An output's relative error is some 2⁻²³, and a loss's about as much for every unit of the outputs. Relative to |F|, as in the
/// line search of Hager & Zhang (2005, A new conjugate gradient method with guaranteed descent), and of the size of their ε.
enum SinglePrecision {
    static func noise(of objective: Double) -> Double { 0x1p-20 * abs(objective) }
}

extension Parallel {
    /// Elements that are worth a thread's while.
    private static var elementsPerPiece: Int { 1 << 16 }

    /// Runs an element-wise update by ranges: an element's result depends on no other's.
    ///
    /// Nothing interrupts it, for half an update is none; it takes milliseconds.
    func forEachRange(of count: Int, _ body: @escaping @Sendable (Range<Int>) -> Void) throws {
        let pieces = (count + Self.elementsPerPiece - 1) / Self.elementsPerPiece
        try forEach(pieces) { piece in
            body(piece * Self.elementsPerPiece..<min((piece + 1) * Self.elementsPerPiece, count))
        }
    }
}
