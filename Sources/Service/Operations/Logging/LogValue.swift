internal import Logging

/// A value of a record's metadata, as it is written.
enum LogValue: Equatable, Sendable {
    /// Text, which is yet to be escaped.
    case text(String)
    /// A number or truth value, which JSON has too.
    case literal(String)
    /// A list or table, as JSON text.
    case structure([UInt8])

    /// The most octets that one value may take in a line.
    static let limit = 4_096
    /// How deep lists and tables may lie in each other; what is deeper is written as "…".
    private static let maximumDepth = 8

    /// The value of a piece of metadata. A list or table that takes more octets than a value may becomes text, which can be cut.
    init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .text(text)
        case .stringConvertible(let value): self = Self.literal(of: value).map { .literal($0) } ?? .text("\(value)")
        case .array, .dictionary:
            var json: [UInt8] = []
            Self.append(value, depth: 0, to: &json)
            self = json.count <= Self.limit ? .structure(json) : .text(String(decoding: json.prefix(Self.limit), as: UTF8.self))
        }
    }

    /// A number or truth value as JSON writes it, or nil where `value` is something else.
    static func literal(of value: any CustomStringConvertible) -> String? {
        switch value {
        case let number as Int: number.description
        case let number as Double: number.isFinite ? number.description : nil
        case let flag as Bool: flag.description
        default: nil
        }
    }

    private static func append(_ value: Logger.MetadataValue, depth: Int, to json: inout [UInt8]) {
        // Whatever is beyond the limit is cut off later.
        guard json.count <= limit else { return }
        guard depth < maximumDepth else { return LogText.appendQuoted("…", limit: 8, to: &json) }
        switch value {
        case .string(let text): LogText.appendQuoted(text, limit: limit, to: &json)
        case .stringConvertible(let value):
            if let literal = literal(of: value) {
                json.append(contentsOf: literal.utf8)
            } else {
                LogText.appendQuoted("\(value)", limit: limit, to: &json)
            }
        case .array(let values):
            json.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                append(value, depth: depth + 1, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .dictionary(let members):
            json.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                LogText.appendQuoted(member.key, limit: limit, to: &json)
                json.append(UInt8(ascii: ":"))
                append(member.value, depth: depth + 1, to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }
}
