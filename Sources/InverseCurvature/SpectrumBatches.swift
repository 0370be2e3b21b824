internal import Foundation
public import LinearAlgebra

/// How large the curvature of mini-batches is: λ_max(C_B) over some that were drawn at random.
public struct BatchSpectrum: Sendable, Equatable, Codable {
    /// B.
    public let size: Int
    /// How many batches were looked at.
    public let count: Int
    /// The mean of λ_max(C_B).
    public let mean: Double
    /// Its standard deviation from batch to batch.
    public let deviation: Double
    /// The largest met.
    public let largest: Double

    /// What is known from before.
    public init(size: Int, count: Int, mean: Double, deviation: Double, largest: Double) {
        self.size = size
        self.count = count
        self.mean = mean
        self.deviation = deviation
        self.largest = largest
    }

    /// Sizes of which the automatic settings choose.
    public static let standardSizes = [1, 8, 32, 128, 512]
    /// Lanczos steps for each batch.
    private static let steps = 10

    /// Looks at some batches, which are drawn without replacement: `count`·B·10 products with one example's Cᵢ, the batches on all threads.
    /// - Throws: `SolverError.notFinite`, `Interrupted`.
    public init(
        of curvature: any CurvatureOperator, size: Int, count: Int = 8, seed: UInt64 = 0, parallel: Parallel,
        interruption: Interruption = .never
    ) throws {
        try self.init(
            of: curvature.exampleCount, size: size, count: count, seed: seed, parallel: parallel, interruption: interruption
        ) { try Self.largest(of: curvature, over: $0, interruption) }
    }

    /// The same of any curvature of which `largest` tells the largest eigenvalue over given rows of `exampleCount`.
    init(
        of exampleCount: Int, size: Int, count: Int = 8, seed: UInt64 = 0, parallel: Parallel, interruption: Interruption,
        largest: @escaping @Sendable (AlignedMemory<UInt32>) throws -> Double
    ) throws {
        precondition((1...exampleCount).contains(size) && count > 1, "batches are of examples, and several")
        var stream = RandomStream(seed: seed, index: UInt64(size))
        let batches = (0..<count).map { _ in AlignedMemory(copying: Self.drawn(size, of: exampleCount, from: &stream)) }
        let values = AlignedMemory<Double>(uninitialized: count)
        do {
            try parallel.forEach(count, interruption: interruption) { index in
                values.start[index] = try largest(batches[index])
            }
        } catch LanczosError.notFinite {
            throw SolverError.notFinite
        }
        let all = values.copy
        let mean = all.reduce(0, +) / Double(count)
        let squares = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(
            size: size, count: count, mean: mean, deviation: (squares / Double(count - 1)).squareRoot(),
            largest: all.max() ?? mean)
    }

    /// What hardly a batch exceeds: a tenth more than the mean and three deviations, or than the largest met, whichever is more; the tenth
    /// covers that few batches were looked at, and that ten steps fall short.
    public var bound: Double { max(largest, mean + 3 * deviation) * 1.1 }

    private static func largest<Curvature: CurvatureOperator>(
        of curvature: Curvature, over batch: AlignedMemory<UInt32>, _ interruption: Interruption
    ) throws -> Double {
        let workspace = curvature.makeWorkspace(vectorCount: 1, interruption: interruption)
        return try Lanczos.ends(
            dimension: curvature.dimension, steps: steps, parallel: Parallel(threads: 1), interruption: interruption
        ) { x, y in
            try curvature.addProduct(
                over: .indices(UnsafeBufferPointer(batch.elements)), alpha: 1, of: x, beta: 0, plus: nil, to: y, vectorCount: 1,
                workspace: workspace)
        }.largest.value
    }

    /// Different rows, in ascending order (Floyd's algorithm; Bentley & Floyd 1987).
    private static func drawn(_ size: Int, of count: Int, from stream: inout RandomStream) -> [UInt32] {
        var chosen: Set<UInt32> = []
        for last in (count - size)..<count {
            let row = stream.next(below: UInt32(last + 1))
            if !chosen.insert(row).inserted { chosen.insert(UInt32(last)) }
        }
        return chosen.sorted()
    }
}
