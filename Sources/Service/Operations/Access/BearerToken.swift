/// The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1).
struct BearerToken: Equatable, Sendable {
    /// The characters of the token, all ASCII.
    let octets: [UInt8]

    /// The token of a field value of the form `Bearer 1*SP b64token`, or nil where it has another. The scheme is
    /// case-insensitive (RFC 9110 section 11.1).
    init?(_ value: String) {
        let octets = value.utf8
        guard Self.hasScheme(value) else { return nil }
        let rest = octets.dropFirst(6)
        let token = rest.drop { $0 == UInt8(ascii: " ") }
        guard token.count < rest.count, Self.isToken(token) else { return nil }
        self.octets = Array(token)
    }

    /// Whether a field value is meant to be a bearer token, well-formed or not.
    static func hasScheme(_ value: String) -> Bool {
        let scheme = value.utf8.prefix(while: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") })
        return scheme.count == 6 && scheme.elementsEqual("bearer".utf8) { $0 | 0x20 == $1 }
    }

    /// Whether `octets` are a b64token: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    static func isToken(_ octets: some Collection<UInt8>) -> Bool {
        let body = octets.prefix { $0 != UInt8(ascii: "=") }
        return !body.isEmpty && body.allSatisfy(isTokenCharacter)
            && octets.dropFirst(body.count).allSatisfy { $0 == UInt8(ascii: "=") }
    }

    private static func isTokenCharacter(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._~+/".utf8.contains(octet)
        }
    }
}
