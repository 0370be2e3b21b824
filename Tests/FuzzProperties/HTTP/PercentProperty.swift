import HTTP
import HTTPTypes

extension FuzzProperty {
    /// Paths and queries: decoding does what the definition says, octet for octet; it makes nothing longer; and what it gives,
    /// encoded anew and decoded, is the same again. Octets that may not stand in a target are encoded first.
    public static let percent = FuzzProperty("percent") { input throws(Violation) in
        let path = sendable(input, but: "#?")
        if let read = try target(of: "/" + path) {
            let raw = path.isEmpty ? [] : path.split(separator: "/", omittingEmptySubsequences: false)
            try require(read.segments.map(octets) == raw.map { decoded($0) }, "the path \(path) became \(read.segments)")
            try require(
                read.segments.reduce(0) { $0 + $1.utf8.count } <= path.utf8.count, "the path \(path) grew to \(read.segments)")
            let again = "/" + read.segments.map(encoded).joined(separator: "/")
            try require(try target(of: again)?.segments == read.segments, "\(read.segments) as \(again) is not the same")
        }
        let query = sendable(input, but: "#")
        if let read = try target(of: "/?" + query) {
            let raw = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
            let names = raw.map { decoded($0[0], plusIsSpace: true) }
            let values = raw.map { $0.count < 2 ? [] : decoded($0[1], plusIsSpace: true) }
            try require(read.queryItems.map { octets(of: $0.name) } == names, "the query \(query) became \(read.queryItems)")
            try require(read.queryItems.map { octets(of: $0.value) } == values, "the query \(query) became \(read.queryItems)")
            try require(
                (names + values).reduce(0) { $0 + ($1?.count ?? 0) } <= query.utf8.count, "\(query) grew to \(read.queryItems)")
            let again = "/?" + read.queryItems.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
            try require(
                try target(of: again)?.queryItems == read.queryItems, "\(read.queryItems) as \(again) is not the same")
        }
    }

    /// The target of a request for `text`; nil if it was refused.
    private static func target(of text: String) throws(Violation) -> RequestTarget? {
        var limits = HTTPLimits()
        limits.targetBytes = text.utf8.count
        let input = Array("GET \(text) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        let transcript = try RequestTranscript(input, pieces: [0..<input.count], limits: limits)
        if let target = transcript.messages.first?.target { return target }
        try require(transcript.refusal?.status == .badRequest, "\(text) came to \(transcript)")
        return nil
    }

    /// `input` as characters of a target, those in `excluded` and those that are no printable ASCII encoded.
    private static func sendable(_ input: [UInt8], but excluded: String) -> String {
        input.map { octet in
            (0x21...0x7E).contains(octet) && !excluded.utf8.contains(octet)
                ? String(UnicodeScalar(octet)) : escape(octet)
        }.joined()
    }

    /// Octets, because Swift compares text by its meaning.
    private static func octets(of text: String) -> [UInt8] { Array(text.utf8) }

    private static func encoded(_ text: String) -> String { text.utf8.map(escape).joined() }

    private static func escape(_ octet: UInt8) -> String { (octet < 16 ? "%0" : "%") + String(octet, radix: 16) }

    /// RFC 3986 §2.1 word for word; nil for what is not UTF-8.
    private static func decoded(_ text: Substring, plusIsSpace: Bool = false) -> [UInt8]? {
        let pieces = text.split(separator: "%", omittingEmptySubsequences: false).enumerated().map { index, piece -> [UInt8] in
            let octets = piece.utf8.map { plusIsSpace && $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
            guard index > 0 else { return octets }
            return [UInt8(String(decoding: octets.prefix(2), as: UTF8.self), radix: 16) ?? 0] + octets.dropFirst(2)
        }
        return String(validating: pieces.joined(), as: UTF8.self).map(octets)
    }
}
