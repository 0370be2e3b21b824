import JSON
import Logging
import Testing

@testable import Service

@Suite("Lines of the log")
struct LogLineTests {
    private static let time = LogTime(seconds: 1_785_648_345, milliseconds: 7)

    private func line(
        _ format: LogFormat, _ message: String = "hello", _ metadata: Logger.Metadata = [:], level: Logger.Level = .info
    ) -> String {
        var formatter = LogLineFormatter(format)
        var bytes: [UInt8] = []
        formatter.append(
            LogRecord(time: Self.time, level: level, label: "influenced", message: message, cost: 0, metadata: { metadata }),
            to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func value(_ text: String) throws -> String {
        let json = try JSON(parsing: Array(line(.json, "m", ["v": .string(text)]).utf8.dropLast()))
        return try #require(json["v"]?.stringValue)
    }

    /// Text with which a client might try to end a line, a string, or what an operator believes to see.
    private static let hostile = [
        "a\nlevel=critical message=forged", "a\r\nb", "\"} {\"level\":\"info\"", "a\\", "\\\"", "\u{1B}[2J\u{1B}[31mred",
        "a\u{0}b", "\u{7F}",
        "\u{85}next", "\u{2028}line", "\u{202E}txt.exe", "\u{200B}", "\u{FEFF}", "a\tb", "\u{9B}31m", "\u{E0041}",
    ]

    @Test("text lines are key=value pairs, with quotation marks where they are needed")
    func text() {
        let metadata: Logger.Metadata = [
            "path": "/influence?a=b", "status": .stringConvertible(200), "agent": "curl/8.1 (x)", "empty": "", "plain": "a,b/c;d",
        ]
        #expect(
            line(.text, "request done", metadata) == """
                time=2026-08-02T05:25:45.007Z level=info label=influenced message="request done" agent="curl/8.1 (x)" empty="" \
                path="/influence?a=b" plain=a,b/c;d status=200

                """)
    }

    @Test("JSON lines are one object with the metadata beside the message, numbers as numbers")
    func json() throws {
        let metadata: Logger.Metadata = [
            "status": .stringConvertible(200), "ms": .stringConvertible(0.25), "ok": .stringConvertible(true), "id": "7",
            "nan": .stringConvertible(Double.nan), "list": ["a", .stringConvertible(2)], "table": ["b": ["c": "d"], "a": "x"],
        ]
        #expect(
            line(.json, "done", metadata, level: .warning) == """
                {"time":"2026-08-02T05:25:45.007Z","level":"warning","label":"influenced","message":"done","id":"7",\
                "list":["a",2],"ms":0.25,"nan":"nan","ok":true,"status":200,"table":{"a":"x","b":{"c":"d"}}}

                """)
    }

    @Test("lists and tables are JSON in text lines too, in quotation marks")
    func structure() {
        #expect(line(.text, "m", ["a": ["b", "c d"]]).hasSuffix(#" a="[\"b\",\"c d\"]""# + "\n"))
    }

    @Test("hostile text stays a value on its line in text", arguments: hostile)
    func hostileText(text: String) {
        let line = line(.text, text, ["a": .string(text), "z": "end"])
        #expect(line.utf8.filter { $0 == 0x0A }.count == 1 && line.hasSuffix(" z=end\n"))
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
        // Without what stands in quotation marks nothing but our own keys is left.
        let bare = line.replacing(#/"(?:[^"\\]|\\.)*"/#, with: "").split(whereSeparator: \.isWhitespace).map {
            $0.prefix { $0 != "=" }
        }
        #expect(bare == ["time", "level", "label", "message", "a", "z"])
    }

    @Test("hostile text comes back as it was from JSON", arguments: hostile)
    func hostileJSON(text: String) throws {
        let line = line(.json, text, ["a": .string(text), "k\(text)": "b", "list": [.string(text)]])
        #expect(line.utf8.filter { $0 == 0x0A }.count == 1)
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
        let json = try JSON(parsing: Array(line.utf8.dropLast()))
        #expect(json["message"]?.stringValue == text && json["a"]?.stringValue == text)
        #expect(json["k\(text)"]?.stringValue == "b" && json["list"] == .array([.string(text)]))
    }

    @Test("text in other scripts is written as it is")
    func unicode() throws {
        #expect(line(.text, "größer 日本 🙂").contains("message=\"größer 日本 🙂\""))
        #expect(try value("größer 日本 🙂") == "größer 日本 🙂")
    }

    @Test("keys of text lines have no characters that would make them something else")
    func keys() {
        #expect(line(.text, "m", ["a b=\"c\"\n": "d"]).hasSuffix(" a_b__c__=d\n"))
        #expect(line(.text, "m", ["": "d"]).hasSuffix(" _=d\n"))
    }

    @Test("metadata cannot take the place of what every line has")
    func ownKeys() throws {
        let metadata: Logger.Metadata = ["level": "x", "time": "y", "time_": "z", "message": "n", "label": "l"]
        let json = try JSON(parsing: Array(line(.json, "m", metadata).utf8.dropLast()))
        #expect(json["level"]?.stringValue == "info" && json["level_"]?.stringValue == "x")
        #expect(json["time_"]?.stringValue == "z" && json["time__"]?.stringValue == "y")
        #expect(line(.text, "m", ["level": "x"]).hasSuffix(" level_=x\n"))
    }

    @Test("long values are cut between characters, at 4 KiB as they are written")
    func longValues() throws {
        let fits = String(repeating: "a", count: 4_096)
        #expect(try value(fits) == fits)
        #expect(try value(fits + "b") == fits + "…")
        #expect(try value("a" + String(repeating: "é", count: 3_000)) == "a" + String(repeating: "é", count: 2_047) + "…")
        #expect(try value(String(repeating: "\u{0}", count: 9_000)) == String(repeating: "\u{0}", count: 682) + "…")
        let plain = line(.text, "m", ["a": .string(fits + "b")])
        #expect(plain.hasSuffix(" a=\"\(fits)…\"\n"))
    }

    @Test("lists and tables that are long or deep are cut, and lines stay JSON")
    func longStructures() throws {
        let long: Logger.MetadataValue = .array((0..<10_000).map { .stringConvertible($0) })
        let cut = try JSON(parsing: Array(line(.json, "m", ["v": long]).utf8.dropLast()))["v"]?.stringValue
        #expect(try #require(cut).hasPrefix("[0,1,2,") && (cut?.utf8.count ?? 0) < 4_200)
        var deep: Logger.MetadataValue = "core"
        for _ in 0..<1_000 { deep = [deep] }
        #expect(line(.json, "m", ["v": deep]).contains("[[[[[[[[\"…\"]]]]]]]]"))
    }

    @Test("lines are bounded, and say how many keys are missing", arguments: LogFormat.allCases)
    func longLines(format: LogFormat) throws {
        var metadata: Logger.Metadata = [:]
        for number in 0..<1_000 {
            metadata["k\(number)" + String(repeating: "\u{1}", count: 500)] = .string(String(repeating: "\n", count: 5_000))
        }
        let line = line(format, String(repeating: "m", count: 100_000), metadata)
        #expect(line.utf8.count < 40_000 && line.contains("omitted_keys"))
        if format == .json {
            let json = try JSON(parsing: Array(line.utf8.dropLast()))
            #expect(json["omitted_keys"] == .integer(993))
        }
    }

    @Test(
        "times are RFC 3339 in UTC, to the millisecond",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_400, 999, "2000-02-29T00:00:00.999Z"),
            (1_785_648_345, 70, "2026-08-02T05:25:45.070Z"), (4_102_444_799, 1, "2099-12-31T23:59:59.001Z"),
        ])
    func times(seconds: Int, milliseconds: Int, text: String) {
        let time = LogTime(seconds: seconds, milliseconds: milliseconds)
        #expect(time.secondText + time.fractionText == text)
    }
}
