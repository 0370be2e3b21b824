extension ConformanceCase {
    /// Bodies framed by Content-Length.
    static let contentLengths: [ConformanceCase] =
        badLengths.map {
            .refused("The length \(shown($0))", "RFC 9112 §6.3", post("Content-Length: \($0)", body: "hello"))
        }
        + badLengthLines.map { .refused("The lines \(shown($0))", "RFC 9112 §6.3", post($0, body: "hello")) }
        + goodLengths.map {
            .served("The line \(shown($0))", "RFC 9110 §8.6", post($0, body: "hello"), "hello")
        } + lengthBodies

    private static let badLengths = [
        "abc", "+5", "-5", "-1", "-0", "+0", "0x5", "0X5", "0o5", "0b101", "1_0", "5_", "5 5", "5\t5", "", " ", "5,5", "5, 5",
        "5,", ",5", "5,6", "5;5", "5;a=b", "5.0", "5.", ".5", "5e0", "5e", "1E1", "5h", "h5", "\"5\"", "'5'", "(5)", "5-",
        "5 bytes", "$5", "NaN", "Infinity", "\u{B2}", "5\u{A0}", "\u{A0}5", "\u{EF}\u{BC}\u{95}", "\u{D9}\u{A5}", "5\0", "\u{1}5",
        "5\u{1}", "5\u{B}", "5\u{C}", "5\u{7F}", "5\u{11}", "-1234", "-123456789123456789123456789",
        "123456789012345678901234567890", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "18446744073709551621", "99999999999999999999", "00000000000000000005", "340282366920938463463374607431768211461", "5#",
        "5%20", "5/1", "0-5", "*", "chunked",
    ]

    private static let badLengthLines = [
        "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 0", "Content-Length: 0\r\nContent-Length: 5",
        "content-length: 5\r\nCONTENT-LENGTH: 5", "Content-Length: 5\r\nContent-Length:",
        "Content-Length: 5\r\nX: y\r\nContent-Length: 05", "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\n ", "Content-Length:\r\n 5", "Content-Length: 5\r\n 5", "Content-Length : 5", "Content-Length\t: 5",
        " Content-Length: 5", "Content-Length", "Content-Length 5", "Content\rLength: 5", "Content-Length: 5\nX: y",
        "Content-Length: 5\rX: y", "Content-Length: +5\r\nContent-Length: 5", "X: y\nContent-Length: 5",
    ]

    /// RFC 9110 §8.6: `1*DIGIT`. Zeros in front are digits like all others, and decimal.
    private static let goodLengths = [
        "Content-Length: 5", "Content-Length:5", "content-length: 5", "CONTENT-LENGTH: 5", "conTENT-Length:\t5\t",
        "Content-Length:   5   ", "Content-Length: 05", "Content-Length: 0005", "Content-Length: 0000000000000000005",
        "Content-Length: 5\r\nContent_Length: 6", "Content-Length: 5\r\nX-Content-Length: 6",
        "Content-Length: 5\r\nContentLength: 6", "X: y\r\nContent-Length: 5\r\nZ:",
    ]

    private static let lengthBodies: [ConformanceCase] = [
        .served("A length of 0", "RFC 9112 §6.3", post("Content-Length: 0"), ""),
        .served("A length of 00", "RFC 9112 §6.3", post("Content-Length: 00"), ""),
        .served(
            "A length of 010, which is not octal", "RFC 9110 §8.6", post("Content-Length: 010", body: "0123456789"), "0123456789"),
        .served("A body of line ends", "RFC 9112 §6.2", post("Content-Length: 6", body: "\r\n\r\n\r\n"), "\r\n\r\n\r\n"),
        .served("A body of NULs", "RFC 9112 §6.2", post("Content-Length: 3", body: "\0\0\0"), "\0\0\0"),
        .served(
            "A body that looks like chunks", "RFC 9112 §6.2", post("Content-Length: 15", body: "5\r\nhello\r\n0\r\n\r\n"),
            "5\r\nhello\r\n0\r\n\r\n"),
        .served(
            "A body that looks like a request", "RFC 9112 §11.2",
            post("Content-Length: 19", body: "GET /none HTTP/1.1\r") + request("GET /hello HTTP/1.1"),
            "GET /none HTTP/1.1\r", "hello"),
        .served(
            "A length in 1.0", "RFC 9112 §6.3",
            request("POST /echo HTTP/1.0", "Content-Length: 5", "Connection: keep-alive", body: "hello"), "hello"),
        .answered(
            "A body longer than its length", "RFC 9112 §6.3", post("Content-Length: 3", body: "hel\u{1}lo"),
            [Answer(status: 200, body: "hel"), Answer(status: 400)], .closed),
        .served(
            "Bodies in a row", "RFC 9112 §9.3.2",
            (1...5).map { post("Content-Length: \($0)", body: String(repeating: "\($0)", count: $0)) }.joined(), "1", "22", "333",
            "4444", "55555"),
    ]
}
