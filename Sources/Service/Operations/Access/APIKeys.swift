internal import Crypto
internal import HTTPTypes

/// The keys that requests may come with, as bearer tokens (RFC 6750).
///
/// Only their SHA-256 digests are kept: what is in memory, or in a dump of it, opens nothing. A key is random and long, so that
/// a plain digest of it cannot be searched for, as that of a password could.
struct APIKeys: Sendable {
    /// The shortest key that is taken, in characters.
    static let minimumLength = 16

    private struct Entry: Sendable {
        let name: String
        let digest: SHA256.Digest
    }

    private let entries: [Entry]

    /// The names of the keys, in their order. A key without one goes by its place: "key-3".
    var names: [String] { entries.map(\.name) }

    /// How keys are written down.
    enum Source: Sendable {
        /// In a file: one a line.
        case file
        /// In an environment variable: separated by commas or line ends.
        case environment

        fileprivate var place: String { self == .file ? "line" : "entry" }
    }

    /// Reads keys from `text`.
    ///
    /// Each is `key` or `name:key`, with white space around them as one likes. Blank lines are passed over, and so is what
    /// follows a `#` at the start of a line or after white space. A name is 1 to 64 characters of `A-Z a-z 0-9 . _ -`; a key is
    /// at least 16 characters of a bearer token's (RFC 6750 section 2.1), since no request could carry others.
    ///
    /// - Throws: Where a key or a name is not as it must be or is there twice, and where there is no key at all.
    init(_ text: String, from source: Source) throws(APIKeysError) {
        var entries: [Entry] = []
        var places: [String: Int] = [:]
        let pieces = text.split(omittingEmptySubsequences: false) { $0.isNewline || (source == .environment && $0 == ",") }
        for (index, piece) in pieces.enumerated() {
            let line = Self.trimmed(Self.withoutComment(piece))
            if line.isEmpty { continue }
            func failure(_ detail: String) -> APIKeysError {
                APIKeysError(place: "\(source.place) \(index + 1)", detail: detail)
            }
            var (name, key) = ("key-\(index + 1)", line)
            if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
                name = String(Self.trimmed(line[..<colon]))
                key = Self.trimmed(line[line.utf8.index(after: colon)...])
                guard Self.isName(name) else {
                    throw failure("the name before the colon must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
                }
            }
            if let wrong = Self.fault(of: key) { throw failure(wrong) }
            if let first = places.updateValue(index + 1, forKey: name) {
                throw failure("the name is that of \(source.place) \(first) already; give each key its own")
            }
            let digest = SHA256.hash(data: Array(key.utf8))
            if let other = entries.first(where: { $0.digest == digest }), let first = places[other.name] {
                throw failure("the key is that of \(source.place) \(first) again; remove one of the two")
            }
            entries.append(Entry(name: name, digest: digest))
        }
        guard !entries.isEmpty else {
            throw APIKeysError(place: nil, detail: "there is none; write at least one, or do not configure keys")
        }
        self.entries = entries
    }

    /// The name of the key that the value of an Authorization field carries, or nil where it carries none of these.
    ///
    /// The key is compared with all of them, each time in full: how long it takes says nothing about how close it is.
    func match(authorization value: String) -> String? {
        guard let token = BearerToken(value) else { return nil }
        let digest = SHA256.hash(data: token.octets)
        var name: String?
        // Digests of swift-crypto compare in constant time.
        for entry in entries where entry.digest == digest { name = entry.name }
        return name
    }

    private static func fault(of key: Substring) -> String? {
        guard key.utf8.count >= minimumLength else {
            return "the key has \(key.utf8.count) characters; it must have at least \(minimumLength)"
        }
        guard BearerToken.isToken(key.utf8) else {
            return "the key has a character that a bearer token cannot have; use A-Z a-z 0-9 - . _ ~ + / and = at the end"
        }
        return nil
    }

    private static func withoutComment(_ line: Substring) -> Substring {
        var wasSpace = true
        for index in line.indices {
            if line[index] == "#", wasSpace { return line[..<index] }
            wasSpace = line[index].isWhitespace
        }
        return line
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "._-".utf8.contains(octet)
                }
            }
    }
}
