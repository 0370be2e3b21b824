import HTTPTypes

extension RequestHead {
    /// Puts a head together from its request line and its fields, as they were received.
    ///
    /// - Throws: What the fields are to be refused for, taken together: Host, framing.
    init(
        line: RequestLine, fields: HTTPFields, limits: HTTPLimits, peer: String
    ) throws(ProtocolError) {
        let host = try Self.host(in: fields, version: line.version)
        framing = try Self.framing(of: fields, version: line.version, limits: limits)
        keepsAlive = Self.keepsAlive(fields, version: line.version)
        expectation = Self.expectation(in: fields, version: line.version)
        target = line.target
        version = line.version
        self.peer = peer
        var rest = fields
        rest[fields: .hostField] = []
        // RFC 9112 §3.2.2: the authority of an absolute target takes the place of the Host field's.
        message = HTTPRequest(
            method: line.method, scheme: "http", authority: line.target.authority ?? host, path: line.target.raw,
            headerFields: rest)
    }

    /// The Host field's value, or nil for a request of version 1.0 without one.
    private static func host(in fields: HTTPFields, version: HTTPVersion) throws(ProtocolError) -> String? {
        let hosts = fields[fields: .hostField]
        // RFC 9112 §3.2: 400 for a 1.1 request without Host, for more than one Host, and for one that is invalid.
        guard hosts.count <= 1 else { throw .malformed("There is more than one Host field.") }
        guard let host = hosts.first else {
            if version == .http10 { return nil }
            throw .malformed("There is no Host field.")
        }
        let octets = Array(host.octets)
        guard Authority.isValid(octets[...]) else {
            throw .malformed("The Host field \(Octets.quoted(octets)) is not host or host:port.")
        }
        return host.value
    }

    /// How the body ends. Whatever two recipients could understand differently is refused: that difference is what
    /// request smuggling lives on (RFC 9112 §11.2).
    private static func framing(
        of fields: HTTPFields, version: HTTPVersion, limits: HTTPLimits
    ) throws(ProtocolError) -> Framing {
        let lengths = fields[fields: .contentLength]
        guard fields.contains(.transferEncoding) else {
            // RFC 9112 §6.3 item 5: lengths that differ or are invalid are an error that cannot be recovered from; equal
            // ones may be taken as one, which is not worth the risk.
            guard lengths.count <= 1 else { throw .malformed("There is more than one Content-Length field.") }
            guard let length = lengths.first else { return .none }
            return .length(try contentLength(length.octets, limits: limits))
        }
        // RFC 9112 §6.1: with both, a server may reject the request, and no client has a reason to send both.
        guard lengths.isEmpty else { throw .malformed("There are both Content-Length and Transfer-Encoding.") }
        // RFC 9112 §6.1: a 1.0 message with Transfer-Encoding has faulty framing.
        guard version == .http11 else { throw .malformed("Transfer-Encoding does not exist in HTTP/1.0.") }
        try checkCodings(fields[fields: .transferEncoding])
        return .chunked
    }

    /// RFC 9110 §8.6: `1*DIGIT`, no sign, no list; any size must be survived.
    private static func contentLength(_ octets: some Collection<UInt8>, limits: HTTPLimits) throws(ProtocolError) -> Int {
        guard !octets.isEmpty, octets.count <= 19, octets.allSatisfy(Octets.isDigit),
            let length = Int(String(decoding: octets, as: UTF8.self))
        else { throw .malformed("The Content-Length \(Octets.quoted(Array(octets))) is not a length in decimal digits.") }
        guard length <= limits.bodyBytes else { throw .bodyTooLarge(limits.bodyBytes) }
        return length
    }

    /// Passes `chunked`, in any case, and nothing else.
    private static func checkCodings(_ fields: [HTTPField]) throws(ProtocolError) {
        let codings = fields.flatMap { $0.octets.split(separator: Octets.comma, omittingEmptySubsequences: false) }
            .map { Octets.lowercased(Octets.trimmed($0)) }
        // RFC 9112 §6.3 item 4: if chunked is not the last coding, the length cannot be known: 400. §7.1: chunked is not
        // applied twice.
        guard codings.last == "chunked", codings.count(where: { $0 == "chunked" }) == 1, !codings.contains("") else {
            throw .malformed("Transfer-Encoding must be chunked, once and last.")
        }
        // RFC 9112 §6.1: 501 for a coding that is not understood.
        guard codings.count == 1 else {
            throw ProtocolError(.notImplemented, "The only transfer coding implemented is chunked.")
        }
    }

    /// RFC 9112 §9.3: `close` ends it in any version; 1.1 goes on by default, 1.0 with `keep-alive` only.
    private static func keepsAlive(_ fields: HTTPFields, version: HTTPVersion) -> Bool {
        let options = fields.listElements(of: .connection)
        return !options.contains("close") && (version == .http11 || options.contains("keep-alive"))
    }

    /// RFC 9110 §10.1.1; a 100-continue in a 1.0 request is to be ignored.
    private static func expectation(in fields: HTTPFields, version: HTTPVersion) -> Expectation {
        guard fields.contains(.expect) else { return .none }
        guard fields.listElements(of: .expect) == ["100-continue"] else { return .unsupported }
        return version == .http11 ? .continue : .none
    }
}

extension ProtocolError {
    /// RFC 9110 §15.5.14.
    static func bodyTooLarge(_ limit: Int) -> ProtocolError {
        ProtocolError(.contentTooLarge, "The body is larger than the limit of \(limit) octets.")
    }
}

extension HTTPField.Name {
    /// Host, which HTTPTypes knows as the authority of a request only. The name is a token, so it is never nil.
    static let hostField = HTTPField.Name("Host")!
}

extension HTTPField {
    /// The value's octets, which need not be UTF-8.
    var octets: [UInt8] { withUnsafeBytesOfValue { Array($0) } }
}

extension HTTPFields {
    /// The elements of the comma-separated list in all fields called `name`, A to Z lower-cased; RFC 9110 §5.6.1.
    func listElements(of name: HTTPField.Name) -> [String] {
        self[fields: name].flatMap { $0.octets.split(separator: Octets.comma) }
            .map { Octets.lowercased(Octets.trimmed($0)) }.filter { !$0.isEmpty }
    }
}
