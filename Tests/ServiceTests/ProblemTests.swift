import HTTPTypes
import JSON
import Testing

@testable import Service

@Suite("Problem documents")
struct ProblemTests {
    @Test("a problem document has the members of RFC 9457, and errors where there are any")
    func members() {
        let problem = Problem(.notFound, "unknown-model", at: "/model", "no model 'm'")
        #expect(
            problem.json(instance: "/influence", id: "i") == [
                "type": "urn:influenced:problem:unknown-model", "title": "Not Found", "status": 404,
                "detail": "/model: no model 'm'", "instance": "/influence", "id": "i",
                "errors": [["pointer": "/model", "detail": "no model 'm'"]],
            ])
        let plain = Problem(.serviceUnavailable, "overloaded", "busy").json(instance: nil, id: nil)
        #expect(plain.objectValue?.keys == ["type", "title", "status", "detail"])
    }

    @Test("one issue is the detail, several are counted")
    func details() {
        func problem(_ count: Int) -> Problem {
            let reader = JSONReader(.null)
            for index in 0..<count { reader.report("wrong \(index)") }
            do {
                try reader.issues.check()
                return Problem(.ok, "", "")
            } catch {
                return Problem(error)
            }
        }
        #expect(problem(1).detail == "wrong 0")
        #expect(problem(2).detail.hasPrefix("2 things are wrong"))
        #expect(problem(60).detail.contains("10 more") && problem(60).errors.count == 50)
    }

    @Test("what is wrong with a request has a status and a reason; what is ours to mend is told in general terms")
    func statuses() {
        struct Secret: Error {}
        #expect(Problem(describing: Problem(.notFound, "k", "d"))?.status == .notFound)
        #expect(Problem(describing: Secret()) == nil)
        #expect(Problem.internalError.status == .internalServerError)
        #expect { _ = try JSON(parsing: "{") } throws: { error in
            let problem = Problem(describing: error)
            return problem?.status == .badRequest && problem?.kind == "malformed-json"
                && problem?.detail.contains("line 1") == true
        }
    }
}
