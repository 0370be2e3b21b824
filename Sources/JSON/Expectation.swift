/// The words for what a value should be: "an integer from 1 to 1000".
enum Expectation {
    static func integer(in range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "an integer"
        case (.min, let upper): "an integer of at most \(upper)"
        case (let lower, .max): "an integer of at least \(lower)"
        case (let lower, let upper): "an integer from \(lower) to \(upper)"
        }
    }

    static func number(in range: ClosedRange<Double>) -> String {
        // The least positive numbers as bounds are how a closed range says "above 0".
        let isPositive = range.lowerBound == .leastNonzeroMagnitude || range.lowerBound == .leastNormalMagnitude
        let lower =
            isPositive ? "above 0" : range.lowerBound > -.greatestFiniteMagnitude ? "of at least \(plain(range.lowerBound))" : nil
        let upper = range.upperBound < .greatestFiniteMagnitude ? "at most \(plain(range.upperBound))" : nil
        switch (lower, upper) {
        case (nil, nil): return "a finite number"
        case (nil, let upper?): return "a number of \(upper)"
        case (let lower?, nil): return "a number \(lower)"
        case (let lower?, let upper?):
            return isPositive
                ? "a number \(lower) and \(upper)" : "a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
        }
    }

    static func choice(of choices: [String]) -> String {
        choices.count == 1 ? "\"\(choices[0])\"" : "one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    static func array(of plural: String, count: ClosedRange<Int>) -> String {
        switch (count.lowerBound, count.upperBound) {
        case (0, .max): "an array of \(plural)"
        case (0, let upper): "an array of at most \(upper) \(plural)"
        case (1, .max): "an array of \(plural), not an empty one"
        case (let lower, .max): "an array of at least \(lower) \(plural)"
        case (let lower, let upper) where lower == upper: "an array of \(upper) \(plural)"
        case (let lower, let upper): "an array of \(lower) to \(upper) \(plural)"
        }
    }

    /// A number as a person writes it: without the fraction of a whole one.
    private static func plain(_ number: Double) -> String {
        Int(exactly: number).map(\.description) ?? number.description
    }
}

extension JSON {
    /// The value in a few words, for messages: scalars as they are written, strings shortened and with nothing in them that a
    /// terminal would obey, the rest by kind and size.
    var abbreviated: String {
        switch self {
        // An array of numbers holds whole ones as any others.
        case .double(let value): Int(exactly: value).map(\.description) ?? text
        case .null, .bool, .integer, .float: text
        case .string(let value):
            (value.unicodeScalars.count <= 40 ? self : .string(String(value.unicodeScalars.prefix(39)) + "…")).plainText
        case .array(let elements) where elements.isEmpty: "an empty array"
        case .array(let elements): "an array of \(elements.count) value\(elements.count == 1 ? "" : "s")"
        case .numbers(let elements): "an array of \(elements.count) number\(elements.count == 1 ? "" : "s")"
        case .object: "an object"
        }
    }

    /// The text with those control characters escaped that JSON does not ask to escape: delete, C1, line and paragraph separators,
    /// directional marks (Unicode Standard Annex 9 §2). They can only be inside a string.
    private var plainText: String {
        text.unicodeScalars.reduce(into: "") { plain, scalar in
            switch scalar.value {
            case 0x7F..<0xA0: plain += "\\u00" + String(scalar.value, radix: 16)
            case 0x2028...0x202E, 0x2066...0x2069: plain += "\\u" + String(scalar.value, radix: 16)
            default: plain.unicodeScalars.append(scalar)
            }
        }
    }
}
