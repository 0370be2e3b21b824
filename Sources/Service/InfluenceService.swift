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
    private let drainDelay: Int
    private let drainTimeout: Duration
    private let onReady: @Sendable ([SocketAddress]) -> Void
    /// Where it listens.
    public let addresses: [SocketAddress]

    /// Binds; nothing is answered before `run`, which calls `onReady` once requests are answered.
    /// - Parameter droppedLogLines: asked for the metrics.
    /// - Throws: `SocketError` where an address can't be bound; `ConfigurationError` for keys or origins that can't be used.
    public init(
        store: Store, configuration: ServiceConfiguration, logger: Logger,
        droppedLogLines: @escaping @Sendable () -> Int = { 0 },
        onReady: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) throws {
        let threads = configuration.threads > 0 ? configuration.threads : ProcessInfo.processInfo.activeProcessorCount
        let engine = Engine(
            store: store, parallel: Parallel(threads: threads), memoryBytes: configuration.memoryBytes,
            solutionCacheBytes: configuration.solutionCacheBytes)
        let api = API(engine: engine, configuration: configuration, lifecycle: lifecycle, logger: logger)
        let keys = try configuration.readKeys(logger)
        let door = FrontDoor(
            router: api.router(), metrics: api.metrics, keys: keys, cors: try configuration.corsPolicy, logger: logger)
        // Each connection takes a descriptor, and the usual soft limit of 1,024 is less than the connections we allow.
        _ = try? OpenFileLimit.raise()
        server = try HTTPServer(handler: door, limits: configuration.httpLimits, problem: API.problem)
        var addresses: [SocketAddress] = []
        for host in ServiceConfiguration.list(configuration.host) {
            addresses.append(try server.bind(host: host, port: UInt16(configuration.port)))
        }
        if !configuration.unixSocket.isEmpty { addresses.append(try server.bind(to: .unix(path: configuration.unixSocket))) }
        self.addresses = addresses
        if keys == nil, addresses.contains(where: { !$0.isLocal }) {
            logger.warning("anybody who can reach this address may ask; set auth.api_keys_file, or put a proxy in front")
        }
        api.metrics.onScrape { [weak server] readings in
            readings.server = server?.counters ?? readings.server
            readings.droppedLogLines = droppedLogLines()
        }
        drainDelay = configuration.drainDelayMilliseconds
        drainTimeout = .milliseconds(configuration.drainTimeoutMilliseconds)
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves until it is told to shut down, then finishes what is in flight.
    public func run() async throws {
        try server.start()
        lifecycle.isReady = true
        onReady(addresses)
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
        } onGracefulShutdown: { [lifecycle, logger, drainDelay, drainTimeout] in
            logger.info("draining")
            lifecycle.isReady = false
            // Whoever sends requests here gets the time to see that it should not, before connections are refused.
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(drainDelay)) {
                server.drain(deadline: drainTimeout)
            }
        }
        logger.info("stopped")
    }
}

extension ServiceConfiguration {
    /// The part of it that the HTTP layer enforces.
    var httpLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.bodyBytes = maximumBodyBytes
        limits.bufferedBytes = maximumBufferedBytes
        limits.connections = maximumConnections
        limits.headerTimeout = .milliseconds(headerTimeoutMilliseconds)
        limits.bodyTimeout = .milliseconds(bodyTimeoutMilliseconds)
        limits.idleTimeout = .milliseconds(idleTimeoutMilliseconds)
        return limits
    }
}
