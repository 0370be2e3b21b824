import Foundation
import Glibc
import JSON

/// One connection to a server on 127.0.0.1: sends what it is told, and reads one answer. Every wait is bounded.
final class HTTPClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private var number: Int32

    init(port: UInt16, seconds: Int = 60) throws {
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
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
    func answer() throws -> HTTPAnswer { try HTTPAnswer(rest()) }

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

/// An answer with a body of JSON, or without one.
struct HTTPAnswer {
    let status: Int
    /// By names in lower case.
    let fields: [String: String]
    let body: Data

    init(_ bytes: Data) throws {
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
        guard fields["content-length"].flatMap({ Int($0) }) == body.count else {
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
