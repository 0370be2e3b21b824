internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Store

/// A solver whose making takes long, and that serves all requests for a system: kept in memory, and as bytes in the store.
protocol PreparedSolver: SystemSolver {
    /// Bytes that it takes in memory.
    var byteCount: Int { get }
    /// What `GET /models/…` shows of it.
    var summary: JSONObject { get }

    /// Calls `body` with what is to be stored.
    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws

    /// From the bytes of `withBytes`, which `fill` writes to where it is told; nil where they can't be of such a solver for this system.
    static func read(
        byteCount: Int, for system: InfluenceSystem, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Self?
}

extension PreparedSolver {
    /// The bytes in memory of their own, for solvers that are decoded from them.
    static func decoded(
        byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void,
        _ decode: (UnsafeRawBufferPointer) throws -> Self
    ) throws -> Self? {
        let bytes = AlignedMemory<UInt8>(uninitialized: byteCount)
        let memory = UnsafeMutableRawBufferPointer(bytes.elements)
        try fill(memory)
        // What can't be decoded was damaged, or written by a version that did it otherwise: it is made anew.
        return withExtendedLifetime(bytes) { try? decode(UnsafeRawBufferPointer(memory)) }
    }
}

/// Names a prepared solver.
struct PreparedSolverKey: Hashable, Sendable {
    /// What it is, in the store's words.
    let kind: String
    /// Of everything that determines it.
    let digest: ContentDigest
    /// Whether it is what requests use that set nothing by hand: then it goes to the store on first use. A client that tries many settings
    /// must not fill the disk.
    let isUsual: Bool

    static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.digest == b.digest }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(digest)
    }
}

extension Engine {
    /// A prepared solver: from memory, from the store, or made by `make` and kept in both. Made once, however many ask for it.
    /// - Throws: what `make` throws; `StoreError`.
    func prepared<Solver: PreparedSolver>(
        _ key: PreparedSolverKey, for system: InfluenceSystem, as: Solver.Type, make: () throws -> Solver
    ) throws -> Solver {
        let solver = try preparedSolvers.value(for: key, cost: \.byteCount) {
            if let kept: Solver = try storedSolver(key, for: system) { return kept }
            let solver = try make()
            if key.isUsual { keep(solver, as: key, of: system.model.checkpoint) }
            return solver
        }
        // A key names one kind of solver.
        guard let solver = solver as? Solver else { preconditionFailure("'\(key.kind)' names solvers of two kinds") }
        return solver
    }

    /// Whether the store holds a prepared solver: what is in memory alone must not change what is answered.
    func holds(_ key: PreparedSolverKey, for system: InfluenceSystem) throws -> Bool {
        try store.derived(of: system.model.checkpoint, kind: key.kind, key: key.digest) != nil
    }

    /// Puts a solver into the store that was asked for by hand, unless it is there.
    /// - Throws: `StoreError`.
    func store(_ solver: some PreparedSolver, as key: PreparedSolverKey, of system: InfluenceSystem) throws {
        guard try !holds(key, for: system) else { return }
        try solver.withBytes {
            try store.putDerived(
                of: system.model.checkpoint, kind: key.kind, key: key.digest, summary: solver.summaryText, bytes: $0)
        }
    }

    private func storedSolver<Solver: PreparedSolver>(
        _ key: PreparedSolverKey, for system: InfluenceSystem
    ) throws -> Solver? {
        guard let kept = try store.derived(of: system.model.checkpoint, kind: key.kind, key: key.digest),
            kept.byteCount <= memoryBytes / 4
        else { return nil }
        return try Solver.read(byteCount: kept.byteCount, for: system) { try store.readDerived(kept, into: $0) }
    }

    private func keep(_ solver: some PreparedSolver, as key: PreparedSolverKey, of checkpoint: CheckpointRecord) {
        try? solver.withBytes { keep(key.kind, of: checkpoint, key: key.digest, summary: solver.summaryText, bytes: $0) }
    }
}

extension PreparedSolver {
    fileprivate var summaryText: String { String(decoding: JSON.object(summary).serialized(), as: UTF8.self) }
}
