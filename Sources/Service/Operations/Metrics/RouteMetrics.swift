internal import HTTPTypes
internal import Synchronization

/// What is counted of the requests of one route. Any thread; each update takes one lock, which is free but for the rare scrape.
final class RouteMetrics: Sendable {
    /// The pattern of the route, such as "/models/{model}".
    let route: String

    /// What the requests are counted by, beside the route. Both have few values, whatever clients send.
    struct Outcome: Hashable, Comparable, Sendable {
        /// The method.
        let method: MethodLabel
        /// The status of the answer.
        let code: UInt16

        /// The order in which they are written out: by method, then code.
        static func < (left: Outcome, right: Outcome) -> Bool {
            (left.method.rawValue, left.code) < (right.method.rawValue, right.code)
        }
    }

    /// The numbers at one moment, which agree with each other.
    struct Snapshot: Sendable {
        /// Requests by outcome.
        fileprivate(set) var requests: [Outcome: Int] = [:]
        /// Durations from the request to the last octet of its answer.
        fileprivate(set) var durations = Histogram()
        /// Times that jobs waited for a worker; nil on routes without jobs.
        fileprivate(set) var waits: Histogram?
    }

    private let state = Mutex(Snapshot())

    init(route: String, hasQueue: Bool) {
        self.route = route
        if hasQueue { state.withLock { $0.waits = Histogram() } }
    }

    /// Counts an answered request.
    ///
    /// - Parameters:
    ///   - method: Its method.
    ///   - status: The status of the answer.
    ///   - seconds: How long it took.
    func answered(_ method: HTTPRequest.Method, status: HTTPResponse.Status, seconds: Double) {
        let outcome = Outcome(method: MethodLabel(method), code: UInt16(clamping: status.code))
        state.withLock { state in
            state.requests[outcome, default: 0] += 1
            state.durations.observe(seconds)
        }
    }

    /// Counts a job that a worker took on after it had waited.
    func waited(seconds: Double) {
        state.withLock { $0.waits?.observe(seconds) }
    }

    /// The numbers as they are now.
    var snapshot: Snapshot { state.withLock { $0 } }
}
