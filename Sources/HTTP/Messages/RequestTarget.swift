import HTTPTypes

/// What a request asks for (RFC 9112 §3.2), taken apart and decoded.
public struct RequestTarget: Equatable, Sendable {
    /// The four forms that a target can have on the wire.
    public enum Form: Equatable, Sendable {
        /// "/path?query".
        case origin
        /// "http://host/path?query".
        case absolute
        /// "host:port", of CONNECT only.
        case authority
        /// "*", of OPTIONS only: the server as a whole.
        case asterisk
    }

    /// How it was written.
    public let form: Form
    /// The host and port of an absolute or authority target.
    public let authority: String?
    /// Path and query as they were written, without the authority; "*" for the server as a whole.
    public let raw: String
    /// The path between its slashes, each piece percent-decoded; "/" has none, "/a/" has "a" and "". No piece is "." or
    /// "..", and none has control characters.
    public let segments: [String]
    /// What follows the question mark, as it was written; nil without one.
    public let query: String?
    /// The query's `name=value` pairs in their order, decoded as HTML forms encode them.
    public let queryItems: [QueryItem]

    /// One `name=value` of a query; the value is empty where there is no "=".
    public struct QueryItem: Equatable, Sendable {
        /// The name, decoded.
        public let name: String
        /// The value, decoded.
        public let value: String
    }

    /// The first value that the query has for `name`.
    public func queryValue(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    /// Reads the target of a request line.
    ///
    /// - Parameter octets: The target, which must have been checked to be printable ASCII without spaces.
    /// - Throws: 400 for a target of no form that `method` may have.
    init(_ octets: ArraySlice<UInt8>, method: HTTPRequest.Method) throws(ProtocolError) {
        // RFC 9112 §3.2: no form has a fragment; a client keeps it to itself.
        guard !octets.contains(UInt8(ascii: "#")) else { throw .malformed("The target has a fragment (#).") }
        if octets.elementsEqual([UInt8(ascii: "*")]) {
            // RFC 9112 §3.2.4: the asterisk is for OPTIONS alone.
            guard method == .options else { throw .malformed("The target * is for OPTIONS only.") }
            self.init(form: .asterisk, authority: nil, raw: "*", segments: [], query: nil, queryItems: [])
        } else if method == .connect {
            // RFC 9112 §3.2.3: CONNECT has host and port, and nothing else.
            guard Authority.isValid(octets) else { throw .malformed("The target of CONNECT is host:port.") }
            let text = String(decoding: octets, as: UTF8.self)
            self.init(form: .authority, authority: text, raw: text, segments: [], query: nil, queryItems: [])
        } else if octets.first == Octets.slash {
            try self.init(form: .origin, authority: nil, pathAndQuery: octets)
        } else {
            let (authority, rest) = try Self.splitAbsolute(octets)
            if rest.isEmpty, method == .options {
                // RFC 9112 §3.2.4: OPTIONS of an absolute target without path and query means the server as a whole.
                self.init(form: .asterisk, authority: authority, raw: "*", segments: [], query: nil, queryItems: [])
            } else {
                // RFC 9110 §4.2.3: an empty path is the same as "/".
                let path = rest.first == Octets.slash ? rest : [Octets.slash] + rest
                try self.init(form: .absolute, authority: authority, pathAndQuery: path)
            }
        }
    }

    private init(
        form: Form, authority: String?, raw: String, segments: [String], query: String?, queryItems: [QueryItem]
    ) {
        self.form = form
        self.authority = authority
        self.raw = raw
        self.segments = segments
        self.query = query
        self.queryItems = queryItems
    }

    private init(form: Form, authority: String?, pathAndQuery octets: ArraySlice<UInt8>) throws(ProtocolError) {
        let mark = octets.firstIndex(of: UInt8(ascii: "?"))
        let query = mark.map { octets[($0 + 1)...] }
        self.init(
            form: form, authority: authority, raw: String(decoding: octets, as: UTF8.self),
            segments: try Self.segments(of: octets[..<(mark ?? octets.endIndex)]),
            query: query.map { String(decoding: $0, as: UTF8.self) },
            queryItems: try query.map(Self.items) ?? [])
    }
}

extension RequestTarget {
    /// Host and the rest of "http://host/rest" (RFC 9112 §3.2.2).
    private static func splitAbsolute(
        _ octets: ArraySlice<UInt8>
    ) throws(ProtocolError) -> (authority: String, rest: ArraySlice<UInt8>) {
        // RFC 9112 §3.2: what is none of the other forms is a URI, and of the schemes of RFC 9110 §4.2.
        guard let colon = octets.firstIndex(of: Octets.colon),
            ["http", "https"].contains(String(decoding: octets[..<colon], as: UTF8.self).lowercased()),
            octets[(colon + 1)...].starts(with: [Octets.slash, Octets.slash])
        else {
            throw .malformed("The target \(Octets.quoted(octets)) begins with neither a slash nor http://.")
        }
        let afterSlashes = octets[(colon + 3)...]
        let end = afterSlashes.firstIndex { $0 == Octets.slash || $0 == UInt8(ascii: "?") } ?? afterSlashes.endIndex
        // RFC 9110 §4.2.1, §4.2.4: a host that is not empty, and no user before it.
        guard Authority.isValid(afterSlashes[..<end]) else {
            throw .malformed("The target has no valid host: \(Octets.quoted(afterSlashes[..<end])).")
        }
        return (String(decoding: afterSlashes[..<end], as: UTF8.self), afterSlashes[end...])
    }

    private static func segments(of path: ArraySlice<UInt8>) throws(ProtocolError) -> [String] {
        // RFC 9112 §3.2: a target is not corrected; RFC 3986 §3.3 says what a path is.
        guard Octets.path.containsAll(path) else {
            throw .malformed("The path has a character that must be percent-encoded (RFC 3986 §3.3).")
        }
        guard path.count > 1 else { return [] }
        var segments: [String] = []
        try checkCount(of: Octets.slash, in: path, "segments in its path")
        for piece in path.dropFirst().split(separator: Octets.slash, omittingEmptySubsequences: false) {
            let segment = try PercentDecoding.decode(piece)
            // RFC 3986 §6.2.2.3 would have dot segments removed; a client has done that (RFC 3986 §5.2.4), and one that has
            // not, or has hidden them behind percent signs, is trying something.
            guard segment != ".", segment != ".." else { throw .malformed("The path has a dot segment.") }
            // RFC 3986 §7.3: control characters behind percent signs are to be refused where nothing expects them.
            guard !segment.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                throw .malformed("The path has an encoded control character.")
            }
            segments.append(segment)
        }
        return segments
    }

    /// Pieces take more memory than their octets: 8,000 of them are no address of anything, but a way to fill it.
    private static func checkCount(
        of separator: UInt8, in octets: ArraySlice<UInt8>, _ what: String
    ) throws(ProtocolError) {
        // RFC 9110 §15.5.15.
        guard octets.count(where: { $0 == separator }) <= 100 else {
            throw ProtocolError(.uriTooLong, "The target has more than 100 \(what).")
        }
    }

    private static func items(of query: ArraySlice<UInt8>) throws(ProtocolError) -> [QueryItem] {
        try checkCount(of: UInt8(ascii: "&"), in: query, "items in its query")
        var items: [QueryItem] = []
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            items.append(
                QueryItem(
                    name: try PercentDecoding.decode(pair[..<equals], plusIsSpace: true),
                    value: try PercentDecoding.decode(pair[equals...].dropFirst(), plusIsSpace: true)))
        }
        return items
    }
}
