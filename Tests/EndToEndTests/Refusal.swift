import Foundation
import JSON
import Testing

/// A request that must be refused, and how.
struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: Data
    let status: Int
    /// The last part of the problem's type.
    let kind: String
    /// Where it must say that something is wrong.
    let pointer: String?
    /// What its words must name.
    let mentions: [String]

    init(_ name: String, _ body: Data, _ status: Int, _ kind: String, at pointer: String? = nil, _ mentions: String...) {
        testDescription = name
        self.body = body
        self.status = status
        self.kind = kind
        self.pointer = pointer
        self.mentions = mentions
    }

    /// A wrong value (422) in a request that is otherwise good.
    static func wrong(_ json: JSON, at pointer: String, _ mentions: String...) -> Refusal {
        Refusal(json, 422, "invalid-request", at: pointer, mentions)
    }

    /// A name that stands for nothing (404).
    static func unknown(_ what: String, _ json: JSON, at pointer: String, _ mentions: String...) -> Refusal {
        Refusal(json, 404, "unknown-\(what)", at: pointer, mentions)
    }

    /// A body that is no JSON (400).
    static func malformed(_ name: String, _ body: String) -> Refusal { malformed(name, Data(body.utf8)) }

    static func malformed(_ name: String, _ body: Data) -> Refusal { Refusal(name, body, 400, "malformed-json") }

    private init(_ json: JSON, _ status: Int, _ kind: String, at pointer: String, _ mentions: [String]) {
        testDescription = "\(pointer) \(json.text.prefix(120))"
        body = Data(json.serialized())
        self.status = status
        self.kind = kind
        self.pointer = pointer
        self.mentions = mentions
    }

    /// Sends the request, looks at the refusal, and sees whether the server goes on.
    func check(_ path: String, of server: InfluencedServer) throws {
        let answer = try server.exchange("POST", path, InfluencedServer.jsonFields, body: body)
        let problem = try answer.expectProblem(status, kind, instance: path)
        if let pointer {
            let pointers = (problem["errors"]?.arrayValue ?? []).map { $0["pointer"]?.stringValue }
            #expect(pointers.contains(pointer), "\(pointers)")
        }
        for words in mentions { #expect(problem.text.contains(words), "\(problem.text)") }
        let next = try server.post("/predict", ["model": "digits", "tests": [Demo.test(0)]])
        #expect(next.status == 200, "the next request is answered")
    }
}

extension HTTPAnswer {
    /// Expects a problem document with all its members, and returns it.
    @discardableResult
    func expectProblem(
        _ status: Int, _ kind: String? = nil, instance: String? = nil, _ location: SourceLocation = #_sourceLocation
    ) throws -> JSON {
        let text = String(decoding: body, as: UTF8.self)
        #expect(self.status == status, "\(text)", sourceLocation: location)
        #expect(fields["content-type"] == "application/problem+json", sourceLocation: location)
        let problem = try json
        let type = problem["type"]?.stringValue
        #expect(type?.isEmpty == false, "\(text)", sourceLocation: location)
        if let kind { #expect(type?.hasSuffix(":" + kind) == true, "\(text)", sourceLocation: location) }
        #expect(problem["title"]?.stringValue?.isEmpty == false, "\(text)", sourceLocation: location)
        #expect(problem["status"]?.integerValue == status, "\(text)", sourceLocation: location)
        #expect(problem["detail"]?.stringValue?.isEmpty == false, "\(text)", sourceLocation: location)
        if let instance { #expect(problem["instance"]?.stringValue == instance, "\(text)", sourceLocation: location) }
        for error in problem["errors"]?.arrayValue ?? [] {
            #expect(error["pointer"]?.stringValue != nil, "\(text)", sourceLocation: location)
            #expect(error["detail"]?.stringValue?.isEmpty == false, "\(text)", sourceLocation: location)
        }
        return problem
    }
}
