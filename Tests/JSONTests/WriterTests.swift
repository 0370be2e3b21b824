import JSON
import Testing

/// Writing: exact bytes.
@Suite("JSON writing")
struct WriterTests {
    @Test(
        "values are written compactly, members in order",
        arguments: [
            (.null, "null"), (true, "true"), (false, "false"), (-3, "-3"), (1.5, "1.5"), (5.0, "5.0"), (1e-5, "1e-05"),
            (-0.0, "-0.0"), (1e300, "1e+300"),
            (.float(0.1), "0.1"), (.double(Double(Float(0.1))), "0.10000000149011612"), (.double(.nan), "null"),
            (.double(.infinity), "null"),
            (.float(-.infinity), "null"), (.numbers([1, 2.5, -0.0, .nan, 1e20]), "[1,2.5,-0.0,null,1e+20]"), (.numbers([]), "[]"),
            ([1, [2, "x"], [:]], "[1,[2,\"x\"],{}]"),
            (["b": 1, "a": [.null], "c": ["d": 2]], "{\"b\":1,\"a\":[null],\"c\":{\"d\":2}}"),
            ("a\"b\\c/\u{8}\u{9}\u{A}\u{C}\u{D}\u{1}\u{1F}\u{7F}é😀", "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\u{7F}é😀\""),
            (["\n": 1], "{\"\\n\":1}"), (["a": 1, "a": 2], "{\"a\":2}"),
        ] as [(JSON, String)])
    func bytes(json: JSON, text: String) {
        #expect(String(decoding: json.serialized(), as: UTF8.self) == text)
        #expect(json.text == text)
    }

    @Test("an object keeps the order of insertion through replacing and removing, small and large")
    func objectOrder() {
        for count in [3, 40] {
            var object = JSONObject()
            for index in 0..<count { object["k\(index)"] = .integer(index) }
            object["k1"] = "new"
            object["k0"] = nil
            object["absent"] = nil
            object["k0"] = .null
            #expect(object.keys == (1..<count).map { "k\($0)" } + ["k0"])
            #expect(object["k1"] == "new")
            #expect(object["k\(count - 1)"] == .integer(count - 1))
            #expect(object["k0"] == .some(.null))
            #expect(object["absent"] == nil)
            #expect(object.count == count)
        }
    }

    @Test("objects are equal in any order, arrays only in the same, numbers by value, strings by code point")
    func equality() {
        #expect(["a": 1, "b": 2] as JSON == ["b": 2.0, "a": .float(1)])
        #expect(["a": 1] as JSON != ["a": 1, "b": 2])
        #expect([1, 2] as JSON == .numbers([1, 2]))
        #expect(JSON.numbers([2, 1]) != [1, 2])
        #expect(JSON.numbers([1]) != [1, 2])
        #expect("\u{E9}" as JSON != "e\u{301}")
        #expect(JSON.double(.nan) != .double(.nan))
        #expect(JSON.bool(true) != 1)
        #expect(JSON.array([]) != JSON.object([:]))
    }

    @Test("members and elements are reached by subscript, and nothing else is")
    func access() {
        let json: JSON = ["a": [10, .numbers([1, 2])], "s": "x", "t": true, "n": .null]
        #expect(json["a"]?[0] == 10)
        #expect(json["a"]?[1]?[1]?.integerValue == 2)
        #expect(json["a"]?[2] == nil)
        #expect(json["a"]?[-1] == nil)
        #expect(json["b"] == nil)
        #expect(json["s"]?.stringValue == "x")
        #expect(json["s"]?["a"] == nil)
        #expect(json["t"]?.boolValue == true)
        #expect(json["n"]?.isNull == true)
        #expect(json["a"]?[1]?.numbersValue == [1, 2])
        #expect(json["a"]?.numbersValue == nil)
        #expect((["x", 1] as JSON).arrayValue?.count == 2)
        #expect(JSON.double(2.5).integerValue == nil)
        #expect(JSON.double(1e300).integerValue == nil)
    }
}
