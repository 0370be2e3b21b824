internal import ArgumentParser
internal import CLinux
internal import Foundation
internal import LinearAlgebra
internal import Logging
internal import Service
internal import ServiceLifecycle
internal import Sockets
internal import Store
internal import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves a store over HTTP.")

    @OptionGroup var store: StoreOption
    @Option(help: "The address to listen on; several are separated by commas.")
    var host: String?
    @Option(help: "The port; 0 takes any that is free.")
    var port: Int?
    @Option(help: "The path of a Unix-domain socket to listen on as well.")
    var socket: String?
    @Option(help: "Threads that one computation uses; 0 is one for each processor.")
    var threads: Int?
    @Option(help: "A JSON file of settings. Environment variables (INFLUENCED_SERVER_PORT, ...) and flags override it.")
    var config: String?

    func run() async throws {
        try await serve()
        // A computation that the drain has broken off may not have noticed yet. `exit` would have OpenBLAS let go of its table of
        // kernels first, and the computation call what is no longer there: the program would end by SIGSEGV.
        _exit(0)
    }

    /// Serves to the end of the drain; the log is written and the store let go of when it returns.
    private func serve() async throws {
        var flags: [String: String] = [:]
        if let host { flags["server.host"] = host }
        if let port { flags["server.port"] = String(port) }
        if let socket { flags["server.unix_socket"] = socket }
        if let threads { flags["compute.threads"] = String(threads) }
        let settings = try await ServiceConfiguration.read(
            flags: flags, environment: ProcessInfo.processInfo.environment, file: config)
        let sink = LogSink(format: settings.logFormat)
        defer { sink.flush() }
        let logger = Self.logger(to: sink, level: settings.logLevel)
        // Each thread would have a heap of its own, and each heap keep what a burst has needed: memory would grow for an hour.
        _ = mallopt(M_ARENA_MAX, 2)
        // And what is large goes back to the system at once, rather than leave holes that nothing fits into.
        _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
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
        let service = try InfluenceService(
            store: store, configuration: settings, logger: logger, droppedLogLines: { sink.droppedLines }
        ) { addresses in
            // The promise of the interface: once this line is out, requests are answered.
            for address in addresses {
                let scheme = if case .unix = address { "" } else { "http://" }
                FileHandle.standardOutput.write(Data("listening on \(scheme)\(address)\n".utf8))
            }
        }
        _ = Impatience(sink)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    /// Logs go to standard error: standard output is for the line that says where to connect.
    private static func logger(to sink: LogSink, level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { LineLogHandler(label: $0, sink: sink) }
        var logger = Logger(label: "influenced")
        logger.logLevel = level
        return logger
    }
}
