import JSON
import Testing

/// Decoding with all issues collected.
@Suite("JSON reader")
struct ReaderTests {
    private func reader(_ json: JSON) throws -> JSONObjectReader {
        try #require(JSONReader(json).object())
    }

    @Test("right values are returned and nothing is reported")
    func rightValues() throws {
        let object = try reader([
            "s": "x", "i": 5, "whole": 5.0, "d": 0.5, "b": true, "c": "cg", "a": [1, 2], "o": ["k": 1], "null": .null,
            "names": ["p", "q"],
        ])
        #expect(object.string("s") == "x")
        #expect(object.optionalString("absent") == nil)
        #expect(object.string("absent", default: "y") == "y")
        #expect(object.integer("i", in: 1...5) == 5)
        #expect(object.integer("whole", default: 1, in: 1...5) == 5)
        #expect(object.integer("null", default: 9, in: 1...5) == 9)
        #expect(object.number("i") == 5)
        #expect(object.number("d", default: 1, in: 0...1) == 0.5)
        #expect(object.optionalNumber("null") == nil)
        #expect(object.bool("b") == true)
        #expect(object.bool("absent", default: true))
        #expect(object.choice("c", of: ["lissa", "cg"]) == "cg")
        #expect(object.choice("absent", of: ["lissa", "cg"], default: "lissa") == "lissa")
        #expect(object.array("a", count: 2...2)?.compactMap { $0.integer() } == [1, 2])
        #expect(object.value("a")?.integers(count: 1...2, in: 1...2) == [1, 2])
        #expect(object.value("a")?.numbers() == [1, 2])
        #expect(object.value("names")?.strings() == ["p", "q"])
        #expect(object.object("o", allowing: ["k"])?.integer("k") == 1)
        #expect(object.optionalObject("absent") == nil)
        #expect(object.optionalArray("null") == nil)
        #expect(object.has("s"))
        #expect(!object.has("null"))
        try object.issues.check()
    }

    @Test("each kind of wrong value is reported by what it must be and what it is")
    func wrongValues() throws {
        let object = try reader([
            "k": "five", "big": 2000, "half": 2.5, "s": 1, "b": "true", "n": "0.5", "neg": -1.5, "c": "lisa", "few": [1],
            "o": [1], "mixed": [1, "x", 3],
            "long": .string(String(repeating: "z", count: 100)),
        ])
        #expect(object.integer("k", default: 10, in: 1...1000) == 10)
        #expect(object.integer("big", in: 1...1000) == nil)
        #expect(object.optionalInteger("half", in: 0 ... .max) == nil)
        #expect(object.string("s") == nil)
        #expect(object.bool("b", default: false) == false)
        #expect(object.number("n") == nil)
        #expect(object.number("neg", default: 0, in: 0 ... .infinity) == 0)
        #expect(object.number("neg", in: .leastNonzeroMagnitude...1) == nil)
        #expect(object.choice("c", of: ["lissa", "cg"], default: "cg") == "cg")
        #expect(object.array("few", count: 2...3) == nil)
        #expect(object.object("o") == nil)
        #expect(object.value("mixed")?.integers() == nil)
        #expect(object.value("few")?.integers(in: 2...3) == nil)
        #expect(object.bool("long") == nil)
        #expect(object.string("absent") == nil)
        #expect(object.integer("gone", in: 0...9) == nil)
        object.report("k", "is odd")
        object.report("is odd as a whole")
        let text = #expect(throws: JSONIssues.self) { try object.issues.check() }?.description
        #expect(
            text == """
                /k: must be an integer from 1 to 1000; got "five"
                /big: must be an integer from 1 to 1000; got 2000
                /half: must be an integer of at least 0; got 2.5
                /s: must be a string; got 1
                /b: must be true or false; got "true"
                /n: must be a finite number; got "0.5"
                /neg: must be a number of at least 0; got -1.5
                /neg: must be a number above 0 and at most 1; got -1.5
                /c: must be one of "lissa", "cg"; got "lisa"; did you mean "lissa"?
                /few: must be an array of 2 to 3 values; got an array of 1 value
                /o: must be an object; got an array of 1 value
                /mixed/1: must be an integer; got "x"
                /few/0: must be an integer from 2 to 3; got 1
                /long: must be true or false; got "\(String(repeating: "z", count: 39))…"
                /absent: is missing; a string is required
                /gone: is missing; an integer from 0 to 9 is required
                /k: is odd
                is odd as a whole
                """)
    }

    @Test("unknown fields are reported with the known ones, and with the one that was meant")
    func unknownFields() throws {
        let reader = JSONReader(["modle": "m", "zzz": 1, "k": 1])
        let object = try #require(reader.object(allowing: ["model", "k"]))
        #expect(object.integer("k") == 1)
        #expect(
            reader.issues.issues == [
                JSONIssue(pointer: "/modle", detail: "is not a known field (known: model, k); did you mean \"model\"?"),
                JSONIssue(pointer: "/zzz", detail: "is not a known field (known: model, k)"),
            ])
    }

    @Test("pointers go through objects and arrays, with ~ and / escaped")
    func pointers() throws {
        let root = JSONReader(["a/b": [["m~n": 1], ["m~n": "x"]], "": [true]])
        let object = try #require(root.object())
        for element in object.array("a/b") ?? [] { _ = element.object()?.integer("m~n") }
        _ = object.array("")?.first?.string()
        #expect(root.issues.issues.map(\.pointer) == ["/a~1b/1/m~0n", "//0"])
        #expect(JSONReader(1, at: .root.appending("x").appending(3)).pointer.description == "/x/3")
    }

    @Test("a value that is no object is reported at the root")
    func notAnObject() {
        let reader = JSONReader([1, 2])
        #expect(reader.object(allowing: ["a"]) == nil)
        #expect(reader.issues.issues == [JSONIssue(pointer: "", detail: "must be an object; got an array of 2 values")])
    }

    @Test("a flood of issues is cut off and counted")
    func manyIssues() {
        let reader = JSONReader(.object(JSONObject((0..<1000).map { ("field\($0)", 1) })))
        _ = reader.object(allowing: [])
        #expect(reader.issues.issues.count == JSONIssueCollector.limit)
        #expect(reader.issues.omitted == 1000 - JSONIssueCollector.limit)
        let error = #expect(throws: JSONIssues.self) { try reader.issues.check() }
        #expect(error?.description.hasSuffix("and 950 more") == true)
    }
}
