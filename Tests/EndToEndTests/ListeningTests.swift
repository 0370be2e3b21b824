import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// A server on addresses of a test's choice, which it says line by line.
struct ListeningServer {
    let process: InfluencedProcess
    let lines: [String]

    init(_ arguments: [String], lines count: Int, environment: [String: String] = [:]) throws {
        let process = try InfluencedProcess(["serve", "--store", Demo.store()] + arguments, environment: environment)
        func written() -> [String] { process.standardOutput.split(separator: "\n").map(String.init) }
        guard
            eventually(
                seconds: 30, { process.standardOutput.hasSuffix("\n") && written().count >= count || process.poll() != nil }),
            written().count == count
        else { throw InfluencedProcess.Failure(description: "\(written()) \(process.standardError)") }
        self.process = process
        lines = written()
    }

    /// The port at the end of a line that begins so.
    func port(_ start: String) throws -> UInt16 {
        let line = try #require(lines.first { $0.hasPrefix("listening on http://" + start) }, "\(lines)")
        return try #require(UInt16(line.dropFirst("listening on http://".count + start.count)), "\(lines)")
    }

    static func get(_ address: HTTPClient.Address, _ path: String = "/health/live") throws -> HTTPAnswer {
        let client = try HTTPClient(address)
        client.send("GET", path)
        return try client.answer()
    }
}

/// Where a server listens.
@Suite("Listening")
struct ListeningTests {
    private let folder: TemporaryDirectory
    private var path: String { folder.path("s.sock") }

    init() throws { folder = try TemporaryDirectory() }

    static let hasIPv6: Bool = {
        let number = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return false }
        defer { close(number) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }()

    private var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    @Test("a Unix-domain socket is served beside TCP, is not open to all, and is gone after the end")
    func both() throws {
        let server = try ListeningServer(
            ["--port", "0", "--socket", path], lines: 2, environment: ["INFLUENCED_LOG_FORMAT": "json"])
        #expect(server.lines[1] == "listening on unix:\(path)")
        let port = try server.port("127.0.0.1:")
        #expect(try ListeningServer.get(.ipv4(port)).status == 200)
        let models = try ListeningServer.get(.unix(path), "/models")
        #expect(try models.status == 200 && models.body == ListeningServer.get(.ipv4(port), "/models").body)
        let client = try HTTPClient(.unix(path))
        client.send("POST", "/influence", InfluencedServer.jsonFields, body: Data(Demo.question().serialized()))
        #expect(try client.answer().resultsText == Demo.server().post("/influence", Demo.question()).resultsText)
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK && status.st_mode & 0o007 == 0)
        #expect(server.process.stop() == .exited(0))
        #expect(!isThere)
        let peers = try server.process.standardError.split(separator: "\n").map { try JSON(parsing: [UInt8]($0.utf8)) }
            .compactMap { $0["peer"]?.stringValue }
        #expect(peers.contains { $0.hasPrefix("unix") } && peers.contains { $0.hasPrefix("127.0.0.1:") }, "\(peers)")
    }

    @Test("without a host it listens on the Unix-domain socket alone, and clients are limited there as well")
    func unixOnly() throws {
        let server = try ListeningServer(
            ["--host", "", "--socket", path], lines: 1, environment: ["INFLUENCED_LIMITS_MAX_REQUESTS_PER_CLIENT": "1"])
        #expect(server.lines == ["listening on unix:\(path)"])
        #expect(try ListeningServer.get(.unix(path)).status == 200)
        func ask(_ question: JSON) throws -> HTTPClient {
            let client = try HTTPClient(.unix(path))
            client.send("POST", "/influence", InfluencedServer.jsonFields, body: Data(question.serialized()))
            return client
        }
        let busy = try ask(Demo.endlessQuestion)
        func running() throws -> JSON? { try ListeningServer.get(.unix(path), "/info").json["queue"]?["running"] }
        #expect(try eventually { try running() == 1 })
        try ask(Demo.question()).answer().expectProblem(429, "too-many-requests")
        busy.close()
        #expect(try eventually { try running() == 0 })
        #expect(try ask(Demo.question()).answer().status == 200)
        let none = try influenced("serve", "--store", Demo.store(), "--host", "")
        #expect(none.ending == .exited(2) && none.standardError.contains("server.host"))
    }

    @Test("IPv6 is served, alone and beside IPv4", .enabled(if: hasIPv6))
    func ipv6() throws {
        let alone = try ListeningServer(["--port", "0", "--host", "::1"], lines: 1)
        let port = try alone.port("[::1]:")
        #expect(try ListeningServer.get(.ipv6(port), "/models").status == 200)
        #expect(throws: (any Error).self) { try ListeningServer.get(.ipv4(port)) }
        let two = try ListeningServer(["--port", "0", "--host", "127.0.0.1, ::1"], lines: 2)
        #expect(try ListeningServer.get(.ipv4(two.port("127.0.0.1:"))).status == 200)
        #expect(try ListeningServer.get(.ipv6(two.port("[::1]:"))).status == 200)
        #expect(!two.process.standardError.contains("anybody who can reach"))
        #expect(two.process.stop() == .exited(0) && alone.process.stop() == .exited(0))
    }

    @Test("a socket that a process has left behind is replaced")
    func abandoned() throws {
        let first = try ListeningServer(["--host", "", "--socket", path], lines: 1)
        first.process.send(SIGKILL)
        #expect(try first.process.wait() == .signalled(SIGKILL))
        #expect(isThere)
        let second = try ListeningServer(["--host", "", "--socket", path], lines: 1)
        #expect(try ListeningServer.get(.unix(path)).status == 200)
        #expect(second.process.stop() == .exited(0))
        #expect(!isThere)
    }

    @Test("what is at the path of the socket and in use, or no socket, is an error with its name, and stays as it is")
    func inTheWay() throws {
        func refused(_ path: String, location: SourceLocation = #_sourceLocation) throws {
            let result = try influenced("serve", "--store", Demo.store(), "--port", "0", "--socket", path)
            #expect(result.ending == .exited(1), sourceLocation: location)
            #expect(result.standardError.contains("unix:\(path)"), "\(result.standardError)", sourceLocation: location)
            #expect(result.standardOutput.isEmpty, sourceLocation: location)
        }
        let server = try ListeningServer(["--host", "", "--socket", path], lines: 1)
        try refused(path)
        #expect(try ListeningServer.get(.unix(path)).status == 200, "the one that has it is not disturbed")
        #expect(server.process.stop() == .exited(0))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        try refused(path)
        #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
        try refused(folder.path("missing/s.sock"))
        try refused(folder.path(String(repeating: "x", count: 120)))
    }
}
