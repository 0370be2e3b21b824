internal import JSON

// Filters in the interface's document.
extension ExampleFilter {
    /// The members that make a filter, none of which must be there.
    static let schema: Schema.Members = [
        "where": Schema.object(isOpen: true).described(
            """
            Conditions on metadata, a member for each key (with dots for nested ones): a value, an array of values of which it is one, or an \
            object of min, max, not and exists. All must hold.
            """),
        "target": condition(.number()).described("A condition on the target."),
        "id": condition(.string()).described("A condition on the id."),
    ]

    private static func condition(_ value: Schema) -> Schema {
        let values = Schema.oneOf([value, .array(of: value, count: 1...limits.values)])
        return .oneOf([
            value, .array(of: value, count: 1...limits.values),
            .request(optional: ["min": value, "max": value, "not": values, "exists": .boolean]),
        ])
    }
}
