import Synchronization

/// Whether the answer to a request is still wanted. Work for the request looks at it now and then, or asks to be told, and gives up
/// once it is set; an answer given all the same does no harm.
///
/// The server sets it when the connection breaks, when the server itself is brought down before the answer, and when the
/// client has closed. A client that closes and one that has merely finished sending look the same on the wire, and the
/// latter must get its answer (RFC 9112 §9.6). So, where a client has finished sending and the answer takes long, the
/// server sends the octets with which every answer begins; a client that has closed refuses them with a reset.
public final class Cancellation: Sendable {
    /// Who is to be told; nil once it is set.
    private let listeners = Mutex<[@Sendable () -> Void]?>([])

    /// A cancellation that is not set.
    public init() {}

    /// Whether it has been set. It is never unset. Any thread.
    public var isCancelled: Bool { listeners.withLock { $0 == nil } }

    /// Sets it. Any thread, any number of times.
    public func cancel() {
        let told = listeners.withLock { listeners in
            defer { listeners = nil }
            return listeners ?? []
        }
        for listener in told { listener() }
    }

    /// Has `listener` called once when it is set, on the thread that sets it: the server's loop, which must not be kept. At once if it
    /// is set already.
    public func onCancel(_ listener: @escaping @Sendable () -> Void) {
        let isSet = listeners.withLock { listeners in
            listeners?.append(listener)
            return listeners == nil
        }
        if isSet { listener() }
    }
}
