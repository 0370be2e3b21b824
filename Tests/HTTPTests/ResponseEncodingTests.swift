import HTTPTypes
import Testing

@testable import HTTP

@Suite("Answers on the wire")
struct ResponseEncodingTests {
    private func encode(
        _ response: Response, method: HTTPRequest.Method = .get, version: HTTPVersion = .http11, keepsAlive: Bool = true
    ) -> String {
        let context = ResponseEncoder.Context(method: method, version: version, keepsAlive: keepsAlive, date: "now")
        let (head, body) = ResponseEncoder.encode(response, in: context)
        return String(decoding: head + body, as: UTF8.self)
    }

    @Test("An answer is its status line, its fields, the server's, and its content")
    func plain() {
        #expect(
            encode(.text("hi"))
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: now\r\nContent-Length: 2\r\n\r\nhi")
        #expect(
            encode(.empty(), version: .http10, keepsAlive: true)
                == "HTTP/1.1 204 No Content\r\nDate: now\r\nConnection: keep-alive\r\n\r\n")
        #expect(
            encode(.bytes([], type: "a/b", status: .notFound), keepsAlive: false)
                == "HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nDate: now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    @Test("What concerns the connection and the length is the server's, whatever the handler says; a Date of its own stays")
    func ownFields() {
        let fields: HTTPFields = [.contentLength: "99", .transferEncoding: "chunked", .connection: "upgrade", .date: "then"]
        #expect(
            encode(.text("hi", type: "t/p", fields: fields))
                == "HTTP/1.1 200 OK\r\nDate: then\r\nContent-Type: t/p\r\nContent-Length: 2\r\n\r\nhi")
    }

    @Test("HEAD, 204 and 304 have no content; a status that is not final becomes 500")
    func content() {
        #expect(encode(.text("hi"), method: .head).hasSuffix("Content-Length: 2\r\n\r\n"))
        #expect(!encode(Response(status: .notModified, body: [1])).contains("Length"))
        for code in [0, 100, 101, 199, 600, 999] {
            #expect(encode(Response(status: .init(code: code))).hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
        }
        #expect(encode(Response(status: 299)).hasPrefix("HTTP/1.1 299 \r\n"))
    }

    @Test(
        "A date has the fixed form",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.format(seconds) == text)
    }
}
