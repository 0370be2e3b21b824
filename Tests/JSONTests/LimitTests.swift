import JSON
import Testing

/// Bounds on depth, number of values and length of numbers; big texts.
@Suite("JSON limits")
struct LimitTests {
    @Test("nesting up to the maximum is read, one level more is refused")
    func depth() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSON(parsing: nested(64))
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(65)) }
        _ = try JSON(parsing: nested(3), maximumDepth: 3)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(3), maximumDepth: 2) }
        _ = try JSON(parsing: "1", maximumDepth: 0)
        _ = try JSON(parsing: nested(512), maximumDepth: .max)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(513), maximumDepth: .max) }
        _ = try JSON(parsing: "[\(nested(63)),\(nested(63))]")
    }

    @Test("a hundred thousand opening brackets are refused", arguments: ["[", "{\"a\":", "[{\"a\":[1,\"\",", "[1,["])
    func depthBomb(opening: String) {
        let bomb = String(repeating: opening, count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: bomb) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: bomb, maximumDepth: .max) }
    }

    @Test("values are counted, those in arrays of numbers too")
    func valueCount() throws {
        _ = try JSON(parsing: "[1,2,3]", maximumValues: 4)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "[1,2,3]", maximumValues: 3) }
        _ = try JSON(parsing: "[1,2,\"a\"]", maximumValues: 4)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "[1,2,\"a\"]", maximumValues: 3) }
        _ = try JSON(parsing: "{\"a\":{\"b\":[]}}", maximumValues: 3)
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "{\"a\":{\"b\":[]}}", maximumValues: 2) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "1", maximumValues: 0) }
    }

    @Test("a number of up to 1024 characters is read, a longer one refused")
    func longNumber() throws {
        let digits = "0." + String(repeating: "3", count: 1022)
        #expect(try JSON(parsing: digits) == .double(1.0 / 3))
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: digits + "3") }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: String(repeating: "9", count: 1000)) }
    }

    @Test("a large array of numbers, a large object and a long string are read whole")
    func bigInputs() throws {
        let numbers = (0..<300_000).map { Double($0) / 64 }
        let array = try JSON(parsing: JSON.numbers(numbers).serialized())
        guard case .numbers(let read) = array else {
            Issue.record("an array of numbers must be read as numbers")
            return
        }
        #expect(read == numbers)

        let object = JSONObject((0..<50_000).map { ("key \($0)", .integer($0)) })
        let text = JSON.object(object).serialized()
        let members = try #require(try JSON(parsing: text).objectValue)
        #expect(members.count == 50_000)
        #expect(members["key 49999"] == 49999)
        #expect(members[0].key == "key 0")
        var repeated = text.dropLast()
        repeated += Array(",\"key 7\":0}".utf8)
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: Array(repeated)) }
        #expect(error?.offset == text.count)

        let string = JSON.string(String(repeating: "é\"\n", count: 100_000))
        #expect(try JSON(parsing: string.serialized()) == string)
    }
}
