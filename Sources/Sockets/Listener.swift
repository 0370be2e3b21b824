import CLinux
import Glibc

/// A bound, listening, non-blocking stream socket.
public final class Listener: Sendable {
    /// What accepting came to.
    public enum Acceptance: ~Copyable {
        /// A connection, non-blocking, and the address of its peer.
        case connection(StreamSocket, peer: SocketAddress)
        /// Nobody is waiting.
        case wouldBlock
        /// Somebody is waiting, but descriptors or memory have run out; try again after a pause.
        case exhausted(SocketError)
    }

    /// Where it listens; with the port that the system chose if it was asked for port 0.
    public let address: SocketAddress

    let descriptor: FileDescriptor

    /// Binds to `address` and listens, with room for `backlog` connections that wait to be accepted (the kernel caps it
    /// at net.core.somaxconn).
    ///
    /// SO_REUSEADDR is set, so that a restart need not wait for old connections to time out. On IPv6 both families are
    /// served where the address is "::". A unix path is removed when the listener goes; one that a process which is no more has left
    /// behind is replaced, anything else at that path is an error. Connecting to it takes the right to write: `mode` says whose.
    public init(address: SocketAddress, backlog: Int32 = 1024, mode: UInt32 = 0o660) throws(SocketError) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(address.family, type, 0)
        guard number >= 0 else { throw .current(.socket, address.description) }
        let descriptor = FileDescriptor(owning: number)
        if address.family != AF_UNIX {
            try setOption(descriptor, level: SOL_SOCKET, name: SO_REUSEADDR, value: 1, "SO_REUSEADDR")
        }
        if address.family == AF_INET6 {
            try setOption(descriptor, level: Int32(IPPROTO_IPV6), name: IPV6_V6ONLY, value: 0, "IPV6_V6ONLY")
        }
        func tryToBind() throws(SocketError) -> SocketError? {
            try address.withSystemAddress { bind(number, $0, $1) } == 0 ? nil : .current(.bind, address.description)
        }
        var failure = try tryToBind()
        if failure?.errorNumber == EADDRINUSE, case .unix(let path) = address, try Self.isAbandoned(path) {
            _ = unlink(path)
            failure = try tryToBind()
        }
        if let failure { throw failure }
        // Nobody can connect before `listen`: the mode is in force from the first connection on.
        if case .unix(let path) = address, chmod(path, mode) != 0 { throw .current(.bind, address.description) }
        guard listen(number, backlog) == 0 else { throw .current(.listen, address.description) }
        let (_, bound) = SocketAddress.reading { getsockname(number, $0, $1) }
        guard let bound else { throw .current(.address, address.description) }
        self.address = bound
        self.descriptor = descriptor
    }

    /// Whether a path is a socket on which nobody listens.
    private static func isAbandoned(_ path: String) throws(SocketError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
        // Non-blocking: where somebody listens and is slow to accept, connecting would wait.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, type, 0)
        guard number >= 0 else { throw .current(.socket, path) }
        let probe = FileDescriptor(owning: number)
        return try SocketAddress.unix(path: path).withSystemAddress {
            connect(probe.number, $0, $1) != 0 && errno == ECONNREFUSED
        }
    }

    deinit {
        if case .unix(let path) = address { _ = unlink(path) }
    }

    /// Takes one waiting connection, if there is one.
    ///
    /// Errors of the connection that was being accepted (it was reset while it waited; the network failed) are skipped,
    /// as accept(2) advises for Linux.
    ///
    /// - Throws: `SocketError` when the listener itself is broken; it will not accept again.
    public func accept() throws(SocketError) -> Acceptance {
        while true {
            let (number, peer) = SocketAddress.reading { Glibc.accept(descriptor.number, $0, $1) }
            if number >= 0 {
                let accepted = FileDescriptor(owning: number)
                // accept4(2) would do this in the same call, but the C library hides it from Swift (_GNU_SOURCE).
                _ = fcntl(number, F_SETFD, FD_CLOEXEC)
                guard fcntl(number, F_SETFL, O_RDWR | O_NONBLOCK) == 0 else { continue }
                return .connection(StreamSocket(owning: accepted), peer: peer ?? .unix(path: ""))
            }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT,
                EOPNOTSUPP, ETIMEDOUT:
                continue
            case EAGAIN, EWOULDBLOCK:
                return .wouldBlock
            default:
                let error = SocketError.current(.accept, address.description)
                if error.isExhaustion { return .exhausted(error) }
                throw error
            }
        }
    }
}
