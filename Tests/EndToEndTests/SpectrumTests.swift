import Foundation
import JSON
import TestSupport
import Testing

/// The spectrum of a checkpoint over HTTP and by the command line.
@Suite("Spectra of checkpoints")
struct SpectrumTests {
    private static let path = "/models/digits/checkpoints/final/spectrum"
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    @Test("the demo's model has converged, and its curvature is positive definite")
    func answer() throws {
        let page = try server.get(Self.path)
        #expect(page.status == 200 && page.fields["content-type"] == "application/json")
        let answer = try page.json
        #expect(answer["model"] == "digits" && answer["checkpoint"] == "final" && answer["curvature"] == "hessian")
        #expect(answer["convergence"]?["converged"] == true && answer["definiteness"]?["positive_definite"] == true)
        #expect(try answer.list("eigenvalues").count == 10 && answer.integer("parameter_count") == 650)
        #expect(try server.get(Self.path + "?k=2").json.list("eigenvalues").count == 2)
        #expect(try server.get("/models/digits/checkpoints/epoch-5/spectrum").json["convergence"]?["converged"] == false)
    }

    @Test("JSON by default, a picture for those who ask for one, and 406 for anything else")
    func types() throws {
        for accept in ["*/*", "application/json", "image/svg+xml;q=0.1, application/*"] {
            let page = try server.exchange("GET", Self.path, ["Accept": accept])
            #expect(page.status == 200 && page.fields["content-type"] == "application/json" && page.fields["vary"] == "Accept")
        }
        let picture = try server.exchange("GET", Self.path, ["Accept": "image/svg+xml"])
        #expect(picture.status == 200 && picture.fields["content-type"] == "image/svg+xml" && picture.fields["vary"] == "Accept")
        let text = String(decoding: picture.body, as: UTF8.self)
        #expect(text.hasPrefix("<?xml") && text.hasSuffix("</svg>\n") && text.contains("digits at final"))
        let refusal = try server.exchange("GET", Self.path, ["Accept": "image/png"])
        #expect(refusal.status == 406 && refusal.fields["content-type"] == "application/problem+json")
        #expect(try refusal.json["detail"]?.stringValue?.contains("image/svg+xml") == true)
    }

    @Test("a page that the client has is a 304, and HEAD gets what GET has but for the content")
    func tags() throws {
        let page = try server.get(Self.path)
        let tag = try #require(page.fields["etag"])
        #expect(try server.get(Self.path).body == page.body, "the same bytes each time")
        #expect(try server.exchange("GET", Self.path, ["If-None-Match": tag]).status == 304)
        #expect(try server.exchange("GET", Self.path, ["If-None-Match": tag, "Accept": "image/svg+xml"]).status == 200)
        let head = try server.exchange("HEAD", Self.path)
        #expect(head.status == 200 && head.fields["etag"] == tag && head.fields["content-length"] == "\(page.body.count)")
        #expect(page.fields["server-timing"]?.contains("queue") == true)
    }

    @Test(
        "what is wrong with the address is refused, and said where",
        arguments: [
            ("/models/digit/checkpoints/final/spectrum", 404, "'digits'"),
            ("/models/digits/checkpoints/finl/spectrum", 404, "there are:"),
            ("/models/digits/checkpoints/final/spectrum/", 404, "nothing at"),
            ("/models/digits/checkpoints/final", 404, "nothing at"),
            ("\(path)?k=0", 422, "/k: must be an integer from 1 to 50"), ("\(path)?kk=1", 422, "did you mean"),
            ("\(path)?curvature=fisher&damping=-1", 422, "2 things"), ("\(path)?damping=nan", 422, "/damping"),
            ("\(path)?k=1&k=2", 422, "once"), ("\(path)?curvature=%F0%9F%98%80", 422, "/curvature"),
        ])
    func refusals(path: String, status: Int, words: String) throws {
        let refusal = try server.get(path)
        #expect(refusal.status == status && refusal.fields["content-type"] == "application/problem+json", "\(path)")
        #expect(
            try refusal.json["detail"]?.stringValue?.contains(words) != false, "\(String(decoding: refusal.body, as: UTF8.self))")
    }

    @Test("POST is not allowed there")
    func method() throws {
        let refusal = try server.exchange("POST", Self.path)
        #expect(refusal.status == 405 && refusal.fields["allow"] == "GET, HEAD, OPTIONS")
    }

    @Test("it is counted as its own route, with the time that it waited")
    func metrics() throws {
        let server = try InfluencedServer(store: Demo.store())
        _ = try server.get(Self.path)
        #expect(try server.get(Self.path + "?k=0").status == 422)
        let metrics = try server.metrics()
        let route = "/models/{model}/checkpoints/{checkpoint}/spectrum"
        #expect(metrics.requests(route, "GET", 200) == 1 && metrics.requests(route, "GET", 422) == 1)
        #expect(metrics.count("influence_queue_wait_seconds_count{route=\"\(route)\"}") == 1)
    }

    private func run(_ arguments: [String]) throws -> CommandResult {
        let process = try InfluencedProcess(arguments)
        return CommandResult(
            ending: try process.wait(), standardOutput: process.standardOutput, standardError: process.standardError)
    }

    @Test("the command gives the route's answer, as JSON, as a table and as a picture")
    func command() throws {
        let arguments = ["spectrum", "--store", try Demo.store(), "--model", "digits"]
        let result = try run(arguments + ["-k", "4", "--damping", "0.5"])
        #expect(result.ending == .exited(0) && result.standardError.isEmpty, "\(result.standardError)")
        #expect(try JSON(parsing: result.standardOutput) == server.get(Self.path + "?k=4&damping=0.5").json)
        let table = try run(arguments + ["--format", "table", "--checkpoint", "final"])
        #expect(table.ending == .exited(0) && table.standardOutput.contains("at a minimum"))
        let largest = try server.get(Self.path).json.member("largest").number("value")
        #expect(table.standardOutput.contains(String(format: "%.6g", largest)))
        let picture = try run(arguments + ["--format", "svg"])
        #expect(
            try Array(picture.standardOutput.utf8) == Array(server.exchange("GET", Self.path, ["Accept": "image/svg+xml"]).body))
    }

    @Test(
        "the command refuses what the route refuses, with 2",
        arguments: [
            (["--model", "digit"], "'digits'"), (["--model", "digits", "--checkpoint", "x"], "there are:"),
            (["--model", "digits", "-k", "0"], "/k"), (["--model", "digits", "--damping=-1"], "/damping"),
            (["--model", "digits", "--curvature", "x"], "/curvature"), (["--model", "digits", "--format", "png"], "format"),
            ([], "--model"),
        ])
    func wrongCommand(arguments: [String], words: String) throws {
        let result = try run(["spectrum", "--store", try Demo.store()] + arguments)
        #expect(result.ending == .exited(2) && result.standardOutput.isEmpty)
        #expect(result.standardError.contains(words), "\(result.standardError)")
    }
}
