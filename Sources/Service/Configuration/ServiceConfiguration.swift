public import Logging

/// Everything an operator can set, with its defaults. `Config/default.json` shows the same values.
public struct ServiceConfiguration: Sendable, Equatable {
    /// The addresses to listen on, separated by commas; empty for none.
    public var host = "127.0.0.1"
    /// The port; 0 takes any that is free.
    public var port = 8080
    /// The path of a Unix-domain socket to listen on as well; empty for none.
    public var unixSocket = ""
    /// The largest request body.
    public var maximumBodyBytes = 16 << 20
    /// What bodies being received and answers being sent may take, all connections together.
    public var maximumBufferedBytes = 256 << 20
    /// Connections that may be open at a time.
    public var maximumConnections = 10_000
    /// How long a request's header may take, and its body between two pieces.
    public var headerTimeoutMilliseconds = 10_000
    /// How long a body may take.
    public var bodyTimeoutMilliseconds = 30_000
    /// How long a connection may idle between requests.
    public var idleTimeoutMilliseconds = 60_000
    /// How long after SIGTERM, not ready any more, it goes on taking connections.
    public var drainDelayMilliseconds = 250
    /// How long requests in flight may take to finish after that.
    public var drainTimeoutMilliseconds = 10_000

    /// Threads that one computation uses; 0 is one for each processor.
    public var threads = 0
    /// Requests that compute at a time.
    public var jobs = 2
    /// Requests that may wait; more are refused with 503.
    public var queueLength = 64
    /// When a request that sets no deadline is given up.
    public var deadlineMilliseconds = 60_000
    /// The longest deadline a request may set.
    public var maximumDeadlineMilliseconds = 600_000
    /// Bytes that datasets, models and factors kept in memory may take; the least recently used go first.
    public var memoryBytes = 4 << 30
    /// Bytes that s_test vectors kept for later requests may take beside that; 0 keeps none.
    public var solutionCacheBytes = 256 << 20

    /// Requests that one client may have in progress on the routes that compute; 0 is no limit.
    public var maximumRequestsPerClient = 32
    /// Tests in one request.
    public var maximumTests = 32
    /// Examples at each end of an answer.
    public var maximumK = 1_000
    /// Groups in one request.
    public var maximumGroups = 100
    /// Slices of the training data in one request, and slices of tests.
    public var maximumSlices = 100
    /// Tests in all slices of one request.
    public var maximumSliceTests = 1_000

    /// A file of API keys; empty for none.
    public var apiKeysFile = ""
    /// API keys themselves, separated by commas; from the environment only.
    public var apiKeys = ""
    /// The origins whose web pages may read answers, separated by commas; `*` for all, empty for none.
    public var allowedOrigins = ""

    /// How the log is written.
    public var logFormat = LogFormat.text
    /// What is logged: this and what is graver.
    public var logLevel = Logger.Level.info

    /// The defaults.
    public init() {}

    /// What a request may ask for.
    public var requestLimits: RequestLimits {
        RequestLimits(
            maximumTests: maximumTests, maximumK: maximumK, maximumGroups: maximumGroups,
            maximumSlices: maximumSlices, maximumSliceTests: maximumSliceTests,
            maximumDeadlineMilliseconds: maximumDeadlineMilliseconds)
    }
}
