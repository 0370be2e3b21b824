public import LinearAlgebra

/// s_test from a sketch of the inverse curvature: S = (D + λI)⁻¹Gᵀ for a random G [d, p] of independent normal numbers of variance 1/d, so
/// that E[GᵀG] = I (Pruthi, Liu, Kale & Sundararajan 2020, appendices A.1 and E). S is found once, by stochastic gradients of two
/// mini-batches (eq. 3; `TwoBatchDescent`) or by any other solver, and kept; a query is then two small products.
///
/// The paper's estimate S(Gv) is unbiased, and of little use: E‖s − s_exact‖² = (‖v‖²·tr (D + λI)⁻² + ‖s_exact‖²)/d, where each direction
/// in which D vanishes counts 1/λ², so that about p columns are needed. What helps is that S − Gᵀ/λ, the part of S that knows of D at all,
/// spans the directions that matter long before its columns are right: the fitted estimate takes D's Ritz pairs from that span. Softmax
/// regression on MNIST (n = 55,000, p = 7,840, λ = 0.01), ten tests, medians of s_test's relative error and of the scores' Pearson
/// correlation with the exact ones, and the time to prepare on two cores:
///
///     d                                  64                  256                 1024
///     unbiased, columns by LiSSA       32  .16   2 s       16  .29  11 s
///     unbiased, columns by 2,000 steps 35  .25  13 s
///     unbiased, exact columns          30  .14             17  .32              8.4 .52
///     fitted, 16 steps                .60  .88   2 s      .37  .96   7 s       .15  .997  18 s
///
/// `ArnoldiSolver` does as well in less time where few pairs suffice (100 of 200 products: .42, .957 in 4 s; 200 of 400: .27, .987 in 6 s),
/// and no better where many are wanted. A query takes what its products with the data take.
public struct SketchSolver: Sendable {
    /// What a query makes of the sketch.
    public enum Estimate: String, Sendable, Hashable, CaseIterable {
        /// s = S(Gv), as the paper has it, whose expectation over G is (D + λI)⁻¹v. S serves the λ that it was found for.
        case unbiased
        /// The best that the span of S holds: (D + λI)⁻¹v in the Ritz vectors of D in the span of S − Gᵀ/λ, and `ArnoldiSolver`'s fitted
        /// number for what they leave of v. Serves every λ.
        case fitted
    }

    /// Every number that determines a sketch, beside how its columns are found.
    public struct Settings: Sendable, Hashable {
        /// d; never more than p where it is fitted.
        public var projectionDim: Int
        /// Names G.
        public var seed: UInt64
        /// What a query makes of it.
        public var estimate: Estimate

        /// Settings.
        public init(projectionDim: Int = 256, seed: UInt64 = 0, estimate: Estimate = .fitted) {
            self.projectionDim = projectionDim
            self.seed = seed
            self.estimate = estimate
        }
    }

    /// What is kept.
    enum Substance: Sendable {
        /// Sᵀ [d, p], the λ it is for, and G, which its seed names.
        case columns(StackedRows, shift: Double, projection: StackedRows)
        /// Ritz values and vectors.
        case pairs(ArnoldiSolver)
    }

    /// What it was made with.
    public let settings: Settings
    let substance: Substance

    /// Bytes that it takes in memory.
    public var byteCount: Int {
        switch substance {
        case .columns(let columns, _, let projection):
            (columns.memory.count + projection.memory.count) * MemoryLayout<Float>.stride
        case .pairs(let solver): solver.byteCount
        }
    }

    init(_ settings: Settings, _ substance: Substance) {
        (self.settings, self.substance) = (settings, substance)
    }

    /// Independent groups of columns, each an estimate by itself.
    static let groups = 8
    /// Steps of the descent where the sketch is fitted and nothing is said: the span gains nothing from more.
    public static let fittedSteps = 16

    /// Sketches by descent: 2·J·B products with one example's Cᵢ for each column and, where it is fitted, those of all n once.
    /// - Parameters:
    ///   - system: D and λ.
    ///   - settings: of the sketch.
    ///   - descent: steps, batches and step size.
    ///   - spectrum: what the automatic ones are chosen from.
    ///   - memoryLimit: of the sketch and what finding it takes, in bytes.
    ///   - parallel: the threads.
    ///   - interruption: when to stop; a decomposition of a matrix of order d, 9·d³ flops, is not interrupted.
    /// - Throws: `SolverError.tooLarge` before any work, `.notFinite`, `TwoBatchDescent.Diverged`, `Interrupted`.
    public init(
        of system: DampedCurvature, settings: Settings = Settings(), descent: TwoBatchDescent.Choice = .init(),
        spectrum: SpectrumEstimate, memoryLimit: Int, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        var choice = descent
        if settings.estimate == .fitted { choice.steps = choice.steps ?? Self.fittedSteps }
        let descent = TwoBatchDescent(
            choice, spectrum: spectrum, exampleCount: system.data.exampleCount, shift: system.shift)
        try self.init(
            of: system, settings: settings, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption
        ) { group, rows, columns in
            try descent.streaming(UInt64(group)).descend(
                from: rows.start, to: columns.start, count: rows.count, in: system, parallel: parallel,
                interruption: interruption)
        }
    }

    /// Sketches with columns that another solver finds, of each group of them with a seed of its own.
    /// - Parameter solver: for the group of this number; groups whose solvers draw the same mini-batches are not independent.
    /// - Throws: `SolverError.tooLarge` before any work, `.notFinite`, `Interrupted`, and what the solver throws.
    public init(
        of system: DampedCurvature, settings: Settings = Settings(), memoryLimit: Int, parallel: Parallel,
        interruption: Interruption = .never, columns solver: (_ group: Int) throws -> any SystemSolver
    ) throws {
        try self.init(
            of: system, settings: settings, memoryLimit: memoryLimit, parallel: parallel, interruption: interruption
        ) { group, rows, columns in
            let solver = try solver(group)
            // Some at a time, as a product with the data takes many times their memory.
            for start in stride(from: 0, to: rows.count, by: 32) {
                let part = rows[start..<min(start + 32, rows.count)]
                let sides = Array(UnsafeBufferPointer(start: part.start, count: part.count * part.dimension))
                let solution = try solver.solve(
                    sides, count: part.count, in: system, parallel: parallel, interruption: interruption)
                (columns.start + start * part.dimension).update(from: solution.vectors, count: sides.count)
            }
        }
    }

    private init(
        of system: DampedCurvature, settings: Settings, memoryLimit: Int, parallel: Parallel, interruption: Interruption,
        solve: (_ group: Int, _ rows: StackedRows, _ columns: StackedRows) throws -> Void
    ) throws {
        let dimension = system.dimension
        var settings = settings
        settings.projectionDim = max(1, settings.projectionDim)
        if settings.estimate == .fitted { settings.projectionDim = min(settings.projectionDim, dimension) }
        let count = settings.projectionDim
        try Self.checkSize(dimension: dimension, projectionDim: count, memoryLimit: memoryLimit)
        let projection = try Self.projection(
            count: count, dimension: dimension, seed: settings.seed, parallel: parallel, interruption: interruption)
        let memory = AlignedMemory<Float>(uninitialized: count * dimension)
        let columns = StackedRows(memory, count: count, dimension: dimension)
        for (group, range) in Parallel.ranges(of: count, pieces: Self.groups).enumerated() {
            try solve(group, projection[range], columns[range])
        }
        for row in 0..<count {
            try interruption.check()
            guard Vectors.norm(memory.start + row * dimension, dimension).isFinite else { throw SolverError.notFinite }
        }
        switch settings.estimate {
        case .unbiased: self.init(settings, .columns(columns, shift: system.shift, projection: projection))
        case .fitted:
            // What the columns have beside the solution of D = 0.
            let flat = Float(TwoBatchDescent.flatInverse(shift: system.shift))
            for i in 0..<count * dimension { memory.start[i] -= flat * projection.start[i] }
            let pairs = try RitzPairs.pairs(
                of: system.data, inSpanOf: columns, or: projection, parallel: parallel, interruption: interruption)
            let trace = try system.data.measure(parallel: parallel, interruption: interruption).trace
            guard trace.isFinite else { throw SolverError.notFinite }
            self.init(settings, .pairs(ArnoldiSolver(pairs: pairs, trace: trace, complement: .fitted)))
        }
    }

    /// G: row i is a function of the seed and i, and of d for its variance.
    static func projection(
        count: Int, dimension: Int, seed: UInt64, parallel: Parallel, interruption: Interruption
    ) throws -> StackedRows {
        let memory = AlignedMemory<Float>(uninitialized: count * dimension)
        let deviation = 1 / Double(count).squareRoot()
        try parallel.forEach(count, interruption: interruption) { row in
            // No stream that a solver of the columns draws from.
            var stream = RandomStream(seed: seed, index: 1 << 63 | UInt64(row))
            var pace = PacedInterruption(interruption)
            for i in 0..<dimension {
                memory.start[row * dimension + i] = Float(deviation * stream.nextNormal())
                try pace.check(after: 100)
            }
        }
        return StackedRows(memory, count: count, dimension: dimension)
    }

    /// - Throws: `SolverError.tooLarge` where finding a sketch would take more than `memoryLimit` bytes.
    public static func checkSize(dimension: Int, projectionDim: Int, memoryLimit: Int) throws {
        // G, S or the span, its image, and one more while the span is turned; and a few matrices of order d in double precision.
        let (elements, tooMany) = dimension.multipliedReportingOverflow(by: projectionDim)
        let (floats, tooLong) = elements.multipliedReportingOverflow(by: 4 * MemoryLayout<Float>.stride)
        let (square, tooWide) = projectionDim.multipliedReportingOverflow(by: projectionDim)
        let (doubles, tooHigh) = square.multipliedReportingOverflow(by: 6 * MemoryLayout<Double>.stride)
        let (bytes, tooLarge) = floats.addingReportingOverflow(doubles)
        let overflow = tooMany || tooLong || tooWide || tooHigh || tooLarge
        guard !overflow, bytes <= memoryLimit, projectionDim <= SymmetricEigen.largestOrder else {
            throw SolverError.tooLarge(parameters: dimension, bytes: overflow ? .max : bytes, limit: memoryLimit)
        }
    }
}
