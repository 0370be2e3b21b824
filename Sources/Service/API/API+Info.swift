internal import Foundation
internal import JSON
internal import LinearAlgebra
internal import Store

extension API {
    /// `GET /info`: what runs, on what, how full it is, and what it allows.
    func infoJSON() throws -> JSON {
        let load = gate.load
        let blas = BLASLibrary.current
        return [
            "name": "influenced", "version": .string(Version.current),
            "store": [
                "path": .string(engine.store.path), "writable": .bool(engine.store.isWritable),
                "bytes": .integer(try engine.store.sizeInBytes), "schema_version": .integer(try engine.store.schemaVersion),
            ],
            "blas": [
                "library": .string(blas.description), "core": blas.core.map { .string($0) } ?? .null,
                "is_reference": .bool(blas.isReference),
            ],
            "vector_unit": .string(VectorUnit.current), "threads": .integer(engine.parallel.threads),
            "memory": ["held_bytes": .integer(engine.heldBytes), "limit_bytes": .integer(configuration.memoryBytes)],
            "queue": [
                "running": .integer(load.running), "waiting": .integer(load.waiting), "workers": .integer(gate.workers),
                "capacity": .integer(gate.capacity),
            ],
            "limits": [
                "max_tests": .integer(configuration.maximumTests), "max_k": .integer(configuration.maximumK),
                "max_groups": .integer(configuration.maximumGroups), "max_slices": .integer(configuration.maximumSlices),
                "max_slice_tests": .integer(configuration.maximumSliceTests),
                "max_body_bytes": .integer(configuration.maximumBodyBytes),
                "deadline_ms": .integer(configuration.deadlineMilliseconds),
                "max_deadline_ms": .integer(configuration.maximumDeadlineMilliseconds),
            ],
            "methods": .array(InfluenceRequest.methods.map { .string($0) }),
            "solvers": .array(InfluenceRequest.solvers.map { .string($0) }),
        ]
    }
}

/// The version of this program.
public enum Version {
    /// As semantic versioning writes it.
    public static let current = "0.1.0"
}
