import Glibc

/// A client that sends just what it is told and reads just what comes. Every read gives up after ten seconds.
final class LoopbackClient {
    /// An answer as it came.
    struct Answer: Equatable {
        var status: Int
        var fields: [String: String]
        var body: String
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private var number: Int32
    private var buffer: [UInt8] = []

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameter receiveBuffer: The size of the kernel's buffer, where a test wants it small.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        if var size = receiveBuffer { setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var time = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
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

    deinit { disconnect() }

    /// Sends all of `text`.
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends all of `octets`.
    func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(number, $0.baseAddress! + sent, octets.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: errno \(errno)") }
            sent += count
        }
    }

    /// Says that nothing more will be sent.
    func halfClose() { shutdown(number, Int32(SHUT_WR)) }

    /// Closes; with what has not been read unread.
    func disconnect() {
        if number >= 0 { close(number) }
        number = -1
    }

    /// Closes by a reset.
    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        disconnect()
    }

    /// Reads the next answer, an interim one included.
    ///
    /// - Parameter hasContent: False for the answer to HEAD.
    func answer(hasContent: Bool = true) throws -> Answer {
        let end = Array("\r\n\r\n".utf8)
        var headCount: Int?
        while headCount == nil {
            headCount = buffer.indices.first { buffer[$0...].starts(with: end) }
            if headCount == nil, try !readMore() { throw Failure(description: "ended after \(buffer.count) octets: \(text)") }
        }
        let lines = String(decoding: buffer[..<headCount!], as: UTF8.self).split(separator: "\r\n")
        buffer.removeFirst(headCount! + end.count)
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
            throw Failure(description: "not an answer: \(lines)")
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":")!
            fields[line[..<colon].lowercased()] = String(line[colon...].dropFirst(2))
        }
        let length = hasContent ? Int(fields["content-length"] ?? "0")! : 0
        while buffer.count < length {
            guard try readMore() else { throw Failure(description: "ended inside a body") }
        }
        defer { buffer.removeFirst(length) }
        return Answer(status: status, fields: fields, body: String(decoding: buffer[..<length], as: UTF8.self))
    }

    /// Sends `text` and reads one answer.
    func exchange(_ text: String) throws -> Answer {
        try send(text)
        return try answer()
    }

    /// Everything up to the server's close, as text. A reset is an error.
    func rest() throws -> String {
        while try readMore() {}
        defer { buffer = [] }
        return text
    }

    /// What has been read and not been taken.
    var text: String { String(decoding: buffer, as: UTF8.self) }

    /// Reads up to `count` octets more.
    ///
    /// - Returns: False when the server has closed.
    @discardableResult
    func readMore(atMost count: Int = 65_536) throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: count)
        let received = recv(number, &chunk, count, 0)
        guard received >= 0 else { throw Failure(description: "recv: errno \(errno), after \(buffer.count) octets") }
        buffer.append(contentsOf: chunk[..<received])
        return received > 0
    }
}
