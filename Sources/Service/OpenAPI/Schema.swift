internal import JSON

/// A JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1), written shortly.
///
/// Objects allow no members but the ones named: requests are refused for others, and answers have no others.
struct Schema: Sendable {
    /// The schema itself.
    private(set) var keywords: JSONObject

    /// As JSON.
    var json: JSON { .object(keywords) }

    private init(_ keywords: JSONObject) { self.keywords = keywords }

    /// Schemas by name, in their order: an object's members, a document's components.
    struct Members: ExpressibleByDictionaryLiteral, Sendable {
        var list: [(name: String, schema: Schema)]

        init(dictionaryLiteral members: (String, Schema)...) { list = members.map { (name: $0.0, schema: $0.1) } }

        /// Each name with its schema.
        var json: JSON { .object(JSONObject(list.map { ($0.name, $0.schema.json) })) }

        /// Whether there is one of that name.
        func has(_ name: String) -> Bool { list.contains { $0.name == name } }

        /// All of several, of those that share a name the first.
        static func union(of sets: [Members]) -> Members {
            sets.reduce(into: [:]) { union, set in union.list += set.list.filter { !union.has($0.name) } }
        }

        static func + (left: Members, right: Members) -> Members {
            var sum = left
            sum.list += right.list
            return sum
        }
    }
}

// Values without parts.
extension Schema {
    static let boolean = Schema(["type": "boolean"])

    /// A string; lengths are in characters (Unicode scalars), as JSON Schema counts.
    static func string(count: ClosedRange<Int>? = nil, pattern: String? = nil, format: String? = nil) -> Schema {
        var keywords: JSONObject = ["type": "string"]
        if let count {
            keywords["minLength"] = .integer(count.lowerBound)
            keywords["maxLength"] = .integer(count.upperBound)
        }
        if let pattern { keywords["pattern"] = .string(pattern) }
        if let format { keywords["format"] = .string(format) }
        return Schema(keywords)
    }

    /// A string, a number, a boolean or null.
    static let scalar = Schema(["type": ["string", "number", "boolean", "null"]])

    /// A string or a number.
    static let stringOrNumber = Schema(["type": ["string", "number"]])

    /// One of some words.
    static func choice(of words: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(words.map { .string($0) })])
    }

    /// One of an enumeration's raw values.
    static func choice<Choice: RawRepresentable<String> & CaseIterable>(of: Choice.Type) -> Schema {
        choice(of: Choice.allCases.map(\.rawValue))
    }

    /// This value and no other.
    static func constant(_ value: JSON) -> Schema { Schema(["const": value]) }

    /// A whole number. The upper bound is always said, because `Int` ends where JSON does not.
    static func integer(in range: ClosedRange<Int> = 0 ... .max) -> Schema {
        var keywords: JSONObject = ["type": "integer"]
        if range.lowerBound > .min { keywords["minimum"] = .integer(range.lowerBound) }
        keywords["maximum"] = .integer(range.upperBound)
        return Schema(keywords)
    }

    /// A finite number.
    static func number(in range: ClosedRange<Double>? = nil, atLeast: Double? = nil, above: Double? = nil, below: Double? = nil)
        -> Schema
    {
        var keywords: JSONObject = ["type": "number"]
        if let minimum = range?.lowerBound ?? atLeast { keywords["minimum"] = .double(minimum) }
        if let range { keywords["maximum"] = .double(range.upperBound) }
        if let above { keywords["exclusiveMinimum"] = .double(above) }
        if let below { keywords["exclusiveMaximum"] = .double(below) }
        return Schema(keywords)
    }
}

// Values made of others.
extension Schema {
    /// An array, each element after the same schema.
    static func array(of elements: Schema, count: ClosedRange<Int> = 0 ... .max) -> Schema {
        var keywords: JSONObject = ["type": "array", "items": elements.json]
        if count.lowerBound > 0 { keywords["minItems"] = .integer(count.lowerBound) }
        if count.upperBound < .max { keywords["maxItems"] = .integer(count.upperBound) }
        return Schema(keywords)
    }

    /// An object of any members, each after the same schema.
    static func map(to values: Schema, count: ClosedRange<Int>) -> Schema {
        Schema([
            "type": "object", "additionalProperties": values.json, "minProperties": .integer(count.lowerBound),
            "maxProperties": .integer(count.upperBound),
        ])
    }

    /// An object of these members and no others, unless it is open.
    static func object(_ required: Members = [:], optional: Members = [:], isOpen: Bool = false) -> Schema {
        var keywords: JSONObject = ["type": "object", "properties": (required + optional).json]
        if !required.list.isEmpty { keywords["required"] = .array(required.list.map { .string($0.name) }) }
        keywords["additionalProperties"] = .bool(isOpen)
        return Schema(keywords)
    }

    /// An object of a request: what may be left out may as well be null.
    static func request(_ required: Members = [:], optional: Members = [:]) -> Schema {
        var nullable = optional
        nullable.list = optional.list.map { (name: $0.name, schema: $0.schema.orNull) }
        return object(required, optional: nullable)
    }

    /// Exactly one of several.
    static func oneOf(_ schemas: [Schema]) -> Schema { Schema(["oneOf": .array(schemas.map(\.json))]) }

    /// Exactly one of several components.
    static func oneOf(of components: Members) -> Schema { oneOf(components.list.map { named($0.name) }) }

    /// What may be `"auto"`, as it is where nothing is said.
    static func automatic(_ schema: Schema) -> Schema { oneOf([schema, .constant("auto")]).defaulting(to: "auto") }

    /// All of several at once.
    static func allOf(_ schemas: [Schema]) -> Schema { Schema(["allOf": .array(schemas.map(\.json))]) }

    /// A schema among the document's components.
    static func named(_ name: String) -> Schema { Schema(["$ref": .string("#/components/schemas/\(name)")]) }

    /// Null and nothing else.
    static let null = Schema(["type": "null"])
}

// What is said about a schema.
extension Schema {
    /// The same with a description in CommonMark.
    func described(_ text: String) -> Schema { with("description", .string(text)) }

    /// The same with the value that stands in where none is given.
    func defaulting(to value: JSON) -> Schema { with("default", value) }

    /// The same array, no element twice.
    var unique: Schema { with("uniqueItems", true) }

    /// The same with a value in another encoding inside its strings (RFC 4648 for base64).
    func encoded(_ encoding: String) -> Schema { with("contentEncoding", .string(encoding)) }

    /// This or null.
    var orNull: Schema {
        var schema = self
        if let type = keywords["type"]?.stringValue {
            guard type != "null" else { return self }
            schema.keywords["type"] = [.string(type), "null"]
            if let words = keywords["enum"]?.arrayValue { schema.keywords["enum"] = .array(words + [.null]) }
            return schema
        }
        if let choices = keywords["oneOf"]?.arrayValue {
            schema.keywords["oneOf"] = .array(choices + [Schema.null.json])
            return schema
        }
        // What is said about it goes with the choice, not with its half.
        var choice = JSONObject()
        for word in ["description", "default"] {
            choice[word] = keywords[word]
            schema.keywords[word] = nil
        }
        choice["oneOf"] = [schema.json, Schema.null.json]
        return Schema(choice)
    }

    private func with(_ keyword: String, _ value: JSON) -> Schema {
        var schema = self
        schema.keywords[keyword] = value
        return schema
    }
}
