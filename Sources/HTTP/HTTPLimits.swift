/// What one client may ask of the server: sizes in octets, times, and counts. Whatever exceeds a limit is refused with the
/// status that names it, before it is stored.
public struct HTTPLimits: Equatable, Sendable {
    /// The longest request target; beyond it 414. RFC 9112 §3 recommends that lines of at least 8,000 octets pass.
    public var targetBytes = 8_192
    /// The longest field line: name, colon and value. Beyond it 431 (RFC 6585 §5).
    public var fieldBytes = 8_192
    /// The largest header section, and separately the largest trailer section. Beyond it 431.
    public var headerSectionBytes = 32_768
    /// The most field lines in a section. Beyond it 431.
    public var fieldCount = 100
    /// The largest body, after chunks have been put together. Beyond it 413.
    public var bodyBytes = 16 * 1_024 * 1_024
    /// The most octets that the chunk extensions of one body may have together; they carry nothing that is used here.
    public var chunkExtensionBytes = 4_096
    /// The largest body that is read only to be dropped, so that the connection can go on after a refusal. With more to
    /// come, the connection closes after the refusal.
    public var discardedBodyBytes = 65_536
    /// The most octets that bodies being received and answers being sent may take in memory, all connections together; beyond it 503.
    /// Only messages above ``smallMessageBytes`` are refused for it, so that a few large ones do not shut out the rest.
    public var bufferedBytes = 268_435_456
    /// The largest body or answer that is served whatever others take.
    public var smallMessageBytes = 32_768
    /// The most octets read at once, and so the most that pipelined requests can have waiting in the server.
    public var readBytes = 65_536

    /// How long a header section may take from its first octet to its last, and a new connection to send its first.
    public var headerTimeout = Duration.seconds(10)
    /// The time in which a body must either be complete or have grown by ``bodyProgressBytes``, again and again.
    public var bodyTimeout = Duration.seconds(30)
    /// By how much a body that is not complete must grow in each ``bodyTimeout``.
    public var bodyProgressBytes = 262_144
    /// How long a connection may stay open without a request, after its first.
    public var idleTimeout = Duration.seconds(60)
    /// How long a client may take none of an answer that waits for it.
    public var writeTimeout = Duration.seconds(30)
    /// How long the server waits, after its last word, for the client to close.
    public var lingerTimeout = Duration.seconds(2)
    /// How long a client that has finished sending may wait for its answer before the server finds out whether it is
    /// still there; see ``Cancellation``.
    public var probeDelay = Duration.milliseconds(10)

    /// The most connections at once. Further ones wait in the listener's backlog until one closes.
    public var connections = 16_384

    /// The limits above.
    public init() {}
}
