import Foundation
import Glibc
import JSON

/// One connection to a server on this machine: sends what it is told, and reads what is answered. Every wait is bounded.
final class HTTPClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where a server listens.
    enum Address {
        /// 127.0.0.1.
        case ipv4(UInt16)
        /// ::1.
        case ipv6(UInt16)
        case unix(String)
    }

    private var number: Int32
    /// What was received behind the last answer.
    private var unread = Data()

    convenience init(port: UInt16, seconds: Int = 60) throws { try self.init(.ipv4(port), seconds: seconds) }

    init(_ address: Address, seconds: Int = 60) throws {
        number = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let status = address.withSystemAddress { connect(number, $0, $1) }
        guard status == 0 else {
            let code = errno
            close()
            throw Failure(description: "connect: errno \(code)")
        }
    }

    deinit { close() }

    func close() {
        if number >= 0 { Glibc.close(number) }
        number = -1
    }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(number, Int32(SHUT_WR)) }

    /// Closes with a reset, as a process does that ends with something unread.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Sends all of `bytes`; a server that stops reading is no failure, as its answer is still to be read.
    func send(_ bytes: Data) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a request, which asks to close the connection after its answer.
    func send(_ method: String, _ path: String, _ fields: [String: String] = [:], body: Data? = nil) {
        var all = ["Host": "localhost", "Connection": "close"].merging(fields) { $1 }
        if let body, all["Transfer-Encoding"] == nil, all["Content-Length"] == nil { all["Content-Length"] = "\(body.count)" }
        let head = "\(method) \(path) HTTP/1.1\r\n" + all.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        send(Data(head.utf8) + (body ?? Data()))
    }

    /// Reads to the server's close, and takes what came apart.
    /// - Parameter method: what was asked with; the answer to HEAD has no content.
    func answer(to method: String = "GET") throws -> HTTPAnswer { try HTTPAnswer(rest(), to: method) }

    /// Reads one answer with its content, if it has any, and leaves the connection open.
    /// - Parameter method: what was asked with; the answer to HEAD has no content.
    func nextAnswer(to method: String = "GET") throws -> HTTPAnswer {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            if let end = unread.range(of: Data("\r\n\r\n".utf8))?.upperBound {
                let head = try HTTPAnswer(unread[..<end], to: "HEAD")
                let isEmpty = method == "HEAD" || head.status == 204 || head.status == 304
                let length = isEmpty ? 0 : head.fields["content-length"].flatMap { Int($0) } ?? 0
                if unread.count >= end + length {
                    defer { unread = Data(unread[(end + length)...]) }
                    return try HTTPAnswer(unread[..<(end + length)], to: method)
                }
            }
            let count = recv(number, &chunk, chunk.count, 0)
            guard count > 0 else {
                throw Failure(description: count == 0 ? "closed" : "recv: errno \(errno) after \(unread.count) bytes")
            }
            unread += chunk[..<count]
        }
    }

    /// Reads to the server's close.
    func rest() throws -> Data {
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(number, &chunk, chunk.count, 0)
            guard count >= 0 else { throw Failure(description: "recv: errno \(errno) after \(bytes.count) bytes") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Whether the server has sent anything, or closed, by now.
    var hasAnswer: Bool {
        var byte: UInt8 = 0
        return recv(number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0
    }
}

extension HTTPClient.Address {
    fileprivate var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    fileprivate func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return Self.pass(&address, body)
        case .ipv6(let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return Self.pass(&address, body)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            // The last byte stays zero.
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            return Self.pass(&address, body)
        }
    }

    private static func pass<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
        }
    }
}

/// An answer with a body of JSON, or without one.
struct HTTPAnswer {
    let status: Int
    /// By names in lower case.
    let fields: [String: String]
    let body: Data

    /// - Parameter method: what was asked with; the answer to HEAD has no content.
    init(_ bytes: Data, to method: String = "GET") throws {
        guard let end = bytes.range(of: Data("\r\n\r\n".utf8)) else {
            throw HTTPClient.Failure(description: "no answer in \(bytes.count) bytes")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        guard lines[0].hasPrefix("HTTP/1.1 "), let status = Int(lines[0].dropFirst(9).prefix(3)) else {
            throw HTTPClient.Failure(description: "not an answer: \(lines[0])")
        }
        self.status = status
        fields = Dictionary(
            lines.dropFirst().compactMap { line in
                line.firstIndex(of: ":").map { (line[..<$0].lowercased(), String(line[$0...].dropFirst(2))) }
            }, uniquingKeysWith: { "\($0), \($1)" })
        body = Data(bytes[end.upperBound...])
        let isEmpty = method == "HEAD" || status == 204 || status == 304
        guard (isEmpty ? 0 : fields["content-length"].flatMap { Int($0) }) == body.count else {
            throw HTTPClient.Failure(
                description: "\(body.count) bytes of content, \(fields["content-length"] ?? "no length") said")
        }
    }

    /// The body.
    var json: JSON { get throws { try JSON(parsing: [UInt8](body)) } }

    /// The bytes of the member `results`, as they came.
    var resultsText: Substring {
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.range(of: #""results":"#), let end = text.range(of: #","timing":"#) else { return "" }
        return text[start.upperBound..<end.lowerBound]
    }
}
