import Synchronization

/// Whether the answer to a request is still wanted. Work for the request looks at it now and then, and gives up once it is
/// set; an answer given all the same does no harm.
///
/// The server sets it when the connection breaks, when the server itself is brought down before the answer, and when the
/// client has closed. A client that closes and one that has merely finished sending look the same on the wire, and the
/// latter must get its answer (RFC 9112 §9.6). So, where a client has finished sending and the answer takes long, the
/// server sends the octets with which every answer begins; a client that has closed refuses them with a reset.
public final class Cancellation: Sendable {
    private let flag = Atomic(false)

    /// A cancellation that is not set.
    public init() {}

    /// Whether it has been set. It is never unset. Any thread; one load from memory.
    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Sets it. Any thread, any number of times.
    public func cancel() { flag.store(true, ordering: .releasing) }
}
