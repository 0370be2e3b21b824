import Dispatch
import Foundation
import HTTP
import HTTPTypes
import Testing

@testable import Service

@Suite("Metrics")
struct MetricsTests {
    private func metrics() -> Metrics {
        let metrics = Metrics(build: ["version": "1.2.3", "swift": "6.3"])
        _ = metrics.route("/influence", hasQueue: true)
        for pattern in ["/models/{model}", "/health/live"] { _ = metrics.route(pattern) }
        return metrics
    }

    @Test("a fresh service tells of everything that it counts, at zero")
    func fresh() throws {
        let read = try Exposition(metrics().exposition())
        let expected = [
            "influence_http_requests_total", "influence_http_request_duration_seconds", "influence_queue_wait_seconds",
            "influence_queue_depth", "influence_jobs_running", "influence_requests_rejected_total",
            "influence_requests_cancelled_total", "influence_deadline_exceeded_total", "influence_coalesced_requests_total",
            "influence_batches_total", "influence_batched_right_hand_sides_total", "influence_stest_cache_hits_total",
            "influence_stest_cache_misses_total", "influence_stest_cache_bytes", "influence_stest_cache_entries",
            "influence_held_memory_bytes", "influence_connections_open", "influence_connections_accepted_total",
            "influence_accept_failures_total", "influence_buffered_bytes", "influence_memory_refusals_total",
            "influence_received_bytes_total", "influence_sent_bytes_total",
            "influence_log_lines_dropped_total", "influence_build_info", "process_cpu_seconds_total", "process_open_fds",
            "process_max_fds", "process_virtual_memory_bytes", "process_resident_memory_bytes", "process_threads",
            "process_start_time_seconds",
        ]
        #expect(Set(read.families.keys) == Set(expected))
        for reason in RejectionReason.allCases {
            #expect(read.value("influence_requests_rejected_total", ["reason": reason.rawValue]) == 0)
        }
        #expect(read.value("influence_build_info", ["version": "1.2.3", "swift": "6.3"]) == 1)
        #expect(read.value("influence_http_request_duration_seconds_count", ["route": "/models/{model}"]) == 0)
        #expect(read.value("influence_queue_wait_seconds_count", ["route": "/influence"]) == 0)
        #expect(read.value("influence_queue_wait_seconds_count", ["route": "/health/live"]) == nil)
    }

    @Test("requests are counted by route, method and code")
    func requests() throws {
        let metrics = metrics()
        let route = metrics.route("/influence")
        for _ in 0..<3 { route.answered(.post, status: .ok, seconds: 0.02) }
        route.answered(.post, status: 503, seconds: 0.001)
        route.waited(seconds: 0.3)
        let read = try Exposition(metrics.exposition())
        func count(_ code: String) -> Double? {
            read.value("influence_http_requests_total", ["route": "/influence", "method": "POST", "code": code])
        }
        #expect(count("200") == 3 && count("503") == 1 && count("404") == nil)
        #expect(read.value("influence_http_request_duration_seconds_count", ["route": "/influence"]) == 4)
        #expect(read.value("influence_queue_wait_seconds_sum", ["route": "/influence"]) == 0.3)
    }

    @Test("what clients invent makes no series of its own")
    func bounded() throws {
        let metrics = metrics()
        for number in 0..<100 {
            let method = try #require(HTTPRequest.Method(rawValue: "INVENTED\(number)"))
            metrics.unmatchedRoute.answered(method, status: .notFound, seconds: 0)
            metrics.unmatchedRoute.waited(seconds: 1)
        }
        let read = try Exposition(metrics.exposition())
        let samples = try #require(read.families["influence_http_requests_total"]?.samples)
        #expect(
            samples == [
                .init(
                    name: "influence_http_requests_total", labels: ["route": "unmatched", "method": "other", "code": "404"],
                    value: 100)
            ])
        #expect(read.value("influence_queue_wait_seconds_count", ["route": "unmatched"]) == nil)
    }

    @Test("every known method has its own label")
    func methods() {
        for label in MethodLabel.allCases where label != .other {
            #expect(HTTPRequest.Method(rawValue: label.rawValue).map(MethodLabel.init) == label)
        }
        #expect(MethodLabel(HTTPRequest.Method("get")!) == .other, "methods are case-sensitive")
    }

    @Test("events are counted")
    func events() throws {
        let metrics = metrics()
        metrics.rejected.add(.queueFull)
        metrics.rejected.add(.queueFull)
        metrics.rejected.add(.protocolError)
        metrics.cancelled.add()
        metrics.engine.batches.add()
        metrics.engine.batchedRightHandSides.add(7)
        let read = try Exposition(metrics.exposition())
        #expect(read.value("influence_requests_rejected_total", ["reason": "queue_full"]) == 2)
        #expect(read.value("influence_requests_rejected_total", ["reason": "protocol"]) == 1)
        #expect(read.value("influence_requests_cancelled_total") == 1)
        #expect(read.value("influence_batches_total") == 1)
        #expect(read.value("influence_batched_right_hand_sides_total") == 7)
        #expect(metrics.rejected.value(.queueFull) == 2 && metrics.engine.batchedRightHandSides.value == 7)
    }

    @Test("readings are asked for at each scrape, of all who have some")
    func readings() throws {
        let metrics = metrics()
        let depth = Counter("unused_total", "")
        metrics.onScrape { readings in
            depth.add()
            readings.queueDepth = depth.value
            readings.storeBytes = 4_096
        }
        metrics.onScrape { readings in
            readings.server.openConnections = 12
            readings.server.receivedBytes = 1 << 40
            readings.droppedLogLines = 3
        }
        _ = metrics.exposition()
        let read = try Exposition(metrics.exposition())
        #expect(read.value("influence_queue_depth") == 2)
        #expect(read.value("influence_store_bytes") == 4_096)
        #expect(read.value("influence_connections_open") == 12)
        #expect(read.value("influence_received_bytes_total") == 1_099_511_627_776)
        #expect(read.value("influence_log_lines_dropped_total") == 3)
    }

    @Test("updates from many threads are all counted, and every scrape among them agrees with itself")
    func threads() throws {
        let metrics = metrics()
        let faults = Counter("unused_total", "")
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let route = metrics.route("/influence")
            for number in 0..<2_000 {
                route.answered(.post, status: .ok, seconds: 0.001)
                metrics.rejected.add(.clientLimit)
                metrics.coalesced.add()
                if number % 500 == thread, (try? Exposition(metrics.exposition())) == nil { faults.add() }
            }
        }
        #expect(faults.value == 0)
        let read = try Exposition(metrics.exposition())
        #expect(read.value("influence_http_request_duration_seconds_count", ["route": "/influence"]) == 16_000)
        #expect(read.value("influence_requests_rejected_total", ["reason": "client_limit"]) == 16_000)
        #expect(read.value("influence_coalesced_requests_total") == 16_000)
    }
}

@Suite("Metrics of the process")
struct ProcessReadingsTests {
    @Test("the kernel tells all of them, within reason")
    func current() throws {
        let readings = ProcessReadings.current()
        let status = try #require(readings.status)
        #expect(try #require(readings.cpuSeconds) > 0)
        #expect(try #require(readings.openDescriptors) >= 3)
        #expect(try #require(readings.maximumDescriptors) >= 64)
        #expect(status.threads >= 1 && status.residentPages > 100 && status.virtualBytes > status.residentPages)
        let start = try #require(ProcessReadings.startSeconds())
        let now = Date().timeIntervalSince1970
        #expect(start <= now + 1 && start > now - 86_400)
    }

    @Test("open descriptors are counted one by one where the kernel gives no number")
    func descriptors() throws {
        let folder = "/proc/self/fdinfo"
        let before = try #require(KernelFile.entries(of: folder))
        let handle = try #require(FileHandle(forReadingAtPath: "/dev/null"))
        // Other tests open and close files meanwhile.
        let after = try #require(KernelFile.entries(of: folder))
        #expect(before >= 3 && abs(after - before) < 200)
        try handle.close()
        #expect(KernelFile.entries(of: "/no/such/folder") == nil)
    }

    @Test("a program's name may have spaces and parentheses")
    func name() throws {
        let fields = "S 1 2 3 0 -1 4194560 100 0 0 0 7 8 0 0 20 0 42 0 123456 987654321 2048 18446744073709551615 1 1"
        let status = try #require(ProcessStatus("77 (a) b (c) \(fields)\n"))
        #expect(status.threads == 42 && status.startTicks == 123_456)
        #expect(status.virtualBytes == 987_654_321 && status.residentPages == 2_048)
    }

    @Test("a line that is not one of them is none", arguments: ["", "1 (a", "1 (a) S 1 2 3", "no parentheses"])
    func malformed(line: String) { #expect(ProcessStatus(line) == nil) }

    @Test("files that are not there are not read")
    func missing() { #expect(KernelFile.text("/no/such/file") == nil) }
}
