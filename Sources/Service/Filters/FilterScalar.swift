internal import JSON

/// A value that metadata is compared with: equal numbers are one value however they are written, and texts compare by their code
/// points.
enum FilterScalar: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Not a whole number that fits `Int`.
    case number(Double)
    /// UTF-8.
    case text([UInt8])

    /// The value of a JSON scalar; nil for arrays and objects.
    init?(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self.init(value)
        case .float(let value): self.init(Double(value))
        case .string(let value): self = .text(Array(value.utf8))
        case .array, .numbers, .object: return nil
        }
    }

    /// A number.
    init(_ number: Double) {
        self = Int(exactly: number).map { .integer($0) } ?? .number(number)
    }

    /// The value as JSON.
    var json: JSON {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .double(value)
        case .text(let value): .string(String(decoding: value, as: UTF8.self))
        }
    }

    /// The value as a number, if it is one.
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// Whether the value is a text.
    var isText: Bool { if case .text = self { true } else { false } }

    /// Whether the value is not greater than another: numbers by value, texts by their code points, so that dates as ISO 8601 writes
    /// them are in order of time; nil where the two can't be compared.
    func isAtMost(_ other: FilterScalar) -> Bool? {
        switch (self, other) {
        case (.integer(let a), .integer(let b)): return a <= b
        // UTF-8 has the order of its code points.
        case (.text(let a), .text(let b)): return !b.lexicographicallyPrecedes(a)
        default:
            guard let a = number, let b = other.number else { return nil }
            return a <= b
        }
    }
}

extension [FilterScalar] {
    /// The same values in one order, so that equal filters are written alike.
    var ordered: Self {
        map { (text: $0.json.text, value: $0) }.sorted { $0.text < $1.text }.map(\.value)
    }
}
