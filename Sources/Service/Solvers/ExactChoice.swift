internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// The Cholesky factor of C + λI.
struct ExactChoice: SolverChoice {
    static let name = "exact"
    static let summary =
        "The Cholesky factor of C + λI, where p² numbers fit into memory and C + λI is positive definite. It is kept in the store."

    init() {}
    init(_ object: JSONObjectReader) {}

    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver {
        try ExactSolver.checkSize(of: system.damped, memoryLimit: engine.memoryBytes / 4)
        return self
    }

    /// Names the factor of a system.
    ///
    /// Only the factor without damping goes to the store unasked: it is what most requests use, and a client that tries many dampings
    /// must not fill the disk.
    static func recipe(for system: InfluenceSystem) -> PreparedSolverKey {
        PreparedSolverKey(
            kind: "cholesky-\(system.key.curvature.kind.rawValue)",
            digest: ContentDigest(ofParts: [system.key.curvature.identity.description, String(system.damped.shift)]),
            isUsual: system.isUndamped)
    }
}

extension ExactChoice: SettledSolver {
    var members: JSONObject { ["solver": .string(Self.name)] }

    func solver(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SystemSolver {
        let limit = engine.memoryBytes / 4
        return try engine.prepared(Self.recipe(for: system), for: system, as: ExactSolver.self) {
            try ExactSolver(
                factoring: system.damped, memoryLimit: limit, parallel: engine.parallel, interruption: interruption)
        }
    }
}

extension ExactSolver: PreparedSolver {
    var byteCount: Int { factor.packed.memory.count * MemoryLayout<Float>.stride }
    var summary: JSONObject { ["order": .integer(factor.packed.order)] }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withExtendedLifetime(factor) { try body(UnsafeRawBufferPointer(factor.packed.memory.elements)) }
    }

    static func read(
        byteCount: Int, for system: InfluenceSystem, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> ExactSolver? {
        let matrix = PackedSymmetricMatrix(uninitializedOrder: system.damped.dimension)
        let destination = UnsafeMutableRawBufferPointer(matrix.memory.elements)
        guard byteCount == destination.count else { return nil }
        try fill(destination)
        return ExactSolver(factor: CholeskyFactor(packed: matrix))
    }
}
