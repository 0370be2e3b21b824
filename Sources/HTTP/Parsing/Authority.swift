import Glibc

/// The host and optional port of a Host field, an absolute target or CONNECT.
enum Authority {
    /// Whether `octets` are `uri-host [ ":" port ]` (RFC 9110 §4.2.1, §7.2) with a host that is not empty.
    ///
    /// User information ("user@host") is not allowed (RFC 9110 §4.2.4), nor is a list of hosts.
    static func isValid(_ octets: ArraySlice<UInt8>) -> Bool {
        guard let first = octets.first else { return false }
        let afterHost: ArraySlice<UInt8>.Index
        if first == UInt8(ascii: "[") {
            guard let end = octets.firstIndex(of: UInt8(ascii: "]")), isAddress(octets[(octets.startIndex + 1)..<end])
            else { return false }
            afterHost = end + 1
        } else {
            afterHost = octets.firstIndex(of: Octets.colon) ?? octets.endIndex
            let name = octets[..<afterHost]
            guard !name.isEmpty, Octets.registeredName.containsAll(name), percentSignsAreValid(in: name) else { return false }
        }
        let rest = octets[afterHost...]
        return rest.isEmpty || (rest.first == Octets.colon && isPort(rest.dropFirst()))
    }

    /// What stands between the brackets of an `IP-literal` (RFC 3986 §3.2.2): an IPv6 address, or one of a later version.
    private static func isAddress(_ octets: ArraySlice<UInt8>) -> Bool {
        if octets.first == UInt8(ascii: "v") || octets.first == UInt8(ascii: "V") {
            // IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
            let parts = octets.dropFirst().split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && parts[0].allSatisfy { Octets.hexValue($0) != nil }
                && !parts[1].isEmpty && Octets.futureAddress.containsAll(parts[1])
        }
        // The longest is "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255". A zone ("%eth0") means nothing to another host.
        guard octets.count <= 45,
            octets.allSatisfy({ Octets.hexValue($0) != nil || $0 == Octets.colon || $0 == UInt8(ascii: ".") })
        else { return false }
        var address = in6_addr()
        return inet_pton(AF_INET6, String(decoding: octets, as: UTF8.self), &address) == 1
    }

    /// `port` (RFC 3986 §3.2.3), which may be empty, up to 65535.
    private static func isPort(_ octets: ArraySlice<UInt8>) -> Bool {
        octets.count <= 5 && octets.allSatisfy(Octets.isDigit) && octets.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    private static func percentSignsAreValid(in name: ArraySlice<UInt8>) -> Bool {
        name.indices.allSatisfy { index in
            name[index] != Octets.percent
                || (name.endIndex - index > 2 && Octets.hexValue(name[index + 1]) != nil
                    && Octets.hexValue(name[index + 2]) != nil)
        }
    }
}
