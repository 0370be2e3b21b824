import Glibc

/// Why a socket operation failed: the system's code, the operation, and what it was done to.
public struct SocketError: Error, Equatable, Sendable {
    /// Where the number that says what went wrong comes from.
    public enum Code: Equatable, Sendable {
        /// An `errno` value, as in errno(3).
        case system(Int32)
        /// An `EAI_` value of name resolution, as in getaddrinfo(3).
        case resolution(Int32)
        /// The input was refused before the system saw it; the text says what was wrong with it.
        case invalid(String)
    }

    /// What the operation was, by the name of the system call or of the check.
    public enum Operation: String, Equatable, Sendable {
        /// Accepting a connection.
        case accept
        /// Reading an address back from the system, or writing one for it.
        case address
        /// Binding a listener.
        case bind
        /// Turning a name into addresses.
        case resolve
        /// Creating, changing or waiting on the epoll instance.
        case epoll
        /// Creating the event descriptor that wakes the loop.
        case eventfd
        /// Marking a socket as one that accepts connections.
        case listen
        /// Reading from a socket.
        case receive
        /// Reading or raising a limit of the process.
        case resourceLimit
        /// Writing to a socket.
        case send
        /// Setting a socket option.
        case setOption
        /// Closing one direction of a connection.
        case shutdown
        /// Creating a socket.
        case socket
        /// Starting the loop's thread.
        case thread
    }

    /// What went wrong.
    public let code: Code
    /// What was being done.
    public let operation: Operation
    /// What it was being done to: an address, a descriptor, an option. Empty when the operation says enough.
    public let context: String

    /// An error of `operation` on `context`.
    public init(code: Code, operation: Operation, context: String = "") {
        self.code = code
        self.operation = operation
        self.context = context
    }

    /// The failure that `errno` describes at this moment; to be called before anything else can change it.
    static func current(_ operation: Operation, _ context: @autoclosure () -> String = "") -> SocketError {
        let number = errno
        return SocketError(code: .system(number), operation: operation, context: context())
    }

    /// The `errno` value, or nil when the failure is not one of a system call.
    public var errorNumber: Int32? {
        if case .system(let number) = code { number } else { nil }
    }

    /// Whether the peer, or the network on its way, ended the connection: nothing is wrong on this side.
    public var isDisconnection: Bool {
        switch errorNumber {
        case ECONNRESET, EPIPE, ECONNABORTED, ETIMEDOUT, ENOTCONN, EHOSTUNREACH, ENETUNREACH, ENETDOWN: true
        default: false
        }
    }

    /// Whether the process or the system ran out of descriptors or memory; trying again later can succeed.
    public var isExhaustion: Bool {
        switch errorNumber {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }
}

extension SocketError: CustomStringConvertible {
    /// "OPERATION CONTEXT: REASON", with the number behind the reason where there is one.
    public var description: String {
        let subject = context.isEmpty ? operation.rawValue : "\(operation.rawValue) \(context)"
        return switch code {
        case .system(let number): "\(subject): \(String(cString: strerror(number))) (errno \(number))"
        case .resolution(let number): "\(subject): \(String(cString: gai_strerror(number))) (resolver code \(number))"
        case .invalid(let reason): "\(subject): \(reason)"
        }
    }
}
