import Glibc

@testable import Sockets

/// Two connected sockets, as a connection and its peer.
struct SocketPair: ~Copyable {
    let near: StreamSocket
    let far: StreamSocket

    init() throws {
        var numbers: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &numbers) == 0 else { throw SocketError.current(.socket, "pair") }
        near = StreamSocket(owning: FileDescriptor(owning: numbers[0]))
        far = StreamSocket(owning: FileDescriptor(owning: numbers[1]))
    }

    /// Gives up the far end, which closes it.
    consuming func closingFar() -> StreamSocket { near }
}

extension StreamSocket {
    /// Sends `text`, which must fit.
    func send(text: String) throws -> Transfer {
        try Array(text.utf8).withUnsafeBytes { try send($0) }
    }

    /// What one read of at most `count` octets gives, and the text that it read.
    func receive(atMost count: Int = 100) throws -> (Transfer, String) {
        var buffer = [UInt8](repeating: 0, count: count)
        let transfer = try buffer.withUnsafeMutableBytes { try receive(into: $0) }
        if case .moved(let moved) = transfer { return (transfer, String(decoding: buffer[..<moved], as: UTF8.self)) }
        return (transfer, "")
    }
}

/// A connection to a listener of this process, blocking.
func connected(to address: SocketAddress) throws -> StreamSocket {
    let number = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw SocketError.current(.socket) }
    let result = StreamSocket(owning: FileDescriptor(owning: number))
    guard try address.withSystemAddress({ connect(number, $0, $1) }) == 0 else { throw SocketError.current(.socket, "connect") }
    return result
}
