internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A solver whose making takes long, and that serves all requests for a system: kept in memory, and as bytes in the store.
protocol PreparedSolver: SystemSolver {
    /// Bytes that it takes in memory.
    var byteCount: Int { get }
    /// What `GET /models/…` shows of it.
    var summary: JSONObject { get }

    /// Calls `body` with what is to be stored.
    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

/// What the store holds of a prepared solver.
struct KeptSolver {
    /// How many bytes.
    let byteCount: Int
    /// Writes them to memory of that size.
    let read: (UnsafeMutableRawBufferPointer) throws -> Void

    /// What is decoded from the bytes; nil where they were damaged, or written by a version that did it otherwise: it is made anew then.
    /// - Throws: `StoreError`.
    func decoded<Solver>(_ decode: (UnsafeRawBufferPointer) throws -> Solver) throws -> Solver? {
        let bytes = AlignedMemory<UInt8>(uninitialized: byteCount)
        let memory = UnsafeMutableRawBufferPointer(bytes.elements)
        try read(memory)
        return withExtendedLifetime(bytes) { try? decode(UnsafeRawBufferPointer(memory)) }
    }
}

/// Names a prepared solver.
struct PreparedSolverKey: Hashable, Sendable {
    /// What it is, in the store's words.
    let kind: String
    /// Of everything that determines it.
    let digest: ContentDigest
    /// Of what the curvature is of: it goes from memory with that.
    let identity: ContentDigest
    /// Whether it is what requests use that set nothing by hand: then it goes to the store on first use. A client that tries many settings
    /// must not fill the disk.
    let isUsual: Bool

    /// Names a solver of a system's curvature; `parts` are what determines it beside that.
    init(_ kind: String, of system: InfluenceSystem, parts: [String], isUsual: Bool) {
        identity = system.key.curvature.identity
        self.kind = "\(kind)-\(system.key.curvature.kind.rawValue)"
        digest = ContentDigest(ofParts: [identity.description] + parts)
        self.isUsual = isUsual
    }

    static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.digest == b.digest }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(digest)
    }
}

extension Engine {
    /// A prepared solver: from memory, from the store by `restore`, or made by `make` and kept in both. Made once, however many ask for it.
    /// - Throws: what `make` throws; `StoreError`.
    func prepared<Solver: PreparedSolver>(
        _ key: PreparedSolverKey, for system: InfluenceSystem, restore: (KeptSolver) throws -> Solver?,
        make: () throws -> Solver
    ) throws -> Solver {
        let solver = try preparedSolvers.value(for: key, cost: \.byteCount) {
            if let kept = try storedSolver(key, for: system, restore) { return kept }
            let solver = try make()
            if key.isUsual { try? keep(solver, as: key, for: system) }
            return solver
        }
        if system.isBeingPrepared, try !holds(key, for: system) { try keep(solver, as: key, for: system) }
        // A key names one kind of solver.
        guard let solver = solver as? Solver else { preconditionFailure("'\(key.kind)' names solvers of two kinds") }
        return solver
    }

    /// Whether the store holds a prepared solver: what is in memory alone must not change what is answered.
    func holds(_ key: PreparedSolverKey, for system: InfluenceSystem) throws -> Bool {
        try store.derived(of: system.model.checkpoint, kind: key.kind, key: key.digest) != nil
    }

    private func storedSolver<Solver: PreparedSolver>(
        _ key: PreparedSolverKey, for system: InfluenceSystem, _ restore: (KeptSolver) throws -> Solver?
    ) throws -> Solver? {
        guard let kept = try store.derived(of: system.model.checkpoint, kind: key.kind, key: key.digest),
            kept.byteCount <= memoryBytes / 4
        else { return nil }
        return try restore(KeptSolver(byteCount: kept.byteCount) { [store] in try store.readDerived(kept, into: $0) })
    }

    /// Puts a solver into the store, where it can be written.
    /// - Throws: `StoreError`.
    private func keep(_ solver: some PreparedSolver, as key: PreparedSolverKey, for system: InfluenceSystem) throws {
        guard store.isWritable else { return }
        try solver.withBytes {
            try store.putDerived(
                of: system.model.checkpoint, kind: key.kind, key: key.digest, summary: JSON.object(solver.summary).text, bytes: $0
            )
        }
    }
}
