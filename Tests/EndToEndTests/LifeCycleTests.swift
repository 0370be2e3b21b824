import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// From the first bind to the end of a drain, through overload and clients that leave.
@Suite("The life of a server")
struct LifeCycleTests {
    /// A question that takes some seconds on this machine, whatever machine that is.
    private func slowQuestion(of server: InfluencedServer) throws -> JSON {
        func ask(_ depth: Int) -> JSON {
            Demo.question(3, ["solver": ["name": "lissa", "recursion_depth": .integer(depth), "num_repeat": 1, "batch_size": 8]])
        }
        // The first answer loads what the later ones have.
        _ = try server.influence(ask(10))
        let milliseconds = try server.influence(ask(5_000)).member("timing").number("s_test_ms")
        return ask(Int(5_000 * 2_500 / max(milliseconds, 1)))
    }

    @Test("on SIGTERM a server finishes what it has begun, takes nothing new, and ends with 0")
    func drain() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_SERVER_DRAIN_TIMEOUT_MS": "60000"])
        let question = try slowQuestion(of: server)
        #expect(try server.get("/health/ready").status == 200)
        let client = try server.begin("/influence", question)
        #expect(try eventually { try server.load().running == 1 })
        server.process.send(SIGTERM)
        #expect(eventually { (try? server.get("/health/ready"))?.status != 200 })
        #expect(server.process.poll() == nil, "it waits for the answer")
        #expect(try client.answer().status == 200)
        #expect(try server.process.wait() == .exited(0))
    }

    @Test("an interrupt from the keyboard is heard as SIGTERM is")
    func interrupt() throws {
        let server = try InfluencedServer(store: Demo.store())
        server.process.send(SIGINT)
        #expect(try server.process.wait() == .exited(0))
    }

    @Test("what is not finished in the time for draining is broken off")
    func drainTimeout() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_SERVER_DRAIN_TIMEOUT_MS": "100"])
        let client = try server.begin("/influence", Demo.endlessQuestion)
        #expect(try eventually { try server.load().running == 1 })
        server.process.send(SIGTERM)
        #expect(try server.process.wait(seconds: 30) == .exited(0))
        #expect(throws: (any Error).self) { try client.answer() }
    }

    @Test("with every worker busy and the queue full, more work is refused with Retry-After; the rest goes on answering")
    func overload() throws {
        let server = try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_COMPUTE_JOBS": "1", "INFLUENCED_COMPUTE_QUEUE_LENGTH": "1"])
        let busy = try server.begin("/influence", Demo.endlessQuestion)
        #expect(try eventually { try server.load().running == 1 })
        // Another question: an identical one would share the first one's answer.
        let waiting = try server.begin("/influence", Demo.endlessQuestion.with("k", 7))
        #expect(try eventually { try server.load() == (1, 1) })
        for path in ["/influence", "/predict"] {
            let refusal = try server.post(path, ["model": "digits", "tests": [Demo.test(0)]])
            try refusal.expectProblem(503, "overloaded", instance: path)
            #expect(refusal.fields["retry-after"].flatMap { Int($0) } ?? 0 > 0)
        }
        for path in ["/health/live", "/health/ready", "/info", "/models", "/datasets/digits-test/examples/0"] {
            #expect(try server.get(path, seconds: 20).status == 200)
        }
        #expect(!busy.hasAnswer && !waiting.hasAnswer)
        busy.close()
        waiting.close()
        #expect(try eventually { try server.load() == (0, 0) }, "nobody waits for these answers any more")
        #expect(try server.predict(["model": "digits", "tests": [Demo.test(0)]]).results.count == 1)
    }

    @Test("as many computations as there are processors do not keep the catalogue from answering")
    func catalogueUnderLoad() throws {
        let jobs = 2 * ProcessInfo.processInfo.activeProcessorCount
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_COMPUTE_JOBS": "\(jobs)"])
        let clients = try (0..<jobs).map { job in
            try server.begin("/influence", Demo.endlessQuestion.with("deadline_ms", 30_000).with("k", .integer(job + 1)))
        }
        defer { for client in clients { client.close() } }
        for path in ["/health/live", "/info", "/models", "/datasets/digits-test"] {
            let answer = try? server.get(path, seconds: 10)
            #expect(answer?.status == 200, "\(path)")
        }
        #expect(clients.allSatisfy { !$0.hasAnswer })
        #expect(server.process.poll() == nil)
    }

    @Test("who waits in the queue is told when the deadline has passed, not when a worker is free")
    func deadlineInQueue() throws {
        let server = try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_COMPUTE_JOBS": "1", "INFLUENCED_COMPUTE_QUEUE_LENGTH": "4"])
        let busy = try server.begin("/influence", Demo.endlessQuestion)
        #expect(try eventually { try server.load().running == 1 })
        let answer = try? server.post("/influence", Demo.question(3, ["deadline_ms": 200]), seconds: 20)
        try #require(answer).expectProblem(504, "deadline-exceeded", instance: "/influence")
        #expect(!busy.hasAnswer && server.process.poll() == nil)
    }

    @Test("a client that hangs up does not keep a worker busy", arguments: [true, false])
    func hangUp(isWholeRequest: Bool) throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_COMPUTE_JOBS": "1"])
        let client: HTTPClient
        if isWholeRequest {
            client = try server.begin("/influence", Demo.endlessQuestion)
            #expect(try eventually { try server.load().running == 1 })
        } else {
            client = try HTTPClient(port: server.port)
            client.send(
                "POST", "/influence", InfluencedServer.jsonFields.merging(["Content-Length": "500"]) { $1 }, body: Data("{".utf8))
        }
        client.close()
        let answer = try? server.post("/influence", Demo.question(3), seconds: 20)
        #expect(answer?.status == 200)
        #expect(server.process.poll() == nil)
    }

    @Test("two servers on one store answer alike")
    func twoServers() throws {
        let bench = try Workbench.demo()
        let servers = try (0..<2).map { _ in try bench.serve() }
        #expect(servers[0].port != servers[1].port)
        for solver: JSON in [["name": "exact"], ["name": "lissa"]] {
            let answers = try servers.map { try $0.post("/influence", Demo.question(3, ["solver": solver])) }
            #expect(answers[0].status == 200)
            #expect(answers[0].resultsText == answers[1].resultsText && !answers[0].resultsText.isEmpty)
        }
        for server in servers { #expect(server.process.stop() == .exited(0)) }
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("many clients at once are all answered, each with its own answer")
    func manyClients() throws {
        let server = try Demo.server()
        let clients = try (0..<24).map { try server.begin("/influence", Demo.question($0, ["id": .string("client \($0)")])) }
        for (index, client) in clients.enumerated() {
            let answer = try client.answer().json
            #expect(answer["id"]?.stringValue == "client \(index)")
            #expect(try answer.result.member("test")["index"]?.integerValue == index)
        }
    }

    @Test("a dataset imported while a server runs is there at once")
    func importBesideServer() throws {
        let bench = try Workbench.demo()
        let server = try bench.serve()
        #expect(try server.get("/datasets/more").status == 404)
        try bench.write("x.npy", ArrayFile.npy([Float](repeating: 0.5, count: 128), shape: [2, 8, 8]))
        try bench.write("y.npy", ArrayFile.npy([1, 2], shape: [2]))
        try bench.succeed("import", "dataset", "--name", "more", "--inputs", "@x.npy", "--targets", "@y.npy")
        #expect(try server.get("/datasets/more").json["n"] == 2)
        let question = Demo.question(0, ["tests": [["dataset": "more", "index": 1]]])
        #expect(try server.influence(question).result.member("test")["target"] == 2)
    }

    @Test("a store that may not be written is served all the same, and is left as it is")
    func writeProtected() throws {
        let bench = try Workbench.demo()
        let before = try Data(contentsOf: URL(fileURLWithPath: bench.store))
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: bench.store)
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: bench.folder.url.path)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bench.folder.url.path) }
        let server = try bench.serve(launcher: Privileges.dropping)
        let info = try server.get("/info").json
        #expect(try info.member("store")["writable"] == false)
        for solver: JSON in [["name": "exact"], ["name": "lissa"]] {
            let ours = try server.post("/influence", Demo.question(3, ["solver": solver]))
            let others = try Demo.server().post("/influence", Demo.question(3, ["solver": solver]))
            #expect(ours.status == 200 && ours.resultsText == others.resultsText)
        }
        #expect(server.process.stop() == .exited(0))
        let written = try influenced("cache", "--store", bench.store, "--model", "digits", launcher: Privileges.dropping)
        #expect(written.ending == .exited(1) && written.standardError.contains("cannot be written"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: bench.store)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder.url.path) == ["store.sqlite"])
    }
}

/// Root may write anywhere: where the tests run as root, the program is run as nobody.
enum Privileges {
    static let dropping =
        geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : []
}
