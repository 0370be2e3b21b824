import Foundation
import JSON
import TestSupport

/// `influenced serve` on a port of the system's choice.
final class InfluencedServer: Sendable {
    let process: InfluencedProcess
    let port: UInt16
    private let folder: TemporaryDirectory?

    /// Starts it, and returns once it says that it answers.
    ///
    /// - Parameter folder: what the store lies in, to be kept as long as the server runs.
    init(
        store: String, in folder: TemporaryDirectory? = nil, _ arguments: [String] = [], environment: [String: String] = [:],
        launcher: [String] = []
    ) throws {
        self.folder = folder
        let process = try InfluencedProcess(
            ["serve", "--store", store, "--port", "0"] + arguments, environment: environment, launcher: launcher)
        let isListening = eventually(seconds: 30) { process.standardOutput.hasSuffix("\n") || process.poll() != nil }
        let words = process.standardOutput.split(separator: ":")
        guard isListening, process.standardOutput.hasPrefix("listening on http://"),
            let port = words.last.flatMap({ UInt16($0.dropLast()) })
        else {
            throw InfluencedProcess.Failure(
                description: "it does not listen: \(process.standardOutput) \(process.standardError)")
        }
        self.process = process
        self.port = port
    }

    /// Sends a request on a connection of its own.
    func exchange(
        _ method: String, _ path: String, _ fields: [String: String] = [:], body: Data? = nil, seconds: Int = 60
    ) throws -> HTTPAnswer {
        let client = try HTTPClient(port: port, seconds: seconds)
        client.send(method, path, fields, body: body)
        return try client.answer(to: method)
    }

    func get(_ path: String, seconds: Int = 60) throws -> HTTPAnswer { try exchange("GET", path, seconds: seconds) }

    func post(_ path: String, _ json: JSON, seconds: Int = 60) throws -> HTTPAnswer {
        try exchange("POST", path, Self.jsonFields, body: Data(json.serialized()), seconds: seconds)
    }

    /// Sends a request that is not waited for: the connection on which its answer will come.
    func begin(_ path: String, _ json: JSON) throws -> HTTPClient {
        let client = try HTTPClient(port: port)
        client.send("POST", path, Self.jsonFields, body: Data(json.serialized()))
        return client
    }

    /// The answer to a good question.
    func influence(_ json: JSON) throws -> JSON { try good("/influence", json) }

    func predict(_ json: JSON) throws -> JSON { try good("/predict", json) }

    private func good(_ path: String, _ json: JSON) throws -> JSON {
        let answer = try post(path, json)
        guard answer.status == 200 else {
            throw InfluencedProcess.Failure(
                description: "\(answer.status) to \(json.text): \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try answer.json
    }

    /// How many requests compute now, and how many wait.
    func load() throws -> (running: Int, waiting: Int) {
        let queue = try get("/info").json["queue"]
        return (queue?["running"]?.integerValue ?? -1, queue?["waiting"]?.integerValue ?? -1)
    }

    static let jsonFields = ["Content-Type": "application/json"]
}
