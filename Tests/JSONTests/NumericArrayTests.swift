import JSON
import Testing

/// Nested arrays of numbers, flattened.
@Suite("Numeric arrays")
struct NumericArrayTests {
    @Test(
        "nested numbers are flattened in row-major order",
        arguments: [
            ("[1]", [1], [1]), ("[1,2.5,3]", [1, 2.5, 3], [3]), ("[[1,2,3],[4,5,6]]", [1, 2, 3, 4, 5, 6], [2, 3]),
            ("[[[1],[2]]]", [1, 2], [1, 2, 1]),
            ("[9007199254740993]", [9_007_199_254_740_992], [1]),
            ("[[1],[9007199254740993]]", [1, 9_007_199_254_740_992], [2, 1]),
        ] as [(String, [Double], [Int])])
    func regular(text: String, values: [Double], shape: [Int]) throws {
        let reader = JSONReader(try JSON(parsing: text))
        let array = try #require(reader.numericArray())
        #expect(array.values == values)
        #expect(array.shape == shape)
        #expect(reader.issues.isEmpty)
    }

    @Test(
        "what is ragged, mixed, empty or no number is reported once, at its place",
        arguments: [
            ("[[1,2],[3]]", "/1", "must be an array of 2 values like the first of its kind; got an array of 1 number"),
            ("[[1,2],[3,\"x\"]]", "/1/1", "must be a finite number; got \"x\""),
            ("[1,[2]]", "/1", "must be a number like the first of its kind; got an array of 1 number"),
            ("[[1],2]", "/1", "must be an array of 1 value like the first of its kind; got 2"), ("[]", "", "must not be empty"),
            ("[[],[]]", "/0", "must not be empty"),
            ("[[1],[]]", "/1", "must be an array of 1 value like the first of its kind; got an empty array"),
            ("5", "", "must be an array of numbers; got 5"), ("{}", "", "must be an array of numbers; got an object"),
            ("[null]", "/0", "must be a finite number; got null"),
            ("[[[1,2],[3,4]],[[5,6]]]", "/1", "must be an array of 2 values like the first of its kind; got an array of 1 value"),
            ("[1,true]", "/1", "must be a finite number; got true"),
        ])
    func irregular(text: String, pointer: String, detail: String) throws {
        let reader = JSONReader(try JSON(parsing: text))
        #expect(reader.numericArray() == nil)
        #expect(reader.issues.issues == [JSONIssue(pointer: pointer, detail: detail)])
    }

    @Test("numbers that are not finite, which only a program can make, are reported")
    func notFinite() {
        let reader = JSONReader(.array([.numbers([1, .infinity])]))
        #expect(reader.numericArray() == nil)
        #expect(reader.issues.issues.map(\.pointer) == ["/0/1"])
    }
}
