import JSON
import Testing

/// The grammar of RFC 8259: what must be read, and what must not.
@Suite("JSON grammar")
struct GrammarTests {
    @Test(
        "a valid text is read as what it means",
        arguments: [
            ("null", .null), ("true", true), ("false", false), ("0", 0), ("-0", -0.0), ("7", 7), ("-12", -12),
            ("9223372036854775807", 9_223_372_036_854_775_807), ("-9223372036854775808", -9_223_372_036_854_775_808),
            ("9223372036854775808", 9.223372036854775808e18), ("1.5", 1.5), ("-1.5e3", -1500), ("1E+2", 100), ("1e-2", 0.01),
            ("0.1", 0.1),
            ("0e5", 0), ("5.0", 5), ("1e-400", 0), ("123456789012345678901234567890", 1.2345678901234568e29),
            ("\"\"", ""), ("\"a b\"", "a b"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
            ("\"\\u0041\\u00e9\\u20AC\"", "Aé€"),
            ("\"\\ud83d\\ude00\"", "😀"), ("\"😀é€\u{7F}\u{2028}\"", "😀é€\u{7F}\u{2028}"), ("\"\\u0000\"", "\0"),
            ("\"\\u005C\\u0022\"", "\\\""),
            ("\"\\uFFFE\\uDBFF\\uDFFF\"", "\u{FFFE}\u{10FFFF}"),
            ("[]", []), ("{}", [:]), (" [ ] ", []), ("\t{\n}\r\n", [:]), ("[1]", [1]), ("[1,2.5,-3]", [1, 2.5, -3]),
            ("[[],{}]", [[], [:]]),
            ("[1,\"a\",null,true,[2],{\"b\":3}]", [1, "a", .null, true, [2], ["b": 3]]),
            ("{\"a\":1,\"b\":[1,2]}", ["a": 1, "b": [1, 2]]),
            (" { \"a\" : { \"a\" : 1 } , \"\" : 2 } ", ["a": ["a": 1], "": 2]), ("{\"a\\u0062\":1}", ["ab": 1]),
            ("[ 1 , 2 ]", [1, 2]),
            ("[9007199254740993]", [9_007_199_254_740_993]), ("[1,9007199254740993]", [1, 9_007_199_254_740_993]),
            ("{\"\u{E9}\":1,\"e\u{301}\":2}", ["\u{E9}": 1, "e\u{301}": 2]), ("[[[[1]]]]", [[[[1]]]]),
        ] as [(String, JSON)])
    func validText(text: String, meaning: JSON) throws {
        let json = try JSON(parsing: text)
        #expect(json == meaning)
        #expect(try JSON(parsing: json.serialized()) == meaning)
    }

    @Test(
        "a text outside the grammar is refused where it goes wrong",
        arguments: [
            ("", 0), ("  ", 2), ("nul", 0), ("nulL", 0), ("True", 0), ("truefalse", 4), ("1 2", 2), ("{} {}", 3), ("[1]]", 3),
            ("[", 1), ("[1", 2), ("[1,", 3), ("[,]", 1), ("[1,]", 3), ("[1,,2]", 3), ("[1 2]", 3), ("[\"a\",]", 5),
            ("[\"a\" \"b\"]", 5), ("[1;2]", 2),
            ("[true,]", 6), ("[1}", 2), ("[\"\": 1]", 3), ("]", 0), ("[1,2,\"a\",]", 9),
            ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7), ("{\"a\":1,}", 7), ("{,}", 1),
            ("{\"a\" 1}", 5), ("{a:1}", 1),
            ("{1:1}", 1), ("{\"a\":1 \"b\":2}", 7), ("{\"a\":}", 5), ("{\"a\":1]", 6), ("{'a':1}", 1), ("{\"a\"::1}", 5),
            ("{null:1}", 1),
            ("{\"a\":1,\"a\":2}", 7), ("{\"a\":1,\"\\u0061\":2}", 7), ("{\"x\":{\"a\":1,\"b\":2,\"a\":3}}", 18),
            ("+1", 0), ("-", 1), ("--1", 1), ("01", 0), ("-01", 0), ("00", 0), ("1.", 2), (".5", 0), ("1.e1", 2), ("1e", 2),
            ("1e+", 3), ("0x10", 1),
            ("1_000", 1), ("1,5", 1), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("-NaN", 1), ("[NaN]", 1), ("1e5.5", 3),
            ("2.5.1", 3), ("[01]", 1),
            ("[1,-]", 4), ("[1.]", 3), ("1e400", 0), ("-1e309", 0), ("[1e999999999999999999999]", 1), ("１", 0),
            ("\"", 0), ("\"a", 0), ("\"\\\"", 0), ("\"\\", 0), ("\"\\x41\"", 1), ("\"\\'\"", 1), ("\"\\u12\"", 1),
            ("\"\\u12G4\"", 1), ("\"\\U0041\"", 1),
            ("\"\\ud800\"", 1), ("\"\\ud800x\"", 1), ("\"\\ud800\\n\"", 1), ("\"\\udc00\"", 1), ("\"\\ud800\\ud800\"", 1),
            ("\"\\udc00\\ud800\"", 1),
            ("\"a\nb\"", 2), ("\"\t\"", 1), ("\"\0\"", 1), ("\"\u{1F}\"", 1), ("\"\\\u{1}\"", 1), ("'a'", 0), ("\"a\"b", 3),
            ("\"\\é\"", 1),
            ("\u{FEFF}1", 0), ("\u{FEFF}", 0), ("[1]\u{0}", 3), ("\u{A0}1", 0), ("[\u{C}1]", 1), ("// a\n1", 0), ("1 /* b */", 2),
            ("#1", 0), ("\\u0031", 0),
            ("[1\u{2028}]", 2), ("{\"a\":1}}", 7), ("undefined", 0), ("*", 0), ("{\"a\":\"b\"\u{0}}", 8),
        ] as [(String, Int)])
    func invalidText(text: String, offset: Int) throws {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
        #expect(error?.reason.isEmpty == false)
    }

    @Test(
        "bytes that are not UTF-8 are refused at the first of them",
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0x61, 0xC3, 0x22], 2), ([0x22, 0xC0, 0x80, 0x22], 1),
            ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1), ([0x22, 0x80, 0x22], 1), ([0x22, 0xE2, 0x82, 0x5C, 0x6E, 0x22], 1),
            ([0xFF], 0),
            ([0x22, 0xC3, 0xA9, 0xF0, 0x9F, 0x98, 0x22], 3), ([0x7B, 0x22, 0xFE, 0x22, 0x3A, 0x31, 0x7D], 2),
            ([0xFF, 0xFE, 0x31, 0x00], 0),
            ([0x31, 0x00, 0x32, 0x00], 1), ([0x00, 0x31], 0), ([0xEF, 0xBB, 0xBF, 0x31], 0),
        ] as [([UInt8], Int)])
    func invalidUnicode(bytes: [UInt8], offset: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: bytes) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
    }

    @Test("an error names line and column, counting characters")
    func lineAndColumn() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "{\n  \"é\": 1,\n  \"é\" 2}") }
        #expect(error?.description == "line 3, column 7: '2' where ':' was expected after a key")
        let duplicate = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "{\"k\": 1, \"k\": 2}") }
        #expect(duplicate?.description == "line 1, column 10: the key \"k\" stands twice in one object")
        let trailing = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: "[1, 2,\n]") }
        #expect(trailing?.description == "line 2, column 1: a comma before ']'")
    }

    @Test("every prefix of a valid text is refused, and no flipped bit crashes the reader")
    func damage() throws {
        let text = Array(
            #"{"models": [{"name": "dig\u00e9its 😀", "k": [1, -2.5e-3, 1e2], "on": [true, null, [], {}]}], "n": 12}"#.utf8)
        _ = try JSON(parsing: text)
        for end in text.indices {
            #expect(throws: JSONSyntaxError.self) { try JSON(parsing: Array(text[..<end])) }
        }
        for index in text.indices {
            for bit in 0..<8 {
                var damaged = text
                damaged[index] ^= 1 << bit
                if let json = try? JSON(parsing: damaged) { #expect(try JSON(parsing: json.serialized()) == json) }
            }
        }
    }
}
