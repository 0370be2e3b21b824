internal import HTTPTypes

/// The name by which a request is found again in the logs: the client's own (X-Request-Id), or one that is made here.
///
/// A client's is taken only where it is plain: it goes into logs and comes back in the answer, and must not say anything there
/// but itself.
struct RequestIdentifier: Hashable, Sendable, CustomStringConvertible {
    /// The field that carries it, in requests and answers.
    static let fieldName = HTTPField.Name("X-Request-Id")!
    /// The longest that is taken from a client.
    static let maximumLength = 128

    /// The identifier itself.
    let description: String

    /// A new one: 128 random bits as 32 hexadecimal digits.
    init() {
        description = Hexadecimal.text(IdentifierBits.next() as UInt128)
    }

    /// A client's, or nil unless it is 1 to 128 characters of `A-Z a-z 0-9 . _ : -`.
    init?(_ text: String) {
        guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = text
    }

    /// The one that a request carries, or a new one where it carries none, several, or one that is not plain.
    init(of fields: HTTPFields) {
        // Several fields come joined by commas, which are not allowed.
        self = fields[Self.fieldName].flatMap(RequestIdentifier.init(_:)) ?? RequestIdentifier()
    }

    private static func isAllowed(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
