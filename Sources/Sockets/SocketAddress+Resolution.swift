import CLinux
import Glibc

extension SocketAddress {
    /// The addresses of `host` ("127.0.0.1", "::1", "[::1]", "localhost", "0.0.0.0") with `port`, IPv4 before IPv6 and each once.
    ///
    /// Names go through getaddrinfo(3), which may read files and ask the network: it blocks, so it is for starting up
    /// and never for the loop. The system's own answer for "localhost" often begins with ::1, while most clients that
    /// are told an address are told 127.0.0.1; hence IPv4 first.
    ///
    /// - Throws: `SocketError` with the resolver's code, or one that says what is wrong with an empty or ill-formed host.
    public static func resolving(host: String, port: UInt16) throws(SocketError) -> [SocketAddress] {
        let name = try unbracketed(host)
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else {
            throw SocketError(
                code: status == EAI_SYSTEM ? .system(errno) : .resolution(status), operation: .resolve, context: host)
        }
        defer { freeaddrinfo(list) }

        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            let octets = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
            if let address = SocketAddress(octets: octets, length: octets.count)?.with(port: port), !found.contains(address) {
                found.append(address)
            }
            next = entry.ai_next
        }
        let ordered = found.filter { $0.family == AF_INET } + found.filter { $0.family == AF_INET6 }
        guard !ordered.isEmpty else {
            throw SocketError(code: .resolution(EAI_NONAME), operation: .resolve, context: host)
        }
        return ordered
    }

    /// The same address with another port; a path stays as it is.
    public func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let octets, _): .ipv4(octets, port: port)
        case .ipv6(let octets, _, let scope): .ipv6(octets, port: port, scope: scope)
        case .unix: self
        }
    }

    /// `host` without the brackets that a URL puts around an IPv6 address (RFC 3986 §3.2.2).
    private static func unbracketed(_ host: String) throws(SocketError) -> String {
        var name = host[...]
        if name.hasPrefix("["), name.hasSuffix("]"), name.contains(":") { name = name.dropFirst().dropLast() }
        // A NUL would end the name early for the system, which would then resolve another name than the one given.
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw SocketError(
                code: .invalid("a host is a name or an address, such as 127.0.0.1, ::1 or localhost"), operation: .resolve,
                context: host.debugDescription)
        }
        return String(name)
    }
}
