extension JSON {
    /// The string, if it is one.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

    /// The truth value, if it is one.
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The object, if it is one.
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// Whether it is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The number as an integer, where it is a whole one that fits: 5 and 5.0 alike.
    public var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int(exactly: value)
        case .float(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, rounded to `Double` if it is an integer beyond 2⁵³.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .float(let value): Double(value)
        default: nil
        }
    }

    /// The elements, if it is an array of any kind. O(n) for `numbers`.
    public var arrayValue: [JSON]? {
        switch self {
        case .array(let elements): elements
        case .numbers(let elements): elements.map(JSON.double)
        default: nil
        }
    }

    /// The elements as numbers, if it is an array of nothing else (the empty array included).
    public var numbersValue: [Double]? {
        switch self {
        case .numbers(let elements): return elements
        case .array(let elements):
            var numbers: [Double] = []
            numbers.reserveCapacity(elements.count)
            for element in elements {
                guard let number = element.doubleValue else { return nil }
                numbers.append(number)
            }
            return numbers
        default: return nil
        }
    }

    /// The member named `key`; nil if this is no object or has no such member.
    public subscript(key: String) -> JSON? { objectValue?[key] }

    /// The element at `index`; nil if this is no array or too short.
    public subscript(index: Int) -> JSON? {
        switch self {
        case .array(let elements): elements.indices.contains(index) ? elements[index] : nil
        case .numbers(let elements): elements.indices.contains(index) ? .double(elements[index]) : nil
        default: nil
        }
    }
}
