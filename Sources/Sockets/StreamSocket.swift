import CLinux
import Glibc

/// A connected, non-blocking stream socket, owned by this value and closed when it goes.
///
/// Writing never raises SIGPIPE, and calls that a signal interrupts are repeated.
public struct StreamSocket: ~Copyable, Sendable {
    /// What a read or a write came to.
    public enum Transfer: Equatable, Sendable {
        /// So many octets moved, at least one.
        case moved(Int)
        /// None can move at present; the loop says when.
        case wouldBlock
        /// The peer has sent its last octet. Of reads only.
        case ended
    }

    /// The descriptor, for the event loop.
    public let descriptor: FileDescriptor

    /// Takes over a connected, non-blocking socket.
    public init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Reads what has arrived, at most `buffer.count` octets.
    ///
    /// - Precondition: `buffer` is not empty; a read of nothing cannot be told from the end.
    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SocketError) -> Transfer {
        precondition(!buffer.isEmpty, "A read needs room")
        let count = retryingInterrupts { recv(descriptor.number, buffer.baseAddress, buffer.count, 0) }
        if count > 0 { return .moved(count) }
        if count == 0 { return .ended }
        if errno == EAGAIN || errno == EWOULDBLOCK { return .wouldBlock }
        throw .current(.receive)
    }

    /// Writes as much of `buffer` as the kernel takes.
    ///
    /// - Parameter more: Whether more follows at once, so that the kernel may fill up its last packet first.
    /// - Precondition: `buffer` is not empty.
    public func send(_ buffer: UnsafeRawBufferPointer, more: Bool = false) throws(SocketError) -> Transfer {
        precondition(!buffer.isEmpty, "A write needs something to write")
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        let count = retryingInterrupts { Glibc.send(descriptor.number, buffer.baseAddress, buffer.count, flags) }
        if count >= 0 { return .moved(count) }
        if errno == EAGAIN || errno == EWOULDBLOCK { return .wouldBlock }
        throw .current(.send)
    }

    /// How many octets were written and have not been acknowledged by the peer's kernel yet (tcp(7), SIOCOUTQ).
    ///
    /// It shrinks as the peer reads, long before the kernel has room enough to call the socket writable again.
    public var unacknowledgedBytes: Int {
        var count: Int32 = 0
        return ioctl(descriptor.number, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
    }

    /// Tells the peer that nothing more will be written; reading goes on.
    public func shutDownWriting() throws(SocketError) {
        guard shutdown(descriptor.number, Int32(SHUT_WR)) == 0 else { throw .current(.shutdown) }
    }

    /// Has the close that is to come throw away what has not been sent, and tell the peer so by a reset, instead of leaving
    /// the kernel to go on trying with a peer that takes nothing.
    public func resetOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends small writes at once instead of waiting to fill a packet (TCP_NODELAY). Without effect on a unix socket.
    public func disableDelay() {
        try? setOption(descriptor, level: Int32(IPPROTO_TCP), name: TCP_NODELAY, value: 1, "TCP_NODELAY")
    }

    /// Has the kernel probe a silent peer after `idle` seconds, every `interval` seconds, and break the connection after
    /// `count` probes without an answer. It is what finds a peer that went away without a word while its answer is
    /// being computed. Without effect on a unix socket.
    public func enableKeepAlive(idle: Int32, interval: Int32, count: Int32) {
        let tcp = Int32(IPPROTO_TCP)
        try? setOption(descriptor, level: SOL_SOCKET, name: SO_KEEPALIVE, value: 1, "SO_KEEPALIVE")
        try? setOption(descriptor, level: tcp, name: TCP_KEEPIDLE, value: idle, "TCP_KEEPIDLE")
        try? setOption(descriptor, level: tcp, name: TCP_KEEPINTVL, value: interval, "TCP_KEEPINTVL")
        try? setOption(descriptor, level: tcp, name: TCP_KEEPCNT, value: count, "TCP_KEEPCNT")
    }
}

/// Sets an integer option of a socket; `label` names it in the error.
func setOption(
    _ descriptor: borrowing FileDescriptor, level: Int32, name: Int32, value: Int32, _ label: String
) throws(SocketError) {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor.number, level, name, &value, size) == 0 else { throw .current(.setOption, label) }
}
