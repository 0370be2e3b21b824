/// An origin as browsers write it in the Origin field: scheme, host and port (the Fetch standard, section 3.1; RFC 6454).
struct WebOrigin: Equatable, Sendable {
    /// The origin, in lower case: what the value of an Origin field is compared with, octet by octet.
    let text: String

    /// Checks a configured origin: `http` or `https`, a host, and a port unless it is the scheme's own.
    ///
    /// - Throws: Where no browser would send it, so that it would never match.
    init(_ configured: String) throws(CORSPolicyError) {
        func failure(_ detail: String) -> CORSPolicyError { CORSPolicyError(origin: configured, detail: detail) }
        let text = configured.lowercased()
        guard text != "null" else {
            throw failure("it is what every sandboxed page sends, whoever made it; name origins, or allow all with *")
        }
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else {
            throw failure("it must begin with https:// or http://")
        }
        let authority = text.dropFirst(isSecure ? 8 : 7)
        guard !authority.contains(where: { "/?#@".contains($0) }) else {
            throw failure("it must end after the host and port, without user, path, or slash at the end")
        }
        let (host, port) = Self.split(authority)
        guard Self.isHost(host) else { throw failure("it has no valid host") }
        if let port {
            guard let number = UInt16(port), number > 0, String(number) == port else {
                throw failure("its port must be 1 to 65535")
            }
            guard number != (isSecure ? 443 : 80) else { throw failure("its port is the scheme's own, which browsers leave out") }
        }
        self.text = text
    }

    /// Host and port; the colons of an IPv6 address are within its brackets.
    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?) {
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") ?? authority.startIndex : authority.startIndex
        guard let colon = authority[end...].firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            return host.hasSuffix("]") && inner.contains(":")
                && inner.utf8.allSatisfy { Self.isHexDigit($0) || $0 == 0x3A || $0 == 0x2E }
        }
        // Browsers send names of other scripts as ASCII (punycode).
        return !host.isEmpty && host.utf8.allSatisfy { Self.isLetterOrDigit($0) || "-._".utf8.contains($0) }
    }

    private static func isHexDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet) }
    private static func isLetterOrDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) || (0x61...0x7A).contains(octet) }
}
