import Foundation
import JSON
import TestSupport
import Testing

@Suite("Questions to every route on the command line")
struct QueryRouteTests {
    @Test("who asks for a route's answer on the command line gets the server's, as JSON or as a table")
    func commandLine() throws {
        let row: JSON = ["dataset": "digits-train", "index": 3]
        let requests: [(route: String, body: JSON, words: [String])] = [
            ("/influence", Demo.question(3, ["id": "c"]), ["proponents (helpful)"]),
            (
                "/influence",
                Demo.question(
                    3,
                    [
                        "id": "c", "measurement": "logit", "solver": ["name": "exact"],
                        "groups": [["name": "some threes", "target": 3]],
                    ]), ["measurement change if removed", "some threes"]
            ),
            (
                "/influence", ["model": "digits", "id": "c", "tests": [row], "compare": ["gradient_dot", "gradient_cosine"]],
                ["agreement", "gradient_cosine", "Kendall"]
            ),
            (
                "/influence/parameters", ["model": "digits", "id": "c", "examples": [3], "solver": ["name": "exact"], "k": 2],
                ["removed", "change if removed", "tensor"]
            ),
            (
                "/influence/slices",
                [
                    "model": "digits", "id": "c", "solver": ["name": "exact"],
                    "training_slices": [["name": "threes", "target": 3]],
                    "test_slices": ["dataset": "digits-test", "slices": [["name": "first two", "indices": [0, 1]]]],
                ], ["threes", "first two (2)", "mean score"]
            ),
            ("/self-influence", ["model": "digits", "id": "c", "k": 3], ["predicted", "99 %", "mean", "influence"]),
            (
                "/predict",
                ["model": "digits", "id": "c", "tests": [row, ["input": .numbers([Double](repeating: 0, count: 64))]]],
                ["digits-train 3", "input", "probability"]
            ),
        ]
        for (route, body, words) in requests {
            func run(_ format: String) throws -> String {
                let process = try InfluencedProcess(
                    ["query", "--store", Demo.store(), "--route", route, "--format", format, "-"], stdin: Data(body.text.utf8))
                #expect(try process.wait() == .exited(0), "\(route): \(process.standardError)")
                return process.standardOutput
            }
            let served = try Demo.server().post(route, body).json
            let answer = try JSON(parsing: run("json"))
            #expect(answer.with("timing", 0) == served.with("timing", 0), "\(route)")
            let table = try run("table")
            for word in words { #expect(table.contains(word), "\(table)") }
        }
        let wrong = try influenced("query", "--store", Demo.store(), "--route", "/influenza", "-")
        #expect(wrong.ending == .exited(2) && wrong.standardError.contains("/self-influence"))
        let refused = try influenced(
            "query", "--store", Demo.store(), "--route", "/self-influence", "-", stdin: #"{"model": "digit"}"#)
        #expect(refused.ending == .exited(2) && refused.standardError.contains("'digits'"))
    }
}
