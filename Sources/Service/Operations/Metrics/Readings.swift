internal import HTTP

/// What is not counted as it happens but looked up when somebody asks, by the parts that know.
struct Readings: Sendable {
    /// Jobs that wait for a worker.
    var queueDepth = 0
    /// Jobs that a worker has.
    var jobsRunning = 0
    /// Octets of the s_test vectors kept for later requests.
    var solutionCacheBytes = 0
    /// Number of those vectors.
    var solutionCacheEntries = 0
    /// Octets of datasets, models and factors held in memory.
    var heldMemoryBytes = 0
    /// Octets of the store's file; nil where it could not be asked.
    var storeBytes: Int?
    /// What the server has counted.
    var server = ServerCounters()
    /// Lines of the log that were let go of.
    var droppedLogLines = 0
}

extension Readings {
    /// Writes them out.
    func write(to text: inout ExpositionWriter) {
        text.write(.gauge("influence_queue_depth", "Jobs that wait for a worker."), queueDepth)
        text.write(.gauge("influence_jobs_running", "Jobs that a worker computes."), jobsRunning)
        text.write(.gauge("influence_stest_cache_bytes", "Memory that cached s_test vectors take."), solutionCacheBytes)
        text.write(.gauge("influence_stest_cache_entries", "Cached s_test vectors."), solutionCacheEntries)
        text.write(
            .gauge("influence_held_memory_bytes", "Memory that datasets, models and factors take, kept for later requests."),
            heldMemoryBytes)
        if let storeBytes { text.write(.gauge("influence_store_bytes", "Size of the store."), storeBytes) }
        text.write(.gauge("influence_connections_open", "Connections that are open."), server.openConnections)
        text.write(.counter("influence_connections_accepted_total", "Connections accepted."), server.acceptedConnections)
        text.write(
            .counter(
                "influence_accept_failures_total", "Times that accepting failed or paused, for lack of descriptors or else."),
            server.acceptFailures)
        text.write(
            .gauge("influence_buffered_bytes", "Memory that bodies being received and answers being sent take."),
            server.bufferedBytes)
        text.write(
            .counter(
                "influence_memory_refusals_total", "Requests and answers refused because others took all the memory for them."),
            server.memoryRefusals)
        text.write(.counter("influence_received_bytes_total", "Octets read from connections."), server.receivedBytes)
        text.write(.counter("influence_sent_bytes_total", "Octets written to connections."), server.sentBytes)
        text.write(
            .counter("influence_log_lines_dropped_total", "Lines of the log let go of because nobody took them."), droppedLogLines
        )
    }
}
