internal import Synchronization

/// All that the service counts and measures, and the text in which it tells Prometheus.
///
/// Names are in base units and begin with `influence_`; those of the process have the names that all exporters give them. Every
/// label has few values, known from the start: what clients send never makes a new series. Updates are cheap, and from any thread.
final class Metrics: Sendable {
    /// The label of requests whose path is no route's.
    static let unmatched = "unmatched"

    private let routes = Mutex<[RouteMetrics]>([])
    /// What is counted of the requests whose path is no route's.
    let unmatchedRoute = RouteMetrics(route: unmatched, hasQueue: false)
    private let build: [ExpositionWriter.Label]
    private let startSeconds = ProcessReadings.startSeconds()
    private let observers = Mutex<[@Sendable (inout Readings) -> Void]>([])

    /// Requests refused without being worked on, by reason.
    let rejected = CounterFamily<RejectionReason>(
        "influence_requests_rejected_total", label: "reason", "Requests refused without being worked on.")
    /// Requests whose client went away before the answer.
    let cancelled = Counter("influence_requests_cancelled_total", "Requests whose client went away before the answer.")
    /// Requests given up at their deadline, waiting or computing.
    let deadlineExceeded = Counter(
        "influence_deadline_exceeded_total", "Requests given up at their deadline, while they waited or were computed.")
    /// Requests that were answered by what another one like them had computed.
    let coalesced = Counter(
        "influence_coalesced_requests_total", "Requests answered by the computation of an identical one in flight.")
    /// What the engine counts.
    let engine: EngineCounters

    /// Metrics at zero.
    ///
    /// - Parameters:
    ///   - engine: What the engine counts.
    ///   - build: What `influence_build_info` says, by label names: version, swift and the like.
    init(engine: EngineCounters = EngineCounters(), build: KeyValuePairs<String, String>) {
        self.engine = engine
        self.build = build.map { ($0.key, $0.value) }
    }

    /// What is counted of a route; the same object for the same pattern. For those who set up: they keep the result.
    /// - Parameter hasQueue: Whether its requests wait for a worker.
    func route(_ pattern: String, hasQueue: Bool = false) -> RouteMetrics {
        routes.withLock { routes in
            if let known = routes.first(where: { $0.route == pattern }) { return known }
            let route = RouteMetrics(route: pattern, hasQueue: hasQueue)
            routes.append(route)
            return route
        }
    }

    /// Has `observe` fill in what it knows whenever somebody asks for the metrics, on the thread that asks. It must be quick, and
    /// must not hold what holds the metrics.
    func onScrape(_ observe: @escaping @Sendable (inout Readings) -> Void) {
        observers.withLock { $0.append(observe) }
    }

    /// The metrics as they are now, of the type ``ExpositionWriter/contentType``.
    ///
    /// Looks at files of the kernel's, and so belongs on a thread that may block.
    func exposition() -> [UInt8] {
        var readings = Readings()
        for observe in observers.withLock({ $0 }) { observe(&readings) }
        var text = ExpositionWriter()
        writeRoutes(to: &text)
        rejected.write(to: &text)
        for counter in [cancelled, deadlineExceeded, coalesced] + engine.all { counter.write(to: &text) }
        readings.write(to: &text)
        let info = MetricFamily.gauge("influence_build_info", "What is running; always 1.")
        text.begin(info)
        text.sample(info.name, build, 1)
        ProcessReadings.current().write(startSeconds: startSeconds, to: &text)
        return text.bytes
    }

    private func writeRoutes(to text: inout ExpositionWriter) {
        let routes = routes.withLock { $0 }.sorted { $0.route < $1.route }
        let all = (routes + [unmatchedRoute]).map { ($0.route, $0.snapshot) }
        let requests = MetricFamily.counter("influence_http_requests_total", "Requests answered.")
        text.begin(requests)
        for (route, snapshot) in all {
            for (outcome, count) in snapshot.requests.sorted(by: { $0.key < $1.key }) {
                let labels = [("route", route), ("method", outcome.method.rawValue), ("code", String(outcome.code))]
                text.sample(requests.name, labels, count)
            }
        }
        let durations = MetricFamily.histogram(
            "influence_http_request_duration_seconds", "Time from a request to the end of its answer.")
        text.begin(durations)
        for (route, snapshot) in all { text.histogram(durations.name, [("route", route)], snapshot.durations) }
        let waits = MetricFamily.histogram("influence_queue_wait_seconds", "Time that jobs waited for a worker.")
        text.begin(waits)
        for (route, snapshot) in all {
            if let histogram = snapshot.waits { text.histogram(waits.name, [("route", route)], histogram) }
        }
    }
}
