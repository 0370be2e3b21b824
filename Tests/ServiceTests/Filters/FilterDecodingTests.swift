import JSON
import Testing

@testable import Service

/// How a filter is read, and when two are the same.
@Suite("Reading a filter of examples")
struct FilterDecodingTests {
    private func read(_ text: String) throws -> ExampleFilter {
        let reader = JSONReader(try JSON(parsing: text))
        let object = reader.object(allowing: ExampleFilter.fields)
        try reader.issues.check()
        let filter = object.flatMap { ExampleFilter($0) }
        try reader.issues.check()
        return try #require(filter)
    }

    private func issues(_ text: String) -> [String] {
        do {
            return ["read as \(try read(text))"]
        } catch let issues as JSONIssues {
            return issues.issues.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("every kind of condition is read")
    func kinds() throws {
        let filter = try read(
            """
            {"where": {"a": 1, "b": "x", "c": [false, null, true], "d": {"min": 1.5, "max": 3}, "e": {"not": "x"}, "f": {"exists": true}, \
            "g": {"min": "y", "not": ["z", null]}, "h": null}, "target": {"min": 3}, "id": ["a", "b"]}
            """)
        func text(_ text: String) -> FilterScalar { .text(Array(text.utf8)) }
        let metadata: [String: FilterCondition] = [
            "a": .init(wanted: [.integer(1)]), "b": .init(wanted: [text("x")]),
            "c": .init(wanted: [.bool(true), .null, .bool(false)]),
            "d": .init(minimum: .number(1.5), maximum: .integer(3)), "e": .init(unwanted: [text("x")]), "f": .init(exists: true),
            "g": .init(unwanted: [.null, text("z")], minimum: text("y")), "h": .init(wanted: [.null]),
        ]
        #expect(filter.metadata == Dictionary(uniqueKeysWithValues: metadata.map { (Array($0.utf8), $1) }))
        #expect(filter.target == .init(minimum: .integer(3)) && filter.id == .init(wanted: [text("b"), text("a")]))
        #expect(try read(#"{"target": 7}"#) == ExampleFilter(metadata: [:], target: .init(wanted: [.integer(7)])))
        #expect(try read(#"{"id": "x"}"#) == ExampleFilter(metadata: [:], id: .init(wanted: [text("x")])))
    }

    @Test("is the same filter however it was written, and another one where it means something else")
    func identity() throws {
        let filter = try read(#"{"where": {"a": [2, 1, 2.0], "b": {"max": 3, "min": 1}}, "target": [7]}"#)
        let same = try read(#"{"target": 7.0, "where": {"b": {"min": 1, "max": 3.0}, "a": [1, 2]}, "id": null}"#)
        #expect(filter == same && filter.hashValue == same.hashValue)
        let others = [
            #"{"where": {"a": [1, 2]}}"#, #"{"where": {"a": [1, 2], "b": {"min": 1, "max": 3}}, "target": 8}"#,
            #"{"where": {"a": [1, "2"], "b": {"min": 1, "max": 3}}, "target": 7}"#,
            #"{"where": {"a": [1, 2], "b": {"min": 1}}, "target": 7}"#,
            #"{"where": {"a": {"not": [1, 2]}, "b": {"min": 1, "max": 3}}, "target": 7}"#,
        ]
        for other in others {
            #expect(try read(other) != filter)
        }
        // One letter in two spellings (U+00E9; e, U+0301) is two keys.
        #expect(try read(#"{"where": {"\u00e9": 1}}"#) != read(#"{"where": {"e\u0301": 1}}"#))
        #expect(try read(#"{"where": {"\u00e9": 1, "e\u0301": 2}}"#).metadata.count == 2)
    }

    @Test(
        "refuses what means nothing, and says where",
        arguments: [
            ("7", ": must be an object; got 7"), ("{}", "must have where, target or id"),
            (#"{"where": null}"#, "must have where, target or id"),
            (#"{"wher": {"a": 1}}"#, #"/wher: is not a known field (known: where, target, id); did you mean "where"?"#),
            (#"{"where": {}}"#, "/where: must have 1 to 32 metadata keys; got 0"),
            (#"{"where": "scanner-2"}"#, #"/where: must be an object; got "scanner-2""#),
            (#"{"where": {"a": []}}"#, "/where/a: must be an array of 1 to 100000 values; got an empty array"),
            (#"{"where": {"a": [1, [2]]}}"#, "/where/a/1: must be a string, a number, true, false or null"),
            (#"{"where": {"a/b": {}}}"#, "/where/a~1b: must have min, max, not or exists"),
            (#"{"where": {"a": {"gt": 3}}}"#, "/where/a/gt: is not a known field (known: min, max, not, exists)"),
            (#"{"where": {"a": {"min": true}}}"#, "/where/a/min: must be a number or a string"),
            (#"{"where": {"a": {"min": 3, "max": 2}}}"#, "/where/a/max: must be at least min, and of the same kind"),
            (#"{"where": {"a": {"min": 3, "max": "x"}}}"#, "/where/a/max: must be at least min, and of the same kind"),
            (#"{"where": {"a": {"exists": 1}}}"#, "/where/a/exists: must be true or false"),
            (#"{"where": {"a": {"exists": false, "min": 1}}}"#, "/where/a/exists: must not be false beside"),
            (#"{"where": {"a": {"not": {"min": 2}}}}"#, "/where/a/not: must be a string, a number, true, false or null"),
            (#"{"target": "seven"}"#, "/target: must be a number, an array of these, or an object"),
            (#"{"target": [7, true]}"#, "/target/1: must be a number"), (#"{"id": 7}"#, "/id: must be a string"),
            (#"{"id": {"min": 3}}"#, "/id/min: must be a string"),
        ])
    func refusals(text: String, issue: String) {
        let issues = issues(text)
        #expect(issues.count == 1 && ("\(issues[0])".contains(issue) || ": " + issues[0] == issue), "\(issues)")
    }

    @Test("every problem is reported, and keys are limited")
    func several() {
        #expect(issues(#"{"where": {"a": {"min": true}, "b": []}, "target": "x"}"#).count == 3)
        let many = "{\"where\": {" + (0..<33).map { "\"k\($0)\": 1" }.joined(separator: ",") + "}}"
        #expect(issues(many) == ["/where: must have 1 to 32 metadata keys; got 33"])
    }

    @Test("is read from an object that has other members")
    func within() throws {
        let reader = JSONReader(try JSON(parsing: #"{"name": "scanner 2", "where": {"source": "scanner-2"}}"#))
        let object = try #require(reader.object(allowing: ["name"] + ExampleFilter.fields))
        let filter = try #require(ExampleFilter(object))
        #expect(filter == (try read(#"{"where": {"source": "scanner-2"}}"#)))
    }
}
