import Formats
import Testing

/// Names and values in messages come out of files that anybody may have written.
@Suite("Messages about files")
struct FormatErrorTests {
    @Test("control characters and marks that turn the direction of text are written out")
    func controlCharacters() {
        let error = FormatError(file: "f", part: "a\u{1B}[2J\r\n", reason: "\u{7F}\u{9B}\u{202E}\u{2028}\0 é")
        #expect(error.part == "a\\u{1b}[2J\\u{d}\\u{a}")
        #expect(error.reason == "\\u{7f}\\u{9b}\\u{202e}\\u{2028}\\u{0} é")
        #expect(TensorError("\t").reason == "\\u{9}")
    }

    @Test("what is long is cut, what is not stays")
    func length() {
        let long = String(repeating: "é", count: 5_000)
        let error = FormatError(file: "f", part: long, reason: long)
        #expect(error.part == String(repeating: "é", count: 199) + "…")
        #expect(error.reason == String(repeating: "é", count: 1_999) + "…")
        #expect(TensorError(long).reason == error.reason)
        let short = String(long.prefix(200))
        #expect(FormatError(file: "f", part: short, reason: short).description == "f: \(short): \(short)")
    }
}
