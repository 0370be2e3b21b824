/// Where a socket is bound, or whom it is connected to.
public enum SocketAddress: Hashable, Sendable {
    /// An IPv4 address in network byte order, and a port.
    case ipv4(IPv4Octets, port: UInt16)
    /// An IPv6 address in network byte order, a port, and the scope (interface index) of a link-local address, else 0.
    case ipv6(IPv6Octets, port: UInt16, scope: UInt32)
    /// A path in the file system; empty for a peer that has none.
    case unix(path: String)

    /// The four octets of an IPv4 address, first to last.
    public struct IPv4Octets: Hashable, Sendable {
        /// The octets, the first in the most significant byte.
        public let value: UInt32

        /// An address from its octets, the first in the most significant byte of `value`.
        public init(_ value: UInt32) { self.value = value }

        /// 127.0.0.1, RFC 1122 §3.2.1.3.
        public static let loopback = IPv4Octets(0x7F00_0001)
        /// 0.0.0.0: every address of the machine.
        public static let any = IPv4Octets(0)
    }

    /// The sixteen octets of an IPv6 address, first to last.
    public struct IPv6Octets: Hashable, Sendable {
        /// The first eight octets, the first in the most significant byte.
        public let high: UInt64
        /// The last eight octets.
        public let low: UInt64

        /// An address from its two halves, each with its first octet in the most significant byte.
        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        /// ::1, RFC 4291 §2.5.3.
        public static let loopback = IPv6Octets(high: 0, low: 1)
        /// :: (every address of the machine), RFC 4291 §2.5.2.
        public static let any = IPv6Octets(high: 0, low: 0)
    }

    /// The port, or nil for a path.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        case .unix: nil
        }
    }

    /// The address without its port: "127.0.0.1", "::1" or the path.
    public var host: String {
        switch self {
        case .ipv4(let octets, _): octets.description
        case .ipv6(let octets, _, let scope): scope == 0 ? octets.description : "\(octets)%\(scope)"
        case .unix(let path): path
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// "127.0.0.1:80", "[::1]:80" or "unix:/path", as they stand in a URL's authority or a log.
    public var description: String {
        switch self {
        case .ipv4(_, let port): "\(host):\(port)"
        case .ipv6(_, let port, _): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension SocketAddress.IPv4Octets: CustomStringConvertible {
    /// Dotted decimal.
    public var description: String {
        "\(value >> 24 & 0xFF).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
    }
}

extension SocketAddress.IPv6Octets: CustomStringConvertible {
    /// The text form that RFC 5952 §4 recommends: lower case, no leading zeros, the longest run of zeros as "::".
    public var description: String { presentation() }
}
