extension ConformanceCase {
    /// Chunks: sizes, extensions, data, and what is between them.
    static let chunks: [ConformanceCase] =
        badSizes.map { .refused("The size \(shown($0))", "RFC 9112 §7.1", chunked("\($0)\r\nhello\r\n0\r\n\r\n")) }
        + badData.map { .refused("The chunks \(shown($0))", "RFC 9112 §7.1", chunked($0)) }
        + badExtensions.map { .refused("The size \(shown($0))", "RFC 9112 §7.1.1", chunked("\($0)\r\nhello\r\n0\r\n\r\n")) }
        + goodSizes.map { .served("The size \(shown($0))", "RFC 9112 §7.1", chunked("\($0)\r\nhello\r\n0\r\n\r\n"), "hello") }
        + goodExtensions.map {
            .served("The size \(shown($0))", "RFC 9112 §7.1.1", chunked("\($0)\r\nhello\r\n0\r\n\r\n"), "hello")
        }
        + goodChunks.map { .served("The chunks \(shown($0.0))", "RFC 9112 §7.1", chunked($0.0), $0.1) } + extensionSizes

    /// A POST of chunks to /echo.
    static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked", body: body) }

    private static let badSizes = [
        "", " ", "0x5", "0X5", "x5", "5x", "5h", "+5", "-5", "-1", "+0", "1_0", "5_", " 5", "5 ", "\t5", "5\t", "5 5", "5,5",
        "5.", "5.0", "G", "g", "Z", "$5", "#5", "\"5\"", "'5'", "(5)", "5:", "5=5", "5 a=b", "5/5", "5\u{A0}", "\u{B2}",
        "\u{EF}\u{BC}\u{95}", "5\0", "\05", "5\u{1}", "5\u{B}", "5\u{C}", "5\u{7F}", "5\r", "\r5", "5\n", "\n5", "5\r\r", "5\n\r",
        "5\r;a", "00000000000000005", "10000000000000005", "FFFFFFFFFFFFFFFFF", "10000000000000000",
        "00000000000000000000000000000000005", "hello", "NaN", "%35", "0x", "5 abc",
    ]

    private static let badData = [
        // Longer or shorter than the size, or without CR LF behind it.
        "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "4\r\nhello\r\n0\r\n\r\n", "6\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello\r\r\n0\r\n\r\n", "5\r\nhello\n\r0\r\n\r\n",
        "5\r\nhello \r\n0\r\n\r\n", "5\r\nhello;a\r\n0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n", "5\r\nhello\r\n \r\n0\r\n\r\n",
        "5\r\nhello\0\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\nhello5\r\nhello\r\n0\r\n\r\n",
        "3\r\nfoo\r\n\r\n", "7\r\nhello\r\n0\r\n\r\n", "5\r\n\r\nhello\r\n0\r\n\r\n", "5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n",
        // The last chunk.
        "0\n\r\n", "0\r\n\n", "0\r\r\n", "0\r\n\r\r", "0\r\n\rX", "00000000000000000\r\n\r\n", "-0\r\n\r\n", "+0\r\n\r\n",
        "0x0\r\n\r\n", "0 \r\n\r\n", " 0\r\n\r\n", "\r\n0\r\n\r\n", "0 abc\r\n\r\n", "\r\n", "\n", ";\r\n\r\n", ";a\r\n\r\n",
        "hello world", "{\"a\": 1}",
    ]

    private static let badExtensions = [
        // No name, a name that is no token, a value that is neither a token nor a quoted string.
        "5;", "5; ", "5;a ", "5;a=b\t", "5;a=\"b\" ", "5;;", "5;;a", "5;a;", "5;a;;b", "5;=b", "5;a=", "5;a=;b", "5;a==b",
        "5;a b", "5;a=b c", "5;a,b", "5;a=b,c", "5;@", "5;a@b", "5;[a]", "5;(a)", "5;a=(b)", "5;a:b", "5;a/b", "5;a={b}",
        "5;\"a\"", "5;\"a\"=b", "5;caf\u{E9}", "5;a=caf\u{E9}",
        // A quoted string that does not end, or ends and goes on.
        "5;a=\"", "5;a=\"b", "5;a=\"b\\\"", "5;a=\"b\"c", "5;a=\"b\"\"c\"", "5;a=b\"c\"", "5;a=\"b\";c=\"d; e", "5;a=\"b\\",
        // Octets that may stand nowhere.
        "5;a\0", "5;a=\0", "5;\u{1}", "5;a=\u{7F}", "5;a=\"\u{1}\"", "5;a=\"\0\"", "5;a\u{B}", "5;a=\"\\\u{1}\"", "5;a=\"b\rc\"",
        "5;a=\"b\nc\"",
        // Line ends that some recipients take for the end of the line and some do not.
        "5;\n", "5;a\n", "5;a\rb", "5;a\nb", "5;a=b\n", "5;\r", "5;a\r", "5;\nxx", "5;a=\"b\n\"", "5\t\n;a",
    ]

    private static let goodSizes = ["5", "05", "005", "0000000000000005"]

    private static let goodExtensions = [
        "5;a", "5;a=b", "5;a=b;c", "5;a;b;c=d", "5 ;a", "5\t;a", "5; a", "5;\ta", "5 ; a = b ; c\t=\td", "5;a=\"b\"", "5;a=\"\"",
        "5;a=\"b;c\"", "5;a=\"b, c=d\"", "5;a=\"b\\\"c\"", "5;a=\"b\\\\\"", "5;a=\"\\\\\";b", "5;a=\"b\tc\"", "5;a=\"\u{E9}\"",
        "5;a=\"\\\u{E9}\"", "5;5", "5;0=0", "5;!#$%&'*+-.^_`|~=x", "5;chunk-signature=0123abcd", "5;a=a;a=b", "05;a",
    ]

    private static let goodChunks = [
        ("0\r\n\r\n", ""), ("0000000000000000\r\n\r\n", ""), ("000\r\n\r\n", ""), ("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"), ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("0a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("1e\r\nthirty octets make up a chunk!\r\n0\r\n\r\n", "thirty octets make up a chunk!"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"), ("7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", "0\r\n\r\n0\r"),
        ("5\r\nhello\r\n0;a=b\r\n\r\n", "hello"), ("5\r\nhello\r\n0 ; a=\"b\"\r\n\r\n", "hello"),
        ("2;a=\"x\"\r\nhi\r\n1;b\r\n!\r\n0;c\r\n\r\n", "hi!"), ("3\r\n\0\0\0\r\n0\r\n\r\n", "\0\0\0"),
    ]

    /// The extensions of one body may have 40 octets here.
    private static let extensionSizes: [ConformanceCase] = [
        .served(
            "An extension at the limit", "RFC 9112 §7.1.1",
            chunked("1;\(String(repeating: "x", count: 39))\r\na\r\n0\r\n\r\n"), "a"),
        .refused(
            "An extension over the limit by one", "RFC 9112 §7.1.1",
            chunked("1;\(String(repeating: "x", count: 40))\r\na\r\n0\r\n\r\n")),
        .refused(
            "An extension that does not end", "RFC 9112 §7.1.1", chunked("1;" + String(repeating: "x", count: 10_000))),
        .served(
            "Extensions at the limit together", "RFC 9112 §7.1.1",
            chunked(String(repeating: "1;abc\r\na\r\n", count: 10) + "0\r\n\r\n"), "aaaaaaaaaa"),
        .refused(
            "Extensions over the limit together", "RFC 9112 §7.1.1",
            chunked(String(repeating: "1;abc\r\na\r\n", count: 10) + "0;a\r\n\r\n")),
        .served(
            "Extensions of one body do not count for the next", "RFC 9112 §7.1.1",
            chunked(String(repeating: "1;abc\r\na\r\n", count: 10) + "0\r\n\r\n") + chunked("1;abcdefg\r\nb\r\n0\r\n\r\n"),
            "aaaaaaaaaa", "b"),
    ]
}
