import JSON
import Testing

/// Messages quote what a client sent, and go to logs and terminals.
@Suite("JSON messages")
struct MessageTests {
    @Test(
        "what a terminal would obey is escaped in a message",
        arguments: [
            ("\u{1B}[2J", #""\u001b[2J""#), ("\u{7F}", #""\u007f""#), ("\u{9B}31m", #""\u009b31m""#),
            ("\u{202E}\u{2028}\u{2066}", #""\u202e\u2028\u2066""#), ("é \u{A0}😀", "\"é \u{A0}😀\""),
        ])
    func controls(text: String, shown: String) throws {
        let reader = JSONReader(.string(text))
        _ = reader.integer()
        #expect(reader.issues.issues.map(\.detail) == ["must be an integer; got \(shown)"])

        let key = JSON.string(text).text
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "{\(key): 1, \(key): 2}") }
        #expect(error?.reason == "the key \(shown) stands twice in one object")
    }

    @Test("whole numbers are quoted as they are written, also out of arrays")
    func wholeNumbers() throws {
        let reader = try JSONReader(JSON(parsing: "[4, 0, -6, 2.5]"))
        _ = reader.integers(in: 5...9)
        _ = try JSONReader(JSON(parsing: "[7, 0]"), issues: reader.issues).integers(in: 5...9)
        _ = try JSONReader(JSON(parsing: "[7, 2.5]"), issues: reader.issues).integers(in: 5...9)
        #expect(
            reader.issues.issues.map(\.description) == [
                "/0: must be an integer from 5 to 9; got 4", "/1: must be an integer from 5 to 9; got 0",
                "/1: must be an integer from 5 to 9; got 2.5",
            ])
        let issues = try #require(throws: JSONIssues.self) { try reader.issues.check() }
        #expect(issues.line == issues.description.replacing("\n", with: "; "))
    }
}
