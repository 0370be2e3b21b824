internal import Foundation
internal import InverseCurvature
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// What takes long to make of a checkpoint and serves many requests: kept in memory, and as bytes in the store.
protocol Prepared: Sendable {
    /// Bytes that it takes in memory.
    var byteCount: Int { get }
    /// What `GET /models/…` shows of it.
    var summary: JSONObject { get }

    /// Calls `body` with what is to be stored.
    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

/// What the store holds of something prepared.
struct KeptBytes {
    /// How many bytes.
    let byteCount: Int
    /// Writes them to memory of that size.
    let read: (UnsafeMutableRawBufferPointer) throws -> Void

    /// What is decoded from the bytes; nil where they were damaged, or written by a version that did it otherwise: it is made anew then.
    /// - Throws: `StoreError`.
    func decoded<Value>(_ decode: (UnsafeRawBufferPointer) throws -> Value) throws -> Value? {
        let bytes = AlignedMemory<UInt8>(uninitialized: byteCount)
        let memory = UnsafeMutableRawBufferPointer(bytes.elements)
        try read(memory)
        return withExtendedLifetime(bytes) { try? decode(UnsafeRawBufferPointer(memory)) }
    }
}

/// Names something prepared.
struct PreparedKey: Hashable, Sendable {
    /// What it is, in the store's words.
    let kind: String
    /// Of everything that determines it.
    let digest: ContentDigest
    /// Of what it is derived of: it goes from memory with that.
    let identity: ContentDigest
    /// Whether it is what requests use that set nothing by hand: then it goes to the store on first use. A client that tries many settings
    /// must not fill the disk.
    let isUsual: Bool

    /// Names something of a checkpoint's `identity`; `parts` are what determines it beside that.
    init(_ kind: String, of identity: ContentDigest, parts: [String], isUsual: Bool) {
        self.identity = identity
        self.kind = kind
        digest = ContentDigest(ofParts: [identity.description] + parts)
        self.isUsual = isUsual
    }

    /// Names something of a system's curvature.
    init(_ kind: String, of system: InfluenceSystem, parts: [String], isUsual: Bool) {
        let curvature = system.key.curvature
        self.init("\(kind)-\(curvature.kind.rawValue)", of: curvature.identity, parts: parts, isUsual: isUsual)
    }

    static func == (a: Self, b: Self) -> Bool { a.kind == b.kind && a.digest == b.digest }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(digest)
    }
}

extension Engine {
    /// Something prepared of a system: see `prepared(_:of:isForced:restore:make:)`.
    /// - Throws: as there.
    func prepared<Value: Prepared>(
        _ key: PreparedKey, for system: InfluenceSystem, restore: (KeptBytes) throws -> Value?, make: () throws -> Value
    ) throws -> Value {
        try prepared(
            key, of: system.model.checkpoint, isForced: system.isBeingPrepared, restore: restore, make: make)
    }

    /// Something prepared: from memory, from the store by `restore`, or made by `make` and kept in both. Made once, however many ask for it.
    /// - Parameter isForced: whether the store is to keep it whatever its settings.
    /// - Throws: what `make` throws; `StoreError`.
    func prepared<Value: Prepared>(
        _ key: PreparedKey, of checkpoint: CheckpointRecord, isForced: Bool = false, restore: (KeptBytes) throws -> Value?,
        make: () throws -> Value
    ) throws -> Value {
        let value = try preparations.value(for: key, cost: \.byteCount) {
            if let kept = try stored(key, of: checkpoint, restore) { return kept }
            let value = try make()
            if key.isUsual { try? keep(value, as: key, of: checkpoint) }
            return value
        }
        if isForced, try !holds(key, of: checkpoint) { try keep(value, as: key, of: checkpoint) }
        // A key names one kind of value.
        guard let value = value as? Value else { preconditionFailure("'\(key.kind)' names values of two kinds") }
        return value
    }

    /// Whether the store holds something prepared: what is in memory alone must not change what is answered.
    func holds(_ key: PreparedKey, for system: InfluenceSystem) throws -> Bool {
        try holds(key, of: system.model.checkpoint)
    }

    private func holds(_ key: PreparedKey, of checkpoint: CheckpointRecord) throws -> Bool {
        try store.derived(of: checkpoint, kind: key.kind, key: key.digest) != nil
    }

    private func stored<Value: Prepared>(
        _ key: PreparedKey, of checkpoint: CheckpointRecord, _ restore: (KeptBytes) throws -> Value?
    ) throws -> Value? {
        guard let kept = try store.derived(of: checkpoint, kind: key.kind, key: key.digest),
            kept.byteCount <= memoryBytes / 4
        else { return nil }
        return try restore(KeptBytes(byteCount: kept.byteCount) { [store] in try store.readDerived(kept, into: $0) })
    }

    /// Puts it into the store, where it can be written.
    /// - Throws: `StoreError`.
    private func keep(_ value: some Prepared, as key: PreparedKey, of checkpoint: CheckpointRecord) throws {
        guard store.isWritable else { return }
        try value.withBytes {
            try store.putDerived(
                of: checkpoint, kind: key.kind, key: key.digest, summary: JSON.object(value.summary).text, bytes: $0)
        }
    }
}
