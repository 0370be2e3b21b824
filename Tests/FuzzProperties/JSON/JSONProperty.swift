import JSON

extension FuzzProperty {
    /// A JSON text: what is accepted is within the bounds on depth and number of values, and what is written of it reads back as
    /// an equal value that is written as the same bytes. Numbers are the ones that Swift reads. An error says where and what.
    public static let json = FuzzProperty("json") { input throws(Violation) in
        let value: JSON
        do throws(JSONSyntaxError) { value = try JSON(parsing: input) } catch {
            return try requireReport(error, of: input)
        }
        let size = value.size
        try require(size.depth <= 64, "\(size.depth) arrays and objects stand inside each other")
        let text = value.serialized()
        let again: JSON
        do throws(JSONSyntaxError) { again = try JSON(parsing: text) } catch {
            throw Violation("\(value.text) was written and is not JSON: \(error)")
        }
        try require(again == value, "\(value) became \(again)")
        try require(again.serialized() == text, "\(value.text) is written as \(again.text) the second time")
        try requireBounds(input, size)
        try requireNumbers(input, value)
    }

    private static func requireReport(_ error: JSONSyntaxError, of input: [UInt8]) throws(Violation) {
        try require((0...input.count).contains(error.offset), "an error at \(error.offset) of \(input.count) bytes")
        let before = input.prefix(error.offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        try require(error.line == line && error.column >= 1, "an error at \(error.line):\(error.column), really line \(line)")
        try require(error.reason.isReadable(atMost: 400), "the error says \(error.reason.debugDescription)")
    }

    /// Bounds that are just wide enough do not matter; bounds that are narrower by one do.
    private static func requireBounds(_ input: [UInt8], _ size: (depth: Int, count: Int)) throws(Violation) {
        func isAccepted(_ depth: Int, _ count: Int) -> Bool {
            (try? JSON(parsing: input, maximumDepth: depth, maximumValues: count)) != nil
        }
        try require(isAccepted(size.depth, size.count), "refused at the bounds that it just keeps: \(size)")
        try require(!isAccepted(size.depth, size.count - 1), "accepted with \(size.count) values, one too many")
        try require(size.depth == 0 || !isAccepted(size.depth - 1, size.count), "accepted \(size.depth) deep, one too many")
    }

    /// The number, or the flat array of numbers, that the text is, if it is one, read by Swift's own conversion.
    private static func requireNumbers(_ input: [UInt8], _ value: JSON) throws(Violation) {
        guard let numbers = value.doubleValue.map({ [$0] }) ?? value.numbersValue else { return }
        let texts = input.split { " \t\r\n[],".utf8.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
        try require(texts.count == numbers.count, "\(texts) became \(numbers)")
        for (text, number) in zip(texts, numbers) {
            let expected = Double(text)
            // An integer keeps no sign of zero.
            let isSame = expected?.bitPattern == number.bitPattern || (expected == 0 && number == 0 && value.integerValue == 0)
            try require(isSame, "\(text) became \(number)")
        }
    }
}

extension JSON {
    /// How many arrays and objects stand inside each other, and how many values there are, counting this one.
    fileprivate var size: (depth: Int, count: Int) {
        func size(of elements: some Sequence<JSON>) -> (depth: Int, count: Int) {
            elements.map(\.size).reduce((1, 1)) { (max($0.0, $1.depth + 1), $0.1 + $1.count) }
        }
        return switch self {
        case .object(let members): size(of: members.map(\.value))
        case .array(let elements): size(of: elements)
        case .numbers(let numbers): (1, numbers.count + 1)
        case .null, .bool, .integer, .double, .float, .string: (0, 1)
        }
    }
}
