internal import HTTPTypes

/// The value of the Server-Timing field (W3C Server Timing, section 2): where the time of an answer went.
enum ServerTiming {
    /// The field.
    static let fieldName = HTTPField.Name("Server-Timing")!

    /// The value for the given phases in their order, such as "queue;dur=0.1, s_test;dur=11"; nil where there are none.
    ///
    /// Durations are in milliseconds, to a microsecond. One that is not a number is left out, its name stays.
    /// - Precondition: Names are tokens (RFC 9110 section 5.6.2), as those of our phases are.
    static func value(_ phases: [(name: String, milliseconds: Double)]) -> String? {
        guard !phases.isEmpty else { return nil }
        return phases.map { phase in
            precondition(isToken(phase.name), "The name of a phase is a token")
            guard phase.milliseconds.isFinite else { return phase.name }
            return "\(phase.name);dur=\(Self.number(phase.milliseconds))"
        }
        .joined(separator: ", ")
    }

    /// A decimal without exponent, with as many digits after the point as it needs, at most three.
    private static func number(_ milliseconds: Double) -> String {
        let microseconds = Int(min(max(0, milliseconds * 1_000).rounded(), 0x1p53))
        let fraction = String(microseconds % 1_000 + 1_000).dropFirst()
        let digits = fraction.reversed().drop { $0 == "0" }.reversed()
        return "\(microseconds / 1_000)" + (digits.isEmpty ? "" : "." + String(digits))
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
                }
            }
    }
}
