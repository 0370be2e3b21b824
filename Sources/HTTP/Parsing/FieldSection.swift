import HTTPTypes

/// The field lines of a header or trailer section, taken in one by one and held to the limits.
struct FieldSection: Sendable {
    /// The fields so far, in their order.
    private(set) var fields = HTTPFields()
    private var bytes = 0
    private let limits: HTTPLimits

    /// An empty section.
    init(limits: HTTPLimits) { self.limits = limits }

    /// The longest line that may come next.
    var lineLimit: Int { min(limits.fieldBytes, limits.headerSectionBytes - bytes) }

    /// Takes in a line that is not empty.
    ///
    /// - Throws: 400 for a line that is no field (RFC 9112 §5), 431 for one too many (RFC 6585 §5).
    mutating func add(line: [UInt8]) throws(ProtocolError) {
        // RFC 9112 §2.2 and §5.2: whitespace before the first field, or a line folded into the one before it.
        if line.first == Octets.space || line.first == Octets.tab {
            throw .malformed("A header line begins with whitespace; folded lines are obsolete.")
        }
        guard let colon = line.firstIndex(of: Octets.colon) else {
            throw .malformed("The header line \(Octets.quoted(line)) has no colon.")  // RFC 9112 §5
        }
        // RFC 9112 §5.1: no whitespace between name and colon; RFC 9110 §5.1: a name is a token.
        guard colon > 0, Octets.token.containsAll(line[..<colon]),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else { throw .malformed("\(Octets.quoted(line[..<colon])) is not a field name.") }

        // RFC 9110 §5.4: fields beyond what the server wishes to process are refused; RFC 6585 §5: with 431.
        guard fields.count < limits.fieldCount else {
            throw ProtocolError(.requestHeaderFieldsTooLarge, "There are more than \(limits.fieldCount) fields.")
        }
        bytes += line.count + 2
        guard bytes <= limits.headerSectionBytes else { throw Self.tooLarge(limits) }
        fields.append(HTTPField(name: name, value: Octets.trimmed(line[(colon + 1)...])))
    }

    /// What a fault in a line of the section comes to (RFC 9112 §2.2, RFC 9110 §5.5).
    func refusal(of fault: LineReader.Fault) -> ProtocolError {
        guard fault == .tooLong else { return .malformed(fault.detail) }
        return Self.tooLarge(limits)
    }

    /// RFC 6585 §5.
    private static func tooLarge(_ limits: HTTPLimits) -> ProtocolError {
        ProtocolError(
            .requestHeaderFieldsTooLarge,
            "A field is longer than \(limits.fieldBytes) octets, or all together are than \(limits.headerSectionBytes).")
    }
}
