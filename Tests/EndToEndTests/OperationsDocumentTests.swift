import Foundation
import JSON
import TestSupport
import Testing

/// What is asked for again and again: catalogue pages that have not changed, the interface's description, metrics.
@Suite("Tags, the interface's description, metrics")
struct OperationsDocumentTests {
    static let tagged = [
        "/models", "/models/digits", "/datasets", "/datasets/digits-test", "/datasets/digits-test/examples/3",
    ]

    @Test("a page that the client has is a 304 without content; HEAD gets the same tag", arguments: tagged)
    func tags(path: String) throws {
        let server = try Demo.server()
        let page = try server.get(path)
        let tag = try #require(page.fields["etag"])
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.count > 10)
        #expect(page.fields["cache-control"] == "no-cache")
        #expect(try server.get(path).fields["etag"] == tag)
        for condition in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            for method in ["GET", "HEAD"] {
                // The length of the content is looked at where the answer is taken apart.
                let answer = try server.exchange(method, path, ["If-None-Match": condition])
                #expect(answer.status == 304 && answer.body.isEmpty && answer.fields["etag"] == tag, "\(method) \(condition)")
                #expect(answer.fields["content-type"] == nil && answer.fields["cache-control"] == "no-cache")
                #expect(answer.fields["x-request-id"] != nil)
            }
        }
        for condition in ["\"other\"", tag.replacingOccurrences(of: "\"", with: ""), ""] {
            let answer = try server.exchange("GET", path, ["If-None-Match": condition])
            #expect(answer.status == 200 && answer.body == page.body)
        }
        let head = try server.exchange("HEAD", path)
        #expect(head.status == 200 && head.fields["etag"] == tag && head.fields["content-length"] == "\(page.body.count)")
        #expect(try server.exchange("GET", "/models/none", ["If-None-Match": "*"]).status == 404)
    }

    @Test("a page that has changed has another tag")
    func change() throws {
        let bench = try Workbench.demo()
        let server = try bench.serve()
        let before = try #require(try server.get("/datasets").fields["etag"])
        try bench.writeGoodFiles()
        try bench.succeed("import", "dataset", "--name", "good", "--inputs", "@x.npy", "--targets", "@y.npy")
        let answer = try server.exchange("GET", "/datasets", ["If-None-Match": before])
        #expect(answer.status == 200 && answer.fields["etag"] != before)
    }

    @Test("one connection serves tags, refusals and pages in turn: a 304 takes nothing of what follows")
    func sequence() throws {
        let server = try Demo.server()
        let client = try HTTPClient(port: server.port)
        let tag = try #require(try server.get("/models").fields["etag"])
        for condition in [tag, "\"other\"", tag, "\"other\""] {
            client.send("GET", "/models", ["If-None-Match": condition, "Connection": "keep-alive"])
        }
        #expect(try (0..<4).map { _ in try client.nextAnswer().status } == [304, 200, 304, 200])
    }

    @Test("the description of the interface is served as JSON, has every route, and the limits that are set")
    func openAPI() throws {
        let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_LIMITS_MAX_TESTS": "7"])
        let answer = try server.get("/openapi.json")
        #expect(answer.status == 200 && answer.fields["content-type"] == "application/json")
        let document = try answer.json
        #expect(document["openapi"]?.stringValue?.hasPrefix("3.1") == true)
        #expect(try document.member("info")["version"] == server.get("/info").json["version"])
        let paths = try #require(document["paths"]?.objectValue)
        #expect(
            Set(paths.keys) == [
                "/influence", "/influence/parameters", "/influence/slices", "/self-influence", "/predict", "/models",
                "/models/{model}",
                "/datasets",
                "/datasets/{dataset}",
                "/models/{model}/checkpoints/{checkpoint}/spectrum", "/datasets/{dataset}/examples/{index}", "/info", "/metrics",
                "/openapi.json", "/health/live", "/health/ready",
            ])
        #expect(try server.get("/openapi.json").body == answer.body, "the same bytes each time")
        let usual = try Demo.server().get("/openapi.json")
        #expect(usual.body != answer.body && document.text.contains(#""maxItems":7"#))
        // A server that is configured alike serves the very same document.
        let other = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_LIMITS_MAX_TESTS": "7"])
        #expect(try other.get("/openapi.json").body == answer.body)
    }

    @Test("metrics are text for Prometheus, need no key where there are none, and count what was done")
    func metrics() throws {
        let server = try InfluencedServer(store: Demo.store())
        #expect(try server.get("/metrics").fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        for _ in 0..<3 { _ = try server.get("/models/digits") }
        for path in ["/models/none", "/nothing", "/else"] { #expect(try server.get(path).status == 404) }
        #expect(try server.exchange("HEAD", "/models/digits").status == 200)
        #expect(try server.exchange("GET", "/models/digits", ["If-None-Match": "*"]).status == 304)
        for _ in 0..<2 { _ = try server.influence(Demo.question(3)) }
        _ = try server.influence(Demo.question(4))
        #expect(try server.post("/influence", Demo.question(3, ["k": 0])).status == 422)
        let client = try HTTPClient(port: server.port)
        client.send(Data("nonsense\r\n\r\n".utf8))
        _ = try client.answer()

        let metrics = try server.metrics()
        #expect(metrics.requests("/models/{model}", "GET", 200) == 3)
        #expect(metrics.requests("/models/{model}", "GET", 404) == 1 && metrics.requests("/models/{model}", "GET", 304) == 1)
        #expect(metrics.requests("/models/{model}", "HEAD", 200) == 1)
        #expect(metrics.requests("unmatched", "GET", 404) == 2)
        #expect(metrics.requests("/influence", "POST", 200) == 3 && metrics.requests("/influence", "POST", 422) == 1)
        #expect(metrics.rejected("protocol") == 1 && metrics.rejected("queue_full") == 0)
        #expect(metrics.count("influence_stest_cache_hits_total") == 1)
        #expect(metrics.count("influence_stest_cache_misses_total") == 2)
        #expect(metrics.count("influence_batches_total") == 2 && metrics.count("influence_batched_right_hand_sides_total") == 2)
        #expect(metrics.count("influence_stest_cache_entries") == 2 && metrics.count("influence_stest_cache_bytes") > 0)
        #expect(metrics.count(#"influence_queue_wait_seconds_count{route="/influence"}"#) == 3)
        #expect(metrics.count(#"influence_http_request_duration_seconds_count{route="/influence"}"#) == 4)
        #expect(metrics.count(#"influence_http_request_duration_seconds_bucket{route="/influence",le="+Inf"}"#) == 4)
        #expect(metrics.count("influence_queue_depth") == 0 && metrics.count("influence_jobs_running") == 0)
        #expect(metrics.count("influence_connections_accepted_total") >= 13 && metrics.count("influence_connections_open") >= 1)
        #expect(metrics.count("influence_store_bytes") > 100_000 && metrics.count("influence_held_memory_bytes") > 0)
        for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_threads"] {
            #expect(metrics.has(name), "\(name)")
        }
        #expect(metrics.text.contains("influence_build_info{version="))
        #expect(!metrics.text.contains("nothing") && !metrics.text.contains("digits"), "what clients send makes no series")
    }

    @Test("every family of the metrics is introduced once, before its samples")
    func families() throws {
        let text = try Demo.server().metrics().text
        var known: Set<Substring> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                #expect(known.insert(line.split(separator: " ")[2]).inserted, "\(line)")
            } else if !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let family = ["_bucket", "_sum", "_count"].map { name.hasSuffix($0) ? name.dropLast($0.count) : name }
                #expect(family.contains { known.contains($0) } || known.contains(name), "\(line)")
                #expect(name.hasPrefix("influence_") || name.hasPrefix("process_"))
            }
        }
        #expect(known.count > 15)
    }
}
