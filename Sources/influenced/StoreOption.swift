internal import ArgumentParser
internal import Foundation
internal import LinearAlgebra
internal import Service
internal import Store

/// `--store`, which every command takes.
struct StoreOption: ParsableArguments {
    @Option(name: .customLong("store"), help: "The store: an SQLite file.")
    var path: String

    /// The store for writing.
    func openForWriting(createIfMissing: Bool) throws -> Store {
        let store = try Store.open(at: path, access: .readWrite, createIfMissing: createIfMissing)
        guard store.isWritable else { throw StoreError.readOnly(path: path) }
        return store
    }
}

extension Engine {
    /// An engine for one command: all processors, and the memory that a service has by default.
    static func forCommand(on store: Store) -> Engine {
        Engine(
            store: store, parallel: Parallel(threads: ProcessInfo.processInfo.activeProcessorCount),
            memoryBytes: ServiceConfiguration().memoryBytes)
    }
}
