import Foundation
import JSON
import Testing

/// Bodies that are not JSON, or JSON of no use, on the routes that take one.
@Suite("Bodies that are no requests")
struct MalformedBodyTests {
    static let routes = ["/influence", "/predict"]

    static let refusals: [Refusal] = [
        .malformed("empty", ""),
        .malformed("white space alone", " \n\t "),
        .malformed("words", "hello"),
        .malformed("a trailing comma", #"{"model": "digits", "tests": [{"dataset": "digits-test", "index": 3}],}"#),
        .malformed("a trailing comma in an array", #"{"model": "digits", "tests": [{"input": [1, 2,]}]}"#),
        .malformed("a key given twice", #"{"model": "digits", "model": "digits", "tests": []}"#),
        .malformed("a string that does not end", #"{"model": "dig"#),
        .malformed("an object that does not end", #"{"model": "digits", "tests": [{"dataset": "digits-test", "index": 3}]"#),
        .malformed("something behind it", #"{"model": "digits"} {}"#),
        .malformed("a comment", "{\"model\": \"digits\" /* mine */}"),
        .malformed("single quotes", "{'model': 'digits'}"),
        .malformed("NaN", #"{"model": "digits", "tests": [{"input": [NaN]}]}"#),
        .malformed("Infinity", #"{"model": "digits", "tests": [{"input": [-Infinity]}]}"#),
        .malformed("a number beyond double precision", #"{"model": "digits", "tests": [{"input": [1e999]}]}"#),
        .malformed("a leading zero", #"{"model": "digits", "k": 05}"#),
        .malformed("a number in hexadecimal", #"{"model": "digits", "k": 0x10}"#),
        .malformed("a raw control character", "{\"model\": \"dig\u{1}its\"}"),
        .malformed("half a surrogate pair", #"{"model": "\ud800"}"#),
        .malformed("invalid UTF-8", Data(#"{"model": ""#.utf8) + [0xC3, 0x28] + Data(#""}"#.utf8)),
        .malformed("UTF-16", Data([0xFF, 0xFE]) + #"{"model":"digits"}"#.data(using: .utf16LittleEndian)!),
        .malformed("a NUL behind it", Data(#"{"model": "digits"}"#.utf8) + [0]),
        .malformed("a hundred thousand open brackets", String(repeating: "[", count: 100_000)),
        .malformed("a hundred thousand open objects", String(repeating: #"{"a":"#, count: 100_000)),
        .malformed("deeper nesting than anything needs", String(repeating: "[", count: 65) + String(repeating: "]", count: 65)),
        Refusal("an array", Data("[]".utf8), 422, "invalid-request", at: "", "object"),
        Refusal("a string", Data(#""x""#.utf8), 422, "invalid-request", at: "", "object"),
        Refusal("a number", Data("17".utf8), 422, "invalid-request", at: "", "object"),
        Refusal("null", Data("null".utf8), 422, "invalid-request", at: "", "object"),
        Refusal("an object without members", Data("{}".utf8), 422, "invalid-request", at: "/tests", "/model", "missing"),
    ]

    @Test("a body that is no request is refused with the reason", arguments: routes, refusals)
    func refusal(route: String, refusal: Refusal) throws { try refusal.check(route, of: Demo.server()) }

    @Test("everything that is wrong is told at once")
    func allAtOnce() throws {
        let body: JSON = [
            "modle": "digits", "tests": [["dataset": "digits-test"], 5], "k": 0, "damping": -1, "curvature": "fisher",
        ]
        let problem = try Demo.server().post("/influence", body).expectProblem(422, "invalid-request", instance: "/influence")
        let pointers = Set(try problem.list("errors").map { $0["pointer"]?.stringValue ?? "" })
        #expect(pointers == ["/modle", "/model", "/tests/0/index", "/tests/1", "/k", "/damping", "/curvature"])
        #expect(problem.text.contains(#"did you mean \"model\"?"#))
    }

    @Test("a request wholly wrong in a thousand places gets an answer of readable size")
    func manyErrors() throws {
        let indices: JSON = .array([JSON](repeating: "x", count: 1_000))
        let members = (0..<1_000).map { ("field\($0)", indices) }
        let answer = try Demo.server().post("/influence", .object(JSONObject(members)))
        let problem = try answer.expectProblem(422, "invalid-request")
        #expect(try problem.list("errors").count <= 50)
        #expect(try problem.member("detail").stringValue?.contains("more") == true)
        #expect(answer.body.count < 100_000)
    }

    @Test("the id of a request that is refused comes back with the refusal")
    func id() throws {
        let problem = try Demo.server().post("/influence", Demo.question(3, ["id": "r7", "model": "nope"])).json
        #expect(problem["id"] == "r7")
    }
}
