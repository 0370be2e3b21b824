import JSON
import Testing

@testable import Service

/// An object of a request: a body that is accepted, where in it the object stands, and its schema in the OpenAPI document.
struct RequestObject: CustomTestStringConvertible {
    let schema: String
    let body: JSON
    let place: [String]
    let route: QueryRoute

    init(_ schema: String, _ body: JSON, at place: [String] = [], of route: QueryRoute = .influence) {
        (self.schema, self.body, self.place, self.route) = (schema, body, place, route)
    }

    var testDescription: String { schema }

    /// The shortest question.
    static let body: JSON = ["model": "m", "tests": [["dataset": "d", "index": 0]]]

    static let all = byMethod + sets + tests + solvers + others

    private static let indexed: JSON = ["name": "a", "indices": [0]]

    private static func with(_ key: String, _ value: JSON) -> JSON { body.setting(value, at: [key]) }

    private static func slices(_ slice: JSON) -> JSON {
        ["model": "m", "training_slices": [slice], "test_slices": ["dataset": "d", "slices": [indexed]]]
    }

    /// Where the method decides what else may be said.
    private static let byMethod: [RequestObject] = {
        let kinds = InfluenceRequest.Method.kinds
        func objects(_ prefix: String, _ body: JSON, of route: QueryRoute, _ kinds: [any MethodChoice.Type]) -> [RequestObject] {
            kinds.map { kind in
                let named = kind.name == InfluenceMethod.name ? body : body.setting(.string(kind.name), at: ["method"])
                return RequestObject(prefix + kind.schemaName, named, of: route)
            }
        }
        let comparison = with("compare", .array(kinds.map { .string($0.name) }))
        return objects("InfluenceBy", body, of: .influence, kinds) + objects("SlicesBy", slices(indexed), of: .slices, kinds)
            + objects("SelfInfluenceBy", ["model": "m"], of: .selfInfluence, InfluenceRequest.Method.selfScoring)
            + [RequestObject("InfluenceByComparison", comparison)]
    }()

    /// Sets of examples. Of several conditions the later ones may be left out.
    private static let sets: [RequestObject] = {
        let conditions: [JSON] = [
            ["indices": [0]], ["where": ["k": 1], "target": 1, "id": "b"], ["target": 1, "id": "b"], ["id": "b"],
        ]
        var objects = [RequestObject("Candidates/oneOf/0", with("candidates", ["nearest_neighbors": 1]), at: ["candidates"])]
        for (place, condition) in conditions.enumerated() {
            let named = condition.setting("a", at: ["name"])
            objects += [
                RequestObject("Group/oneOf/\(place)", with("groups", [named]), at: ["groups", "0"]),
                RequestObject("Slice/oneOf/\(place)", slices(named), at: ["training_slices", "0"], of: .slices),
                RequestObject("Candidates/oneOf/\(place + 1)", with("candidates", condition), at: ["candidates"]),
            ]
        }
        return objects
    }()

    private static let tests: [RequestObject] = [
        RequestObject("RowTest", body, at: ["tests", "0"]),
        RequestObject("InputTest", with("tests", [["input": [1]]]), at: ["tests", "0"]),
        RequestObject("GradientTest", with("tests", [["gradient": [1]]]), at: ["tests", "0"]),
        RequestObject(
            "Tensor", with("tests", [["input": ["dtype": "float32", "shape": [1], "base64": "AACAPw=="]]]),
            at: ["tests", "0", "input"]),
    ]

    private static let solvers: [RequestObject] = InfluenceRequest.Solver.kinds.map { kind in
        // Whoever names none means the standard one.
        RequestObject(
            kind.schemaName + "Solver", with("solver", kind.name == "lissa" ? [:] : ["name": .string(kind.name)]), at: ["solver"])
    }

    private static let others: [RequestObject] = [
        RequestObject("PredictRequest", body, of: .predict),
        RequestObject("Goal/oneOf/0", with("until", ["rank_stable": true]), at: ["until"]),
        RequestObject("Goal/oneOf/1", with("until", ["relative_error": 0.1]), at: ["until"]),
        RequestObject("ParametersRequest/oneOf/0", ["model": "m", "examples": [0], "groups": [indexed]], of: .parameters),
        RequestObject("ParametersRequest/oneOf/1", ["model": "m", "groups": [indexed]], of: .parameters),
        RequestObject("TestSlices", slices(indexed), at: ["test_slices"], of: .slices),
    ]
}

extension JSON {
    /// The same with another value at a place.
    func setting(_ value: JSON, at place: some Collection<String>) -> JSON {
        guard let key = place.first else { return value }
        let rest = place.dropFirst()
        if let index = Int(key), var elements = arrayValue, elements.indices.contains(index) {
            elements[index] = elements[index].setting(value, at: rest)
            return .array(elements)
        }
        var members = objectValue ?? [:]
        members[key] = (members[key] ?? [:]).setting(value, at: rest)
        return .object(members)
    }
}
