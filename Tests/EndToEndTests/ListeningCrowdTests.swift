import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// More connections than anybody needs.
@Suite("Crowds of connections", .serialized)
struct ListeningCrowdTests {
    /// What the kernel says of a process.
    private struct Process {
        let pid: pid_t

        var residentBytes: Int {
            let lines = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))?.split(separator: "\n") ?? []
            let line = lines.first { $0.hasPrefix("VmRSS:") }
            return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1_024
        }

        var descriptors: Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd"))?.count ?? -1 }

        /// In user and system mode together.
        var processorSeconds: Double {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 12 ? (Double(fields[11]) ?? 0) / 100 + (Double(fields[12]) ?? 0) / 100 : 0
        }
    }

    /// How many connections this process may have, after having asked for as many as the system allows.
    private static let affordable: Int = {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        getrlimit(resource, &limit)
        // Other tests run beside this one.
        return min(10_000, Int(clamping: limit.rlim_cur) - 1_500)
    }()

    private func keepAlive(_ client: HTTPClient) throws {
        client.send("GET", "/health/live", ["Connection": "keep-alive"])
        try #require(try client.nextAnswer().status == 200)
    }

    @Test("thousands of idle connections cost little memory, no answer to others, and leave nothing behind")
    func idle() throws {
        let count = Self.affordable
        try #require(count >= 2_000, "the limit of descriptors is too low for this test")
        let server = try InfluencedServer(
            store: Demo.store(),
            environment: ["INFLUENCED_SERVER_MAXIMUM_CONNECTIONS": "20000", "INFLUENCED_SERVER_IDLE_TIMEOUT_MS": "600000"])
        let process = Process(pid: server.process.pid)
        // What the first ones of each kind load is not the connections'.
        for _ in 0..<50 { _ = try server.get("/models") }
        _ = try server.influence(Demo.question())
        let (memory, descriptors) = (process.residentBytes, process.descriptors)
        var clients: [HTTPClient] = []
        for _ in 0..<count {
            let client = try HTTPClient(port: server.port, seconds: 30)
            try keepAlive(client)
            clients.append(client)
        }
        let metrics = try server.metrics()
        #expect(metrics.count("influence_connections_open") == count + 1)
        let each = Double(process.residentBytes - memory) / Double(count)
        print("\(count) idle connections: \(Int(each)) bytes of memory each, \(process.descriptors - descriptors) descriptors")
        #expect(each < 16_384)
        #expect(try server.post("/influence", Demo.question()).status == 200)
        for index in [0, count / 2, count - 1] { try keepAlive(clients[index]) }
        let used = process.processorSeconds
        sleep(1)
        print("idle connections use \(process.processorSeconds - used) s of a processor in a second")
        #expect(process.processorSeconds - used < 0.5)
        clients = []
        #expect(eventually(seconds: 30) { process.descriptors <= descriptors }, "\(process.descriptors), \(descriptors) before")
        #expect(try server.metrics().count("influence_connections_open") == 1)
        #expect(server.process.stop() == .exited(0))
    }

    @Test("more connections than are allowed wait, and are served when others leave")
    func maximum() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_SERVER_MAXIMUM_CONNECTIONS": "10"])
        var clients = try (0..<10).map { _ in try HTTPClient(port: server.port, seconds: 30) }
        for client in clients { try keepAlive(client) }
        let waiting = try HTTPClient(port: server.port, seconds: 30)
        waiting.send("GET", "/health/live")
        usleep(300_000)
        #expect(!waiting.hasAnswer)
        clients.removeLast().close()
        #expect(try waiting.answer().status == 200)
        for client in clients { try keepAlive(client) }
    }

    @Test("without descriptors it survives, serves whom it has, idles, and serves all when they leave")
    func exhaustion() throws {
        let limit = 64
        let server = try InfluencedServer(
            store: Demo.store(), environment: ["INFLUENCED_COMPUTE_THREADS": "1"],
            launcher: ["sh", "-c", "ulimit -n \(limit); exec \"$@\"", "sh"])
        let process = Process(pid: server.process.pid)
        _ = try server.influence(Demo.question())
        let before = process.descriptors
        for round in 1...3 {
            var clients = try (0..<3 * limit).map { _ in try HTTPClient(port: server.port, seconds: 30) }
            let own = clients.removeFirst()
            try keepAlive(own)
            for client in clients { client.send("GET", "/health/live", ["Connection": "keep-alive"]) }
            // What was inherited may have numbers above the limit.
            #expect(eventually { process.descriptors >= limit }, "\(process.descriptors)")
            let used = process.processorSeconds
            sleep(1)
            let spent = process.processorSeconds - used
            print("without descriptors: \(spent) s of a processor in a second, \(clients.filter(\.hasAnswer).count) served")
            #expect(spent < 0.7, "it does not try without end")
            #expect(server.process.poll() == nil)
            own.send("GET", "/metrics", ["Connection": "keep-alive"])
            let metrics = OperationsMetrics(String(decoding: try own.nextAnswer().body, as: UTF8.self))
            #expect(metrics.count("influence_accept_failures_total") >= round)
            own.send(
                "POST", "/influence", InfluencedServer.jsonFields.merging(["Connection": "keep-alive"]) { $1 },
                body: Data(Demo.question().serialized()))
            #expect(try own.nextAnswer().status == 200, "who is in is served")
            // Those who leave make room for those who wait, and all are answered in the end.
            for client in clients {
                #expect(try client.nextAnswer().status == 200)
                client.close()
            }
            own.close()
            #expect(eventually { process.descriptors <= before }, "\(process.descriptors), \(before) before")
            #expect(try server.get("/models").status == 200)
        }
        #expect(server.process.stop() == .exited(0))
    }
}
