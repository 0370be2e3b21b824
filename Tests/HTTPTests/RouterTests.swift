import HTTPTypes
import Testing

@testable import HTTP

@Suite("Routes")
struct RouterTests {
    private func head(_ method: String, _ target: String) throws -> RequestHead {
        var parser = RequestParser()
        let input = Array(request("\(method) \(target) HTTP/1.1", "Content-Length: 0").utf8)
        guard case .head(let head) = try parser.parse(input.span).event else {
            throw LoopbackClient.Failure(description: "no head")
        }
        return head
    }

    private func router() -> Router {
        var router = Router(problem: LiveServer.problem)
        for pattern in ["/", "/a", "/a/{x}", "/a/b", "/a/{x}/c/{y}", "/a/b/d"] {
            router.on(.get, pattern) { request, reply in
                reply(.text(pattern + request.parameters.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()))
            }
        }
        router.on(.post, "/a") { _, reply in reply(.text("posted")) }
        router.on(.head, "/own") { _, reply in reply(.text("own head")) }
        return router
    }

    private func answer(_ method: String, _ target: String) throws -> Response {
        let head = try head(method, target)
        if let refusal = router().admit(head, nil) { return refusal }
        nonisolated(unsafe) var answer: Response?
        router().handle(Request(head: head)) { answer = $0 }
        return try #require(answer)
    }

    @Test(
        "The route is the one whose path matches, literals before names",
        arguments: [
            ("/", "/"), ("/a", "/a"), ("/a/b", "/a/b"), ("/a/z", "/a/{x} x=z"), ("/a/b/c/z", "/a/{x}/c/{y} x=b y=z"),
            ("/a/b/d", "/a/b/d"), ("/a/%7Bx%7D", "/a/{x} x={x}"), ("/a/x%2Fy", "/a/{x} x=x/y"), ("/a?q", "/a"),
        ])
    func matching(_ target: String, _ expected: String) throws {
        #expect(String(decoding: try answer("GET", target).body, as: UTF8.self) == expected)
    }

    @Test("A path without a route is a 404", arguments: ["/b", "/a/", "//a", "/a/b/", "/a//c/z", "/a/b/c", "/A", "/a/b/c/d/e"])
    func notFound(_ target: String) throws {
        #expect(try answer("GET", target).status == .notFound)
    }

    @Test("A method without a route is a 405 with Allow; HEAD goes to GET unless it has its own")
    func methods() throws {
        let refusal = try answer("DELETE", "/a")
        #expect(refusal.status == .methodNotAllowed)
        #expect(refusal.fields[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try answer("GET", "/own").fields[.allow] == "HEAD, OPTIONS")
        #expect(try answer("HEAD", "/a").status == .ok)
        #expect(try answer("HEAD", "/own").body == Array("own head".utf8))
        #expect(try answer("OPTIONS", "/a").status == .noContent)
        #expect(try answer("OPTIONS", "/none").status == .notFound)
        #expect(try answer("OPTIONS", "*").fields[.allow] == "GET, HEAD, OPTIONS, POST")
    }

    @Test("What is no pattern is none", arguments: ["", "a", "/a/", "//", "/{}", "/{a}/{a}", "/a{b}", "/{a}b", "/a}"])
    func badPatterns(_ text: String) {
        #expect(RoutePattern(text) == nil)
    }

    @Test("A pattern that is none, and a route given twice, are the program's mistake")
    func programmerErrors() async {
        await #expect(processExitsWith: .failure) {
            var router = Router(problem: LiveServer.problem)
            router.on(.get, "a") { _, _ in }
        }
        await #expect(processExitsWith: .failure) {
            var router = Router(problem: LiveServer.problem)
            router.on(.get, "/{a}") { _, _ in }
            router.on(.get, "/{b}") { _, _ in }
        }
    }
}
