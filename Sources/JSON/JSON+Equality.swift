extension JSON: Equatable {
    /// Whether both mean the same JSON value. O(size); NaN equals nothing, as everywhere.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.string(let a), .string(let b)): ExactString(a) == ExactString(b)
        case (.object(let a), .object(let b)): a == b
        case (.numbers(let a), .numbers(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.numbers(let a), .array(let b)), (.array(let b), .numbers(let a)):
            a.count == b.count && zip(a, b).allSatisfy { JSON.double($0) == $1 }
        case (.integer(let a), .integer(let b)): a == b
        case (.integer(let a), _): right.floatingPoint.map { Int(exactly: $0) == a } ?? false
        case (_, .integer(let b)): left.floatingPoint.map { Int(exactly: $0) == b } ?? false
        default:
            if let a = left.floatingPoint, let b = right.floatingPoint { a == b } else { false }
        }
    }

    /// The value of a `double` or `float`.
    private var floatingPoint: Double? {
        switch self {
        case .double(let value): value
        case .float(let value): Double(value)
        default: nil
        }
    }
}

/// A string compared and hashed by its UTF-8 bytes.
///
/// Swift's own `==` holds canonically equivalent strings for equal, RFC 8259 §8.3 compares code unit by code unit.
struct ExactString: Hashable {
    let string: String

    init(_ string: String) { self.string = string }

    static func == (left: ExactString, right: ExactString) -> Bool {
        left.string.utf8.count == right.string.utf8.count && left.string.utf8.elementsEqual(right.string.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var copy = string
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
