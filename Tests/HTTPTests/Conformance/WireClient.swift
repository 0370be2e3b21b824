import Glibc

/// A client that sends pieces as it is told, and takes whatever comes meanwhile. Every wait gives up after half a minute.
final class WireClient {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let number: Int32
    /// All that has come.
    private(set) var received: [UInt8] = []
    /// Whether the server has said that nothing more will come.
    private(set) var hasEnded = false

    /// Connects to a port of 127.0.0.1.
    init(port: UInt16) throws {
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var time = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        // A reset at the end, when both sides have said all: thousands of connections leave none waiting behind.
        var reset = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "connect: errno \(errno)") }
    }

    deinit { if number >= 0 { close(number) } }

    /// Sends all of `octets`, in one call where the kernel takes them.
    func send(_ octets: some Collection<UInt8>) throws {
        let octets = Array(octets)
        var sent = 0
        while sent < octets.count {
            let count = octets[sent...].withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(description: "send: errno \(errno) after \(sent) octets") }
            sent += count
        }
    }

    /// Says that nothing more will be sent.
    func halfClose() { shutdown(number, Int32(SHUT_WR)) }

    /// Takes what has come, without waiting for more.
    func takeWhatCame() throws { while try receive(Int32(MSG_DONTWAIT)) {} }

    /// Takes everything up to the server's end. A reset is an error.
    func takeAll() throws { while try receive(0) {} }

    /// - Returns: Whether something came.
    private func receive(_ flags: Int32) throws -> Bool {
        guard !hasEnded else { return false }
        let (count, code) = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { chunk in
            let count = recv(number, chunk.baseAddress, chunk.count, flags)
            let code = errno
            if count > 0 { received.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count])) }
            return (count, code)
        }
        if count < 0, flags != 0, code == EAGAIN { return false }
        guard count >= 0 else { throw Failure(description: "recv: errno \(code) after \(received.count) octets") }
        hasEnded = count == 0
        return count > 0
    }
}
