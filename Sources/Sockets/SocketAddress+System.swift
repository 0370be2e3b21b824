import CLinux
import Glibc

extension SocketAddress {
    /// The address family, `AF_INET`, `AF_INET6` or `AF_UNIX`.
    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the address in the system's form.
    ///
    /// - Throws: `SocketError` if a path is empty, holds a NUL or does not fit `sun_path` (107 octets).
    func withSystemAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(SocketError) -> Result {
        switch self {
        case .ipv4(let octets, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = octets.value.bigEndian
            return withGenericPointer(to: address, body)
        case .ipv6(let octets, let port, let scope):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            address.sin6_addr = octets.systemAddress
            return withGenericPointer(to: address, body)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let octets = Array(path.utf8)
            // One octet stays for the NUL that ends the path.
            let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
            guard !octets.isEmpty, octets.count <= capacity, !octets.contains(0) else {
                throw SocketError(
                    code: .invalid("a socket path has 1 to \(capacity) octets and no NUL"), operation: .address,
                    context: "unix:\(path)")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
            return withGenericPointer(to: address, body)
        }
    }

    /// Reads the address that `fill` (getsockname, accept4, …) writes, with what `fill` returned.
    ///
    /// - Returns: The address, or nil when `fill` failed; `errno` is then as `fill` left it.
    static func reading(
        _ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (result: Int32, address: SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
        }
        guard result >= 0 else { return (result, nil) }
        return (result, withUnsafeBytes(of: storage) { SocketAddress(octets: $0, length: Int(length)) })
    }

    /// The address in `octets`, laid out as its family says; nil for a family that is none of the three.
    init?(octets: UnsafeRawBufferPointer, length: Int) {
        let familyOffset = MemoryLayout<sockaddr>.offset(of: \.sa_family) ?? 0
        guard length >= familyOffset + MemoryLayout<sa_family_t>.size, octets.count >= length else { return nil }
        switch Int32(octets.loadUnaligned(fromByteOffset: familyOffset, as: sa_family_t.self)) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let address = octets.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(
                IPv4Octets(UInt32(bigEndian: address.sin_addr.s_addr)), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let address = octets.loadUnaligned(as: sockaddr_in6.self)
            self = .ipv6(
                IPv6Octets(address.sin6_addr), port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
        case AF_UNIX:
            let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
            let path = length > start ? octets[start..<length].prefix { $0 != 0 } : []
            self = .unix(path: String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }
}

extension SocketAddress.IPv6Octets {
    /// The sixteen octets in the system's form.
    var systemAddress: in6_addr {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) {
            $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    /// The address in the system's form, read.
    init(_ address: in6_addr) {
        self = withUnsafeBytes(of: address) {
            Self(
                high: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The address as inet_ntop(3) writes it.
    func presentation() -> String {
        var address = systemAddress
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Calls `body` with `address` seen as the generic `sockaddr`, and its size.
private func withGenericPointer<Address, Result>(
    to address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
    }
}
