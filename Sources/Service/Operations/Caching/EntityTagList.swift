/// The value of an If-None-Match field (RFC 9110 section 13.1.2).
enum EntityTagList: Equatable, Sendable {
    /// `*`.
    case any
    /// The tags with their quotation marks, without the `W/` of the weak ones: that is how the weak comparison sees them.
    case opaque([String])

    /// Reads `"*" / #entity-tag`, or gives nil where the value is neither. Empty elements of the list are passed over, as
    /// RFC 9110 section 5.6.1.2 asks of a recipient. O(n).
    init?(_ value: String) {
        var rest = value.utf8[...]
        Self.skipSpace(&rest)
        if rest.first == UInt8(ascii: "*") {
            rest.removeFirst()
            Self.skipSpace(&rest)
            guard rest.isEmpty else { return nil }
            self = .any
            return
        }
        var tags: [String] = []
        while true {
            Self.skipSpace(&rest)
            guard let first = rest.first else { break }
            if first != UInt8(ascii: ",") {
                guard let tag = Self.tag(&rest) else { return nil }
                tags.append(tag)
                Self.skipSpace(&rest)
                guard let next = rest.first else { break }
                guard next == UInt8(ascii: ",") else { return nil }
            }
            rest.removeFirst()
        }
        guard !tags.isEmpty else { return nil }
        self = .opaque(tags)
    }

    private static func skipSpace(_ rest: inout Substring.UTF8View) {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Takes `[ "W/" ] DQUOTE *etagc DQUOTE` (RFC 9110 section 8.8.3) off the front; the W is upper case.
    private static func tag(_ rest: inout Substring.UTF8View) -> String? {
        let quote = UInt8(ascii: "\"")
        if rest.starts(with: "W/".utf8) { rest.removeFirst(2) }
        guard rest.first == quote else { return nil }
        rest.removeFirst()
        let inner = rest.prefix { $0 == 0x21 || ($0 >= 0x23 && $0 != 0x7F) }
        rest = rest[inner.endIndex...]
        guard rest.first == quote else { return nil }
        rest.removeFirst()
        return "\"\(Substring(inner))\""
    }
}
