internal import HTTPTypes

/// Where a request stands in a distributed trace, as the `traceparent` field says it (W3C Trace Context, level 1).
struct TraceContext: Equatable, Sendable {
    /// The trace that the request belongs to; never zero.
    let traceID: UInt128
    /// The span within the trace: the caller's where it was parsed, ours after ``child()``; never zero.
    let spanID: UInt64
    /// Whether the caller may have recorded the trace. The only flag that level 1 has (section 3.2.2.5.1).
    let isSampled: Bool

    /// A new trace with its first span, not sampled: nobody has said that it is recorded.
    init() {
        self.init(traceID: Self.nonzero(), spanID: Self.nonzero(), isSampled: false)
    }

    /// The span that serves a request: a child of the one that its `traceparent` names, or else the first of a new trace.
    ///
    /// A field that is not valid, or several of them, start a new trace (section 4.3).
    init(continuing fields: HTTPFields) {
        let values = fields[values: .traceparent]
        self = (values.count == 1 ? TraceContext(values[0]) : nil)?.child() ?? TraceContext()
    }

    private init(traceID: UInt128, spanID: UInt64, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// A new span of the same trace.
    func child() -> TraceContext {
        TraceContext(traceID: traceID, spanID: Self.nonzero(), isSampled: isSampled)
    }

    /// The trace as 32 hexadecimal digits.
    var traceIDText: String { Hexadecimal.text(traceID) }
    /// The span as 16 hexadecimal digits.
    var spanIDText: String { Hexadecimal.text(spanID) }

    private static func nonzero<Number: FixedWidthInteger & UnsignedInteger>() -> Number {
        while true {
            let number: Number = IdentifierBits.next()
            if number != 0 { return number }
        }
    }
}

extension TraceContext: CustomStringConvertible {
    /// The value of `traceparent`, version 00, with no flag but "sampled" (section 3.2.2).
    var description: String { "00-\(traceIDText)-\(spanIDText)-\(isSampled ? "01" : "00")" }

    /// Reads the value of a `traceparent` field, or gives nil where it is not valid.
    ///
    /// Version 00 is `00-<32 digits>-<16 digits>-<2 digits>` and nothing else; digits are lower case; ids of zeros and version
    /// ff are invalid (section 3.2.2). Of a higher version the same part is read, and a dash must follow it where anything
    /// does (section 3.2.4: what comes after is unknown, and is let go of).
    init?(_ text: String) {
        let octets = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        guard octets.count >= Self.length, octets[2] == dash, octets[35] == dash, octets[52] == dash,
            let version = Hexadecimal.number(octets[..<2], as: UInt8.self), version != 0xFF,
            octets.count == Self.length || (version > 0 && octets[Self.length] == dash),
            let traceID = Hexadecimal.number(octets[3..<35], as: UInt128.self), traceID != 0,
            let spanID = Hexadecimal.number(octets[36..<52], as: UInt64.self), spanID != 0,
            let flags = Hexadecimal.number(octets[53..<55], as: UInt8.self)
        else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1)
    }

    /// Octets of a value of version 00, and of the known part of any other.
    private static let length = 55
}
