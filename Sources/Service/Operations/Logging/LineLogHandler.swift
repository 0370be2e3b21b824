public import Logging

/// Logs by lines of a ``LogSink``; any number of handlers share one.
public struct LineLogHandler: LogHandler {
    /// What is logged: this and what is graver.
    public var logLevel = Logger.Level.info
    /// Metadata of every line.
    public var metadata: Logger.Metadata = [:]
    /// Gives more metadata of every line, on the thread that logs.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let sink: LogSink

    /// A handler for loggers of the given label.
    public init(label: String, sink: LogSink, metadataProvider: Logger.MetadataProvider? = nil) {
        self.label = label
        self.sink = sink
        self.metadataProvider = metadataProvider
    }

    /// Metadata of every line, by its key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues a line. Metadata of the call goes before the provider's, and that before the handler's.
    public func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { _, new in new } }
        if let given = event.metadata { merged.merge(given) { _, new in new } }
        if let error = event.error { merged["error"] = .string("\(error)") }
        var cost = 0
        // What a value says may change after the call, so that it must be written down now.
        merged = merged.mapValues { $0.settled(&cost) }
        cost += merged.keys.reduce(0) { $0 + $1.utf8.count + 32 }
        log(event.level, event.message.description, cost: cost) { [merged] in merged }
    }

    /// Queues a line whose metadata is made by the thread that writes.
    ///
    /// For what is logged on a thread that has better things to do. The handler's own metadata is not among it.
    ///
    /// - Parameters:
    ///   - level: How grave it is; it is logged whatever the level of the handler.
    ///   - message: What happened.
    ///   - cost: About how many octets `metadata` holds.
    ///   - metadata: More on what happened.
    func log(_ level: Logger.Level, _ message: String, cost: Int, metadata: @escaping @Sendable () -> Logger.Metadata) {
        // The record itself takes about 128 octets.
        sink.append(
            LogRecord(
                time: .now(), level: level, label: label, message: message, cost: cost + message.utf8.count + 128,
                metadata: metadata))
    }
}

extension Logger.MetadataValue {
    /// The value as it is now, of strings and numbers only; adds about how many octets that takes to `cost`.
    fileprivate func settled(_ cost: inout Int) -> Logger.MetadataValue {
        switch self {
        case .string(let text):
            cost += text.utf8.count
            return self
        case .stringConvertible(let value):
            if LogValue.literal(of: value) != nil { return self }
            return Logger.MetadataValue.string("\(value)").settled(&cost)
        case .array(let values):
            cost += 32 * values.count
            var settled: [Logger.MetadataValue] = []
            for value in values { settled.append(value.settled(&cost)) }
            return .array(settled)
        case .dictionary(let members):
            var settled: Logger.Metadata = [:]
            for (key, value) in members {
                cost += key.utf8.count + 64
                settled[key] = value.settled(&cost)
            }
            return .dictionary(settled)
        }
    }
}
