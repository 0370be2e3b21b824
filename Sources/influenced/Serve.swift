internal import ArgumentParser
internal import Foundation
internal import LinearAlgebra
internal import Logging
internal import Service
internal import ServiceLifecycle
internal import Store
internal import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves a store over HTTP.")

    @OptionGroup var store: StoreOption
    @Option(help: "The address to listen on.")
    var host: String?
    @Option(help: "The port; 0 takes any that is free.")
    var port: Int?
    @Option(help: "Threads that one computation uses; 0 is one for each processor.")
    var threads: Int?
    @Option(help: "A JSON file of settings. Environment variables (INFLUENCED_SERVER_PORT, ...) and flags override it.")
    var config: String?

    func run() async throws {
        var flags: [String: String] = [:]
        if let host { flags["server.host"] = host }
        if let port { flags["server.port"] = String(port) }
        if let threads { flags["compute.threads"] = String(threads) }
        let settings = try await ServiceConfiguration.read(
            flags: flags, environment: ProcessInfo.processInfo.environment, file: config)
        let logger = Self.logger(level: settings.logLevel)
        let store = try Store.open(at: store.path, access: .readWrite)
        let blas = BLASLibrary.current
        logger.info(
            "starting",
            metadata: [
                "store": "\(store.path)", "writable": "\(store.isWritable)", "blas": "\(blas.description)",
                "version": "\(Version.current)",
            ])
        if blas.isReference {
            logger.warning("the reference BLAS is tens of times slower than OpenBLAS; install libopenblas0-pthread")
        }
        let service = try InfluenceService(store: store, configuration: settings, logger: logger) { address in
            // The promise of the interface: once this line is out, requests are answered.
            FileHandle.standardOutput.write(Data("listening on http://\(address)\n".utf8))
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    /// Logs go to standard error: standard output is for the line that says where to connect.
    private static func logger(level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "influenced")
        logger.logLevel = level
        return logger
    }
}
