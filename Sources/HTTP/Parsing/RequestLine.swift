import HTTPTypes

/// The first line of a request: `method SP request-target SP HTTP-version` (RFC 9112 §3).
struct RequestLine: Sendable {
    /// The method, which need not be one that the server knows.
    let method: HTTPRequest.Method
    /// The target.
    let target: RequestTarget
    /// The version.
    let version: HTTPVersion

    /// The longest line: a target at its limit, and room for a method and the version around it.
    static func limit(_ limits: HTTPLimits) -> Int { limits.targetBytes + 48 }

    /// Reads a line, which must have been checked to be printable ASCII and spaces.
    ///
    /// - Throws: 400 for a line of any other form, 414 for a target over its limit, 505 for another major version.
    init(_ line: [UInt8], limits: HTTPLimits) throws(ProtocolError) {
        // RFC 9112 §3: single spaces. A recipient may be lenient here; a raw space in a target is then ambiguous (§3.2).
        let parts = line.split(separator: Octets.space, omittingEmptySubsequences: false)
        // HTTP/0.9 ("GET /") has no version and ends here, too.
        guard parts.count == 3, !parts[1].isEmpty else {
            throw .malformed("The request line \(Octets.quoted(line)) is not: method, space, target, space, version.")
        }
        guard let method = HTTPRequest.Method(String(decoding: parts[0], as: UTF8.self)) else {
            throw .malformed("\(Octets.quoted(parts[0])) is not a method.")  // RFC 9110 §9.1: a token
        }
        version = try Self.version(parts[2])
        // RFC 9112 §3: 414 for a target longer than the server wishes to parse.
        guard parts[1].count <= limits.targetBytes else { throw Self.targetTooLong(limits) }
        target = try RequestTarget(parts[1], method: method)
        self.method = method
    }

    /// What a fault in the line comes to, given as much of the line as there is.
    static func refusal(of fault: LineReader.Fault, in line: [UInt8], limits: HTTPLimits) -> ProtocolError {
        guard fault == .tooLong else { return .malformed(fault.detail) }
        // RFC 9112 §3: a method longer than any implemented is a 501, a target too long a 414.
        guard line.contains(Octets.space) else { return ProtocolError(.notImplemented, "The method is too long.") }
        return targetTooLong(limits)
    }

    private static func targetTooLong(_ limits: HTTPLimits) -> ProtocolError {
        ProtocolError(.uriTooLong, "The target is longer than \(limits.targetBytes) octets.")
    }

    /// RFC 9112 §2.3: `"HTTP" "/" DIGIT "." DIGIT`, case-sensitive.
    private static func version(_ octets: ArraySlice<UInt8>) throws(ProtocolError) -> HTTPVersion {
        let digits = Array(octets.dropFirst(5))
        guard octets.starts(with: Array("HTTP/".utf8)), digits.count == 3, Octets.isDigit(digits[0]),
            digits[1] == UInt8(ascii: "."), Octets.isDigit(digits[2])
        else { throw .malformed("\(Octets.quoted(octets)) is not a version of HTTP, such as HTTP/1.1.") }
        // RFC 9110 §15.6.6: 505 for another major version. §2.5: a higher minor version is served as the highest known.
        guard digits[0] == UInt8(ascii: "1") else {
            throw ProtocolError(.httpVersionNotSupported, "This server speaks HTTP/1.1 and HTTP/1.0.")
        }
        return digits[2] == UInt8(ascii: "0") ? .http10 : .http11
    }
}
