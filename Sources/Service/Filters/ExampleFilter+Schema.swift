internal import JSON

// Filters and sets of examples in the interface's document. What JSON Schema says of one member because of another it says by
// alternatives, none of which holds where another does.
extension ExampleFilter {
    /// The members that make a filter, of which there is one at least: by the first that there is.
    static let schemas: [(required: Schema.Members, optional: Schema.Members)] = {
        let `where`: Schema.Members = [
            "where": .map(to: condition(.scalar, bounds: .stringOrNumber), count: 1...limits.keys).described(
                """
                Conditions on metadata, a member for each key (with dots for nested ones): a value, an array of values of which it is one, or \
                an object of min, max, not and exists. All must hold.
                """)
        ]
        let target: Schema.Members = ["target": condition(.number(), bounds: .number()).described("A condition on the target.")]
        let id: Schema.Members = ["id": condition(.string(), bounds: .string()).described("A condition on the id.")]
        return [
            (`where`, target + id), (target, ["where": .null] + id), (id, ["where": .null, "target": .null]),
        ]
    }()

    /// None of these members.
    static let nulls: Schema.Members = ["where": .null, "target": .null, "id": .null]

    private static func condition(_ value: Schema, bounds bound: Schema) -> Schema {
        let several = Schema.array(of: value, count: 1...limits.values)
        let bounds: Schema.Members = ["min": bound.orNull, "max": bound.orNull]
        let exists: Schema.Members = ["exists": .oneOf([.constant(true), .null])]
        // A null is a value to `not`.
        return .oneOf([
            value, several,
            .object(["not": .oneOf([value, several])], optional: bounds + exists),
            .object(["min": bound], optional: ["max": bound.orNull] + exists),
            .object(["max": bound], optional: ["min": .null] + exists),
            .object(["exists": .boolean], optional: ["min": .null, "max": .null]),
        ])
    }
}

extension ExampleSet {
    /// The members that make a set: indices, or those of a filter.
    static func schemas(_ indices: String) -> [(required: Schema.Members, optional: Schema.Members)] {
        let list = Schema.array(of: .integer(in: 0...Int(Int32.max)), count: 1 ... .max).described(indices)
        let these: (required: Schema.Members, optional: Schema.Members) = (["indices": list], ExampleFilter.nulls)
        return [these]
            + ExampleFilter.schemas.map { ($0.required, ["indices": .null] + $0.optional) }
    }

    /// None of these members.
    static let nulls: Schema.Members = ["indices": .null] + ExampleFilter.nulls
}
