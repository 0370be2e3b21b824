import Crypto
public import Foundation

/// A SHA-256 digest (FIPS 180-4): the identity of stored content, or of everything a derived value depends on.
public struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
    /// Bytes in a digest.
    public static let byteCount = 32

    /// The digest, `byteCount` bytes.
    public let bytes: Data

    /// The digest whose bytes these are; nil unless there are exactly ``byteCount``.
    public init?(bytes: Data) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Data(bytes)
    }

    /// The digest of `content`.
    public init(of content: some DataProtocol) {
        bytes = Data(SHA256.hash(data: content))
    }

    /// The digest of a list of texts, order and boundaries included: no two different lists are hashed as the same bytes.
    ///
    /// Make the key of a cache or a derived value this way, from everything that determines it.
    public init(ofParts parts: [String]) {
        var hasher = ContentHasher()
        for part in parts { hasher.update(text: part) }
        self = hasher.finalize()
    }

    /// The digest in 64 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// Hashes content that comes in pieces.
struct ContentHasher {
    private var hash = SHA256()

    /// Adds bytes as they are.
    mutating func update(bytes: some DataProtocol) {
        hash.update(data: bytes)
    }

    /// Adds a text preceded by its length in bytes, so that neighbouring texts cannot run into each other.
    mutating func update(text: String) {
        hash.update(data: Data("\(text.utf8.count):\(text)".utf8))
    }

    /// The digest of all that was added.
    func finalize() -> ContentDigest {
        ContentDigest(finished: Data(hash.finalize()))
    }
}

extension ContentDigest {
    /// A digest that SHA-256 itself has just made, and whose length needs no check.
    fileprivate init(finished bytes: Data) {
        self.bytes = bytes
    }
}
