internal import LinearAlgebra

/// Where the norms of all examples are gathered, each by whichever thread has it.
///
/// Sendable as memory that is written in disjoint parts.
struct NormSums: Sendable {
    private let influence: AlignedMemory<Double>
    private let steps: AlignedMemory<Double>?

    init(count: Int, _ quantity: InverseNorms.Quantity) {
        influence = AlignedMemory(repeating: 0, count: count)
        steps = quantity == .both ? AlignedMemory(repeating: 0, count: count) : nil
    }

    /// Whether lengths are wanted.
    var needsSteps: Bool { steps != nil }

    /// Adds parts of θ's to what an example has.
    func add(_ example: Int, influence part: Double, squaredStep: Double) {
        influence.start[example] += part
        steps?.start[example] += squaredStep
    }

    /// The norms.
    /// - Parameter refuse: throws what is wrong with an example whose self-influence is negative.
    /// - Throws: that, and `SolverError.notFinite`.
    func finished(refuse: (_ example: Int, _ value: Double) throws -> Void) throws -> InverseNorms {
        for (example, value) in influence.elements.enumerated() {
            guard value.isFinite, steps?.start[example].isFinite ?? true else { throw SolverError.notFinite }
            if value < 0 { try refuse(example, value) }
        }
        return InverseNorms(selfInfluence: influence.copy.map { max(0, $0) }, squaredSteps: steps?.copy)
    }

    /// The norms, of a solver that none can be negative of.
    /// - Throws: `SolverError.notFinite`.
    func finished() throws -> InverseNorms { try finished { _, _ in } }
}
