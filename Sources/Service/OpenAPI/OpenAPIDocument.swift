internal import HTTPTypes
internal import JSON

/// The description of the whole interface for programs: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html).
///
/// What a request may say comes from the types that read requests and from the configuration, so that limits and names in the
/// document are those that hold. Tests hold the rest to the routes and the decoders.
struct OpenAPIDocument: Sendable {
    let configuration: ServiceConfiguration

    /// A description of a service that is configured so.
    init(configuration: ServiceConfiguration) { self.configuration = configuration }

    /// The document.
    var json: JSON {
        [
            "openapi": "3.1.1", "info": Self.info, "servers": [["url": "/"]],
            "tags": .array(Tag.allCases.map { ["name": .string($0.rawValue), "description": .string($0.summary)] }),
            "paths": .object(paths),
            "components": [
                "schemas": schemas.json,
                "responses": .object(JSONObject(refusals.map { ($0.name, $0.json) })),
                "headers": .object(JSONObject(Header.allCases.map { ($0.rawValue, $0.json) })),
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer",
                        "description": "An API key, where the service is configured with any; without, every request is let in.",
                    ]
                ],
            ],
        ]
    }

    /// What operations are grouped by.
    enum Tag: String, CaseIterable, Sendable {
        case attribution, catalogue, operations

        var summary: String {
            switch self {
            case .attribution: "What a model says of an input, and which training examples made it say so."
            case .catalogue: "What the store holds."
            case .operations: "How the service does."
            }
        }
    }

    private static let info: JSON = [
        "title": "Influenced", "version": .string(Version.current),
        "summary": "Which training examples moved this prediction, and by how much?",
        "description": """
        Influence functions over HTTP. For a test z and the training examples zᵢ of a model with parameters θ,
        `score` = s_test · gᵢ with s_test = (C + λI)⁻¹ ∇ℓ(z; θ) and gᵢ = ∇ℓ(zᵢ; θ), where C is the curvature of the training \
        objective F(θ) = (1/n) Σ ℓ(zᵢ; θ) + (weight_decay/2)·‖θ‖². A positive score marks a proponent (it lowered the loss of \
        the test), a negative one an opponent. Scores have the unit of the loss (nats for cross entropy) times n; \
        `predicted_loss_change_if_removed` = score / n is in the unit of the loss.

        Bodies are JSON in UTF-8. In requests, a null counts as left out, and unknown members are refused. Times are in \
        milliseconds. Every refusal is an RFC 9457 problem document. Every resource that has GET answers HEAD and OPTIONS as well.
        """,
    ]

    private var paths: JSONObject {
        var paths = JSONObject()
        for operation in operations {
            var item = paths[operation.path]?.objectValue ?? [:]
            item[operation.method.rawValue.lowercased()] = operation.json
            paths[operation.path] = .object(item)
        }
        return paths
    }

    private var schemas: Schema.Members {
        requestSchemas + answerSchemas + parametersSchemas + slicesSchemas + selfInfluenceSchemas + Self.spectrumSchemas
            + Self.catalogueSchemas + Self.operationsSchemas
    }
}
