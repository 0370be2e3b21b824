import JSON

/// Holds values to the schemas of a document: the keywords of JSON Schema (draft 2020-12) that this one uses, each by its definition.
struct SchemaValidator {
    let document: JSON

    /// What is wrong with a value, with the places where.
    func flaws(of value: JSON, by schema: JSON, at place: String = "") -> [String] {
        guard let keywords = schema.objectValue else { return ["\(place): no schema"] }
        var flaws: [String] = []
        for (keyword, argument) in keywords {
            flaws += self.flaws(of: value, keyword, argument, keywords, place)
        }
        return flaws
    }

    /// What is wrong with a value that a component is to describe.
    func flaws(of value: JSON, component name: String) -> [String] {
        flaws(of: value, by: ["$ref": .string("#/components/schemas/\(name)")])
    }

    private func flaws(
        of value: JSON, _ keyword: String, _ argument: JSON, _ keywords: JSONObject, _ place: String
    ) -> [String] {
        func flaw(_ isRight: Bool) -> [String] {
            isRight ? [] : ["\(place): \(keyword) \(argument.text.prefix(60)), not \(value.text.prefix(60))"]
        }
        switch keyword {
        case "$ref":
            guard let target = resolve(argument.stringValue ?? "") else { return ["\(place): \(argument.text) leads nowhere"] }
            return flaws(of: value, by: target, at: place)
        case "type":
            let types = argument.arrayValue?.compactMap(\.stringValue) ?? [argument.stringValue ?? ""]
            return flaw(types.contains { Self.isOf($0, value) })
        case "enum": return flaw(argument.arrayValue?.contains(value) == true)
        case "const": return flaw(argument == value)
        case "minimum": return flaw(value.doubleValue.map { $0 >= argument.doubleValue ?? .infinity } ?? true)
        case "maximum": return flaw(value.doubleValue.map { $0 <= argument.doubleValue ?? -.infinity } ?? true)
        case "exclusiveMinimum": return flaw(value.doubleValue.map { $0 > argument.doubleValue ?? .infinity } ?? true)
        case "exclusiveMaximum": return flaw(value.doubleValue.map { $0 < argument.doubleValue ?? -.infinity } ?? true)
        case "minLength": return flaw(value.stringValue.map { $0.unicodeScalars.count >= argument.integerValue ?? .max } ?? true)
        case "maxLength": return flaw(value.stringValue.map { $0.unicodeScalars.count <= argument.integerValue ?? 0 } ?? true)
        case "minItems": return flaw(value.arrayValue.map { $0.count >= argument.integerValue ?? .max } ?? true)
        case "maxItems": return flaw(value.arrayValue.map { $0.count <= argument.integerValue ?? 0 } ?? true)
        case "items":
            return (value.arrayValue ?? []).enumerated().flatMap { flaws(of: $1, by: argument, at: "\(place)/\($0)") }
        case "required":
            guard let members = value.objectValue else { return [] }
            return (argument.arrayValue ?? []).compactMap(\.stringValue).filter { members[$0] == nil }
                .map { "\(place): has no \($0)" }
        case "properties":
            return (value.objectValue ?? [:]).flatMap { name, member in
                argument[name].map { flaws(of: member, by: $0, at: "\(place)/\(name)") } ?? []
            }
        case "additionalProperties":
            guard argument == false else { return [] }
            return (value.objectValue ?? [:]).map { $0.key }.filter { keywords["properties"]?[$0] == nil }
                .map { "\(place): has \($0), which is not described" }
        case "oneOf":
            let outcomes = (argument.arrayValue ?? []).map { flaws(of: value, by: $0, at: place) }
            let fitting = outcomes.count { $0.isEmpty }
            guard fitting != 1 else { return [] }
            return fitting > 1
                ? ["\(place): \(fitting) of oneOf fit \(value.text.prefix(60))"]
                : ["\(place): none of oneOf fits: " + (outcomes.min { $0.count < $1.count } ?? []).joined(separator: "; ")]
        case "allOf": return (argument.arrayValue ?? []).flatMap { flaws(of: value, by: $0, at: place) }
        case "description", "default", "format", "pattern", "contentEncoding", "examples": return []
        default: return ["\(place): the keyword \(keyword) is not known here"]
        }
    }

    private static func isOf(_ type: String, _ value: JSON) -> Bool {
        switch type {
        case "null": value.isNull
        case "boolean": value.boolValue != nil
        case "string": value.stringValue != nil
        case "integer": value.integerValue != nil
        case "number": value.doubleValue != nil
        case "array": value.arrayValue != nil
        case "object": value.objectValue != nil
        default: false
        }
    }

    private func resolve(_ reference: String) -> JSON? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(Optional(document)) { $0?[String($1)] }
    }
}
