internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A factored matrix: that of C + λI, or for an empirical Fisher matrix of fewer examples than parameters that of their Gram matrix.
struct ExactChoice: SolverChoice {
    static let name = "exact"
    static let servesAllExamples = true
    static let summary = """
        The Cholesky factor of C + λI, where p² numbers fit into memory and C + λI is positive definite; for the empirical Fisher matrix \
        of fewer examples than parameters, that of their n × n Gram matrix (Woodbury's identity). It is kept in the store.
        """
    static let diagnostics: (always: Schema.Members, sometimes: Schema.Members)? = (
        ["factored": Schema.integer(in: 1 ... .max).described("Rows of the matrix whose Cholesky factor it is.")], [:]
    )

    init() {}
    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        let settled = Settled(examples: Self.examples(of: system), parameters: system.damped.dimension)
        try settled.checkSize(for: system, in: engine, interruption: interruption)
        return settled
    }

    /// How many examples the smaller matrix has a row for; nil where it is not the smaller one.
    private static func examples(of system: InfluenceSystem) -> Int? {
        let count = system.damped.data.exampleCount
        return system.key.curvature.kind == .empiricalFisher && count < system.damped.dimension ? count : nil
    }

    /// Names the factor of a system.
    ///
    /// Only the factor without damping goes to the store unasked: it is what most requests use, and a client that tries many dampings
    /// must not fill the disk.
    static func key(for system: InfluenceSystem) -> PreparedKey {
        PreparedKey(
            examples(of: system) == nil ? "cholesky" : "woodbury", of: system, parts: [String(system.damped.shift)],
            isUsual: system.isUndamped)
    }

    private struct Settled: SettledSolver {
        /// Where the Gram matrix is factored.
        let examples: Int?
        let parameters: Int

        var members: JSONObject { ["solver": .string(ExactChoice.name), "factored": .integer(examples ?? parameters)] }

        func checkSize(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws {
            let limit = engine.memoryBytes / 4
            if examples == nil { return try ExactSolver.checkSize(of: system.damped, memoryLimit: limit) }
            try WoodburySolver.checkSize(
                of: try system.fisherRows(in: engine, interruption: interruption), memoryLimit: limit)
        }

        func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SystemSolver {
            let limit = engine.memoryBytes / 4
            guard examples != nil else {
                return try engine.prepared(ExactChoice.key(for: system), for: system) {
                    try ExactSolver.restored(from: $0, order: parameters)
                } make: {
                    try ExactSolver(
                        factoring: system.damped, memoryLimit: limit, parallel: engine.parallel, interruption: interruption)
                }
            }
            let rows = try system.fisherRows(in: engine, interruption: interruption)
            return try engine.prepared(ExactChoice.key(for: system), for: system) {
                try $0.decoded { try WoodburySolver(decoding: $0, rows: rows, shift: system.damped.shift) }
            } make: {
                try WoodburySolver(
                    factoring: rows, shift: system.damped.shift, memoryLimit: limit, parallel: engine.parallel,
                    interruption: interruption)
            }
        }
    }
}

extension ExactSolver: Prepared {
    var byteCount: Int { factor.packed.memory.count * MemoryLayout<Float>.stride }
    var summary: JSONObject { ["order": .integer(factor.packed.order)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withExtendedLifetime(factor) { try body(UnsafeRawBufferPointer(factor.packed.memory.elements)) }
    }

    /// The factor as it was kept, read to where it stays: it may be most of the memory there is.
    static func restored(from kept: KeptBytes, order: Int) throws -> ExactSolver? {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: order)
        let destination = UnsafeMutableRawBufferPointer(matrix.memory.elements)
        guard kept.byteCount == destination.count else { return nil }
        try kept.read(destination)
        return ExactSolver(factor: CholeskyFactor(packed: matrix))
    }
}

extension WoodburySolver: Prepared {
    var byteCount: Int { factor.packed.memory.count * MemoryLayout<Float>.stride }
    var summary: JSONObject { ["order": .integer(factor.packed.order)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try encoded.withUnsafeBytes(body) }
}
