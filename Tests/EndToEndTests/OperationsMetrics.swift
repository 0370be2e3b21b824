import Foundation
import JSON
import TestSupport
import Testing

/// What `/metrics` says: samples by name and labels, as they are written.
struct OperationsMetrics {
    let text: String
    private let samples: [String: Double]

    init(_ text: String) {
        self.text = text
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        samples = Dictionary(
            lines.compactMap { line in
                guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                    return nil
                }
                return (String(line[..<space]), value)
            }, uniquingKeysWith: { $1 })
    }

    /// The value of a sample; a counter that no request has reached is not written, and is 0.
    func count(_ sample: String) -> Int { Int(samples[sample] ?? 0) }

    func has(_ sample: String) -> Bool { samples[sample] != nil }

    /// Requests of a route that were answered with a status.
    func requests(_ route: String, _ method: String, _ code: Int) -> Int {
        count(#"influence_http_requests_total{route="\#(route)",method="\#(method)",code="\#(code)"}"#)
    }

    func rejected(_ reason: String) -> Int { count(#"influence_requests_rejected_total{reason="\#(reason)"}"#) }
}

extension InfluencedServer {
    func metrics(_ fields: [String: String] = [:]) throws -> OperationsMetrics {
        let answer = try exchange("GET", "/metrics", fields)
        try #require(answer.status == 200)
        return OperationsMetrics(String(decoding: answer.body, as: UTF8.self))
    }

    /// The lines of its log. Those of type JSON are whole only once it has ended.
    var logLines: [Substring] { process.standardError.split(separator: "\n") }

    /// The records of its access log, of a server that logs JSON and has ended.
    func accessRecords() throws -> [JSON] {
        try logLines.map { try JSON(parsing: [UInt8]($0.utf8)) }.filter { $0["message"]?.stringValue == "request" }
    }
}

/// A server whose only worker is busy until it is told to let go: what is asked meanwhile waits.
final class BusyServer {
    let server: InfluencedServer
    private let work: HTTPClient

    init(environment: [String: String] = [:]) throws {
        let settings = ["INFLUENCED_COMPUTE_JOBS": "1"].merging(environment) { $1 }
        server = try InfluencedServer(store: Demo.store(), environment: settings)
        work = try server.begin("/influence", Demo.endlessQuestion)
        let server = server
        // Counted when it is solved, a little after a worker has it.
        try #require(eventually { try server.metrics().count("influence_batches_total") == 1 })
    }

    deinit { letGo() }

    /// Asks several questions, and returns once all of them wait as `waiting` jobs.
    func ask(_ questions: [JSON], waiting: Int) throws -> [HTTPClient] {
        let clients = try questions.map { try server.begin("/influence", $0) }
        let isWaiting = try eventually { try server.load().waiting == waiting && sharers() == clients.count - waiting }
        let (load, joined) = try (server.load(), sharers())
        try #require(isWaiting, "\(load), \(joined) share")
        return clients
    }

    /// Requests that have joined another's computation.
    func sharers() throws -> Int { try server.metrics().count("influence_coalesced_requests_total") }

    /// Gives up what keeps the worker busy.
    func letGo() { work.close() }
}

/// What a fresh server answers that keeps no vectors and is asked one question after the other.
func aloneResults(_ questions: [JSON]) throws -> [String] {
    let server = try InfluencedServer(store: Demo.store(), environment: ["INFLUENCED_COMPUTE_S_TEST_CACHE_BYTES": "0"])
    return try questions.map { question in
        let answer = try server.post("/influence", question)
        try #require(answer.status == 200 && !answer.resultsText.isEmpty)
        return String(answer.resultsText)
    }
}
