internal import Dispatch
internal import Foundation
internal import HTTP
internal import LinearAlgebra
public import Logging
public import ServiceLifecycle
public import Sockets
public import Store

/// The running service: an HTTP server on an engine on a store, from the first bind to the end of a drain.
public final class InfluenceService: Service {
    private let server: HTTPServer
    private let lifecycle = Lifecycle()
    private let logger: Logger
    private let drainTimeout: Duration
    private let onReady: @Sendable (SocketAddress) -> Void
    /// Where it listens.
    public let address: SocketAddress

    /// Binds; nothing is answered before `run`, which calls `onReady` once requests are answered.
    /// - Throws: `SocketError` where the address can't be bound.
    public init(
        store: Store, configuration: ServiceConfiguration, logger: Logger,
        onReady: @escaping @Sendable (SocketAddress) -> Void = { _ in }
    ) throws {
        let threads = configuration.threads > 0 ? configuration.threads : ProcessInfo.processInfo.activeProcessorCount
        let engine = Engine(store: store, parallel: Parallel(threads: threads), memoryBytes: configuration.memoryBytes)
        let api = API(engine: engine, configuration: configuration, lifecycle: lifecycle, logger: logger)
        // Each connection takes a descriptor, and the usual soft limit of 1,024 is less than the connections we allow.
        _ = try? OpenFileLimit.raise()
        server = try HTTPServer(handler: api.router(), limits: configuration.httpLimits, problem: API.problem)
        address = try server.bind(host: configuration.host, port: UInt16(configuration.port))
        drainTimeout = .milliseconds(configuration.drainTimeoutMilliseconds)
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves until it is told to shut down, then finishes what is in flight.
    public func run() async throws {
        try server.start()
        lifecycle.isReady = true
        onReady(address)
        let server = server
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    // The wait blocks, and must not block one of Swift's few cooperative threads.
                    let thread = Thread {
                        server.wait()
                        continuation.resume()
                    }
                    thread.name = "influenced.wait"
                    thread.start()
                }
            } onCancel: {
                server.drain(deadline: .zero)
            }
        } onGracefulShutdown: { [lifecycle, logger, drainTimeout] in
            logger.info("draining")
            lifecycle.isReady = false
            server.drain(deadline: drainTimeout)
        }
        logger.info("stopped")
    }
}

extension ServiceConfiguration {
    /// The part of it that the HTTP layer enforces.
    var httpLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.bodyBytes = maximumBodyBytes
        limits.connections = maximumConnections
        limits.headerTimeout = .milliseconds(headerTimeoutMilliseconds)
        limits.bodyTimeout = .milliseconds(bodyTimeoutMilliseconds)
        limits.idleTimeout = .milliseconds(idleTimeoutMilliseconds)
        return limits
    }
}
