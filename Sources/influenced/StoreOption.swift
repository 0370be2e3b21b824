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

    /// The store for writing, where what is found out of a model is kept; or for reading, if another process goes on writing: then it
    /// is found out anew.
    func openForDeriving() throws -> Store {
        do {
            return try Store.open(at: path, access: .readWrite, busyTimeout: 1)
        } catch StoreError.busy {
            return try Store.open(at: path, access: .readOnly)
        }
    }
}

extension ServiceConfiguration {
    /// The settings of a command that serves nobody: those of the environment, which a service would have too.
    static func forCommand() async throws -> ServiceConfiguration {
        try await read(environment: ProcessInfo.processInfo.environment, file: nil)
    }
}

extension Engine {
    /// An engine for one command, with the settings that a service would have in its environment.
    static func forCommand(on store: Store) async throws -> Engine {
        Engine(store: store, settings: try await .forCommand())
    }

    /// An engine with some settings.
    convenience init(store: Store, settings: ServiceConfiguration) {
        let threads = settings.threads > 0 ? settings.threads : ProcessInfo.processInfo.activeProcessorCount
        self.init(store: store, parallel: Parallel(threads: threads), memoryBytes: settings.memoryBytes)
    }
}
