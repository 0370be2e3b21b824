import HTTPTypes
import Testing

@testable import Service

@Suite("Request identifiers")
struct RequestIdentifierTests {
    private let longest = String(repeating: "a", count: 128)

    @Test("a client's identifier is taken as it is", arguments: ["a", "0", "AZaz09._:-", "5f7c2f6e-9c1d-4a57-8f0e-0d9a6d1f7a11"])
    func taken(text: String) {
        #expect(RequestIdentifier(text)?.description == text)
        #expect(RequestIdentifier(of: [RequestIdentifier.fieldName: text]).description == text)
    }

    @Test("128 characters are taken, 129 are not")
    func length() {
        #expect(RequestIdentifier(longest)?.description == longest)
        #expect(RequestIdentifier(longest + "a") == nil)
    }

    @Test(
        "an identifier with anything but plain characters is replaced",
        arguments: ["", " ", "a b", "a\"b", "a,b", "a/b", "ä", "a;b", "a=b", "<a>", "a%0ab"])
    func replaced(text: String) {
        #expect(RequestIdentifier(text) == nil)
        let made = RequestIdentifier(of: [RequestIdentifier.fieldName: text]).description
        #expect(made != text && made.utf8.count == 32)
    }

    @Test("controls are not plain", arguments: ["a\u{7F}", "a\n", "\u{0}", "a\tb"])
    func controls(text: String) { #expect(RequestIdentifier(text) == nil) }

    @Test("a new one is 32 lower-case hexadecimal digits, and no two are the same")
    func new() {
        let made = (0..<1_000).map { _ in RequestIdentifier().description }
        #expect(Set(made).count == 1_000)
        #expect(made.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    }

    @Test("no field, and several, make a new one")
    func fields() {
        #expect(RequestIdentifier(of: [:]).description.utf8.count == 32)
        var fields: HTTPFields = [:]
        fields.append(HTTPField(name: RequestIdentifier.fieldName, value: "one"))
        fields.append(HTTPField(name: RequestIdentifier.fieldName, value: "two"))
        #expect(RequestIdentifier(of: fields).description.utf8.count == 32)
    }
}

@Suite("Trace context")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test("a valid field is read, and written as it was")
    func valid() throws {
        let text = "00-\(Self.trace)-\(Self.span)-01"
        let context = try #require(TraceContext(text))
        #expect(context.traceIDText == Self.trace && context.spanIDText == Self.span && context.isSampled)
        #expect(context.traceID == 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736 && context.spanID == 0x00f0_67aa_0ba9_02b7)
        #expect(context.description == text)
    }

    @Test(
        "of the flags only the first is kept",
        arguments: [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)])
    func flags(text: String, isSampled: Bool) throws {
        let context = try #require(TraceContext("00-\(Self.trace)-\(Self.span)-\(text)"))
        #expect(context.isSampled == isSampled)
        #expect(context.description.hasSuffix(isSampled ? "-01" : "-00"))
    }

    @Test(
        "a higher version is read as far as it is known, and written as version 00",
        arguments: ["01-\(trace)-\(span)-01", "cc-\(trace)-\(span)-01-what-the-future-will-be-like", "fe-\(trace)-\(span)-01-"])
    func future(text: String) throws {
        #expect(try #require(TraceContext(text)).description == "00-\(Self.trace)-\(Self.span)-01")
    }

    @Test(
        "anything else is not valid",
        arguments: [
            "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)-01-",
            "00-\(trace)-\(span)-01-extra", "00-\(trace)-\(span)-011", "ff-\(trace)-\(span)-01", "0-\(trace)-\(span)-01",
            "cc-\(trace)-\(span)-01x", "cc-\(trace)-\(span)-01.extra", "FE-\(trace)-\(span)-01", "0x-\(trace)-\(span)-01",
            "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01", "00-\(trace)-\(span)-0A",
            "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00_\(trace)_\(span)_01",
            "00-\(trace.dropLast())g-\(span)-01", "00-\(trace.dropLast())-\(span)-001", " 00-\(trace)-\(span)-01",
            "00-\(trace)-\(span)-01 ", "00-\(trace)-\(span)--1", "00-\(trace)-\(span)-.1", "00-\(trace)\(span)--01",
            "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
        ])
    func invalid(text: String) { #expect(TraceContext(text) == nil) }

    @Test("our span is a child of the client's")
    func child() throws {
        let context = TraceContext(continuing: [.traceparent: "00-\(Self.trace)-\(Self.span)-01"])
        #expect(context.traceIDText == Self.trace && context.spanIDText != Self.span && context.isSampled)
        #expect(TraceContext(context.description) == context)
    }

    @Test("without a field, with a bad one and with several a new trace begins, not sampled")
    func new() {
        let good = "00-\(Self.trace)-\(Self.span)-01"
        var twice: HTTPFields = [:]
        twice.append(HTTPField(name: .traceparent, value: good))
        twice.append(HTTPField(name: .traceparent, value: good))
        for fields in [[:], [.traceparent: "bad"], twice] as [HTTPFields] {
            let context = TraceContext(continuing: fields)
            #expect(context.traceIDText != Self.trace && !context.isSampled && context.traceID != 0 && context.spanID != 0)
            #expect(TraceContext(context.description) == context)
        }
    }
}

@Suite("Server-Timing")
struct ServerTimingTests {
    @Test("phases are listed in their order, to a microsecond")
    func phases() {
        #expect(
            ServerTiming.value([("queue", 0.1), ("s_test", 11), ("score", 6.34567), ("total", 17.9)])
                == "queue;dur=0.1, s_test;dur=11, score;dur=6.346, total;dur=17.9")
    }

    @Test(
        "durations are decimals without exponents",
        arguments: [
            (0, "0"), (-1, "0"), (0.0004, "0"), (0.0005, "0.001"), (0.01, "0.01"), (1e-9, "0"), (1_234_567.25, "1234567.25"),
            (100, "100"), (0.999_9, "1"), (1e300, "9007199254740.992"),
        ] as [(Double, String)])
    func durations(milliseconds: Double, text: String) {
        #expect(ServerTiming.value([("a", milliseconds)]) == "a;dur=\(text)")
    }

    @Test("a duration that is no number is left out", arguments: [.nan, .infinity, -.infinity] as [Double])
    func notFinite(milliseconds: Double) { #expect(ServerTiming.value([("a", milliseconds), ("b", 1)]) == "a, b;dur=1") }

    @Test("no phases are no field")
    func none() { #expect(ServerTiming.value([]) == nil) }

    @Test("a name that is no token is a mistake of the program's")
    func names() async {
        await #expect(processExitsWith: .failure) { _ = ServerTiming.value([("two words", 1)]) }
    }
}

@Suite("Hexadecimal")
struct HexadecimalTests {
    @Test("numbers are written with all their digits")
    func numbers() {
        #expect(Hexadecimal.text(UInt8(0x0A)) == "0a")
        #expect(Hexadecimal.text(UInt64.max) == "ffffffffffffffff")
        #expect(Hexadecimal.text(UInt128(1)) == "00000000000000000000000000000001")
        #expect(Hexadecimal.text(octets: [0, 0x1F, 0xFF]) == "001fff")
        #expect(Hexadecimal.text(octets: []) == "")
    }

    @Test("digits are read where they are as many as they should be, and lower case")
    func digits() {
        func read(_ text: String) -> UInt8? { Hexadecimal.number(Array(text.utf8)[...], as: UInt8.self) }
        #expect(read("0a") == 10 && read("ff") == 255)
        #expect(read("a") == nil && read("00a") == nil && read("0A") == nil && read("0g") == nil && read("") == nil)
    }
}
