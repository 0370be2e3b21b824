import Foundation
import JSON
import TestSupport
import Testing

/// How `serve` takes its settings, and how it says that it can't.
@Suite("Starting a server")
struct ServeUsageTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: folder.url.appendingPathComponent(name))
        return folder.path(name)
    }

    @Test("a flag goes before the environment, the environment before the file, the file before the default")
    func precedence() throws {
        let config = try file("c.json", #"{"compute": {"threads": 5, "queue_length": 9}, "limits": {"max_k": 12}}"#)
        func info(_ arguments: [String], _ environment: [String: String] = [:]) throws -> JSON {
            try InfluencedServer(store: Demo.store(), arguments, environment: environment).get("/info").json
        }
        let environment = ["INFLUENCED_COMPUTE_THREADS": "4", "INFLUENCED_LIMITS_MAX_K": "11"]
        let byFile = try info(["--config", config])
        #expect(byFile["threads"] == 5 && byFile["limits"]?["max_k"] == 12 && byFile["queue"]?["capacity"] == 9)
        let byEnvironment = try info(["--config", config], environment)
        #expect(
            byEnvironment["threads"] == 4 && byEnvironment["limits"]?["max_k"] == 11 && byEnvironment["queue"]?["capacity"] == 9)
        let byFlag = try info(["--config", config, "--threads", "3"], environment)
        #expect(byFlag["threads"] == 3 && byFlag["limits"]?["max_k"] == 11)
        #expect(byFlag["limits"]?["max_tests"] == 32)
    }

    @Test("a limit that is set holds, and the refusal names it")
    func limitsHold() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_LIMITS_MAX_K": "7"])
        #expect(try server.post("/influence", Demo.question(3, ["k": 7])).status == 200)
        let problem = try server.post("/influence", Demo.question(3, ["k": 8])).expectProblem(422, "invalid-request")
        #expect(problem.text.contains("from 1 to 7"))
    }

    @Test(
        "a configuration file that can't be used is refused with 2 and the reason",
        arguments: [
            ("{\"server\": {\"port\": 0}", "line"), ("[]", "object"), (#"{"server": {"prot": 0}}"#, "did you mean"),
            (#"{"sever": {}}"#, "server"), (#"{"server": {"port": "0"}}"#, "server.port"),
            (#"{"server": {"port": 0.5}}"#, "server.port"),
            (#"{"server": {"port": 65536}}"#, "65535"), (#"{"server": {"host": 7}}"#, "server.host"),
            (#"{"log": {"level": "loud"}}"#, "log.level"), (#"{"compute": {"jobs": 0}}"#, "compute.jobs"),
            (#"{"server": {"port": 0}, "server": {"port": 1}}"#, "server"),
        ])
    func badFile(text: String, mention: String) throws {
        let config = try file("c.json", text)
        let result = try influenced("serve", "--store", Demo.store(), "--config", config)
        #expect(result.ending == .exited(2))
        #expect(result.standardError.contains(mention), "\(result.standardError)")
        #expect(result.standardOutput.isEmpty)
    }

    @Test("a value that is refused is quoted, whether it is of the wrong kind or out of range")
    func badEnvironment() throws {
        for value in ["abc", "1.5", "99999", "-1"] {
            let result = try influenced("serve", "--store", Demo.store(), environment: ["INFLUENCED_SERVER_PORT": value])
            #expect(result.ending == .exited(2))
            #expect(
                result.standardError.contains("server.port") && result.standardError.contains("\"\(value)\""),
                "\(result.standardError)")
        }
    }

    @Test(
        "flags that can't be used are refused with 2",
        arguments: [
            ["--port", "70000"], ["--port", "http"], ["--threads", "-1"], ["--config", "/nowhere/c.json"], ["--prot", "1"],
            ["extra"],
        ])
    func badFlags(flags: [String]) throws {
        let process = try InfluencedProcess(["serve", "--store", Demo.store()] + flags)
        #expect(try process.wait() == .exited(2))
        #expect(process.standardError.contains(flags[0].hasPrefix("--p") ? "port" : flags[0].drop { $0 == "-" }))
    }

    @Test("a store that is not there, or is something else, is refused with 2 and left alone")
    func badStore() throws {
        let missing = folder.path("missing.sqlite")
        let result = try influenced("serve", "--store", missing)
        #expect(result.ending == .exited(2))
        #expect(result.standardError.contains(missing))
        #expect(!FileManager.default.fileExists(atPath: missing))
        for (name, text) in [("text", "hello"), ("empty", ""), ("page", String(repeating: "x", count: 8_192))] {
            let path = try file(name, text)
            let result = try influenced("serve", "--store", path)
            #expect(result.ending == .exited(2), "\(name)")
            #expect(result.standardError.contains("not a store"), "\(result.standardError)")
            #expect(FileManager.default.contents(atPath: path) == Data(text.utf8))
        }
        #expect(try influenced("serve", "--store", folder.url.path).ending == .exited(2))
    }

    @Test("an address that is taken, or is not this machine's, is refused with 1 and named")
    func badAddress() throws {
        let taken = try Demo.server().port
        let result = try influenced("serve", "--store", Demo.store(), "--port", "\(taken)")
        #expect(result.ending == .exited(1))
        #expect(result.standardError.contains("127.0.0.1:\(taken)"))
        let elsewhere = try influenced("serve", "--store", Demo.store(), "--port", "0", "--host", "203.0.113.9")
        #expect(elsewhere.ending == .exited(1))
        #expect(elsewhere.standardError.contains("203.0.113.9"))
    }

    @Test("standard output has the address alone, once requests are answered")
    func output() throws {
        let server = try InfluencedServer(store: Demo.store())
        #expect(try server.get("/health/ready").status == 200)
        #expect(server.process.stop() == .exited(0))
        #expect(server.process.standardOutput == "listening on http://127.0.0.1:\(server.port)\n")
    }
}
