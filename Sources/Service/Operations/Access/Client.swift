internal import Glibc

/// Whom a limit per client counts for: the holder of a key, or else an address.
enum Client: Hashable, Sendable {
    /// The name of an API key.
    case key(String)
    /// An IPv4 address, its first octet in the most significant byte.
    case ipv4(UInt32)
    /// The first half of an IPv6 address. A /64 is what one customer gets at the least (RFC 6177 section 2), and who has one
    /// has all of its addresses.
    case ipv6Network(UInt64)
    /// A peer without an address: through a Unix-domain socket, or unknown.
    case local

    /// Who sent a request.
    ///
    /// - Parameters:
    ///   - key: The name of the API key that it came with, if any.
    ///   - peer: The address it came from, as "127.0.0.1:50000" or "[::1]:50000".
    init(key: String?, peer: String) {
        if let key {
            self = .key(key)
        } else if let colon = peer.utf8.lastIndex(of: UInt8(ascii: ":")) {
            self = Self.address(peer[..<colon]) ?? .local
        } else {
            self = .local
        }
    }

    private static func address(_ host: Substring) -> Client? {
        var address = in_addr()
        if inet_pton(AF_INET, String(host), &address) == 1 { return .ipv4(UInt32(bigEndian: address.s_addr)) }
        guard host.hasPrefix("["), host.hasSuffix("]") else { return nil }
        // The scope of a link-local address names one of our interfaces, and says nothing about the peer.
        let inner = host.dropFirst().dropLast().prefix { $0 != "%" }
        var long = in6_addr()
        guard inet_pton(AF_INET6, String(inner), &long) == 1 else { return nil }
        let octets = withUnsafeBytes(of: &long) { Array($0) }
        func number(_ range: Range<Int>) -> UInt64 { octets[range].reduce(0) { $0 << 8 | UInt64($1) } }
        // ::ffff:a.b.c.d is an IPv4 peer at a socket that serves both (RFC 4291 section 2.5.5.2).
        if number(0..<8) == 0, number(8..<12) == 0xFFFF { return .ipv4(UInt32(number(12..<16))) }
        return .ipv6Network(number(0..<8))
    }
}
