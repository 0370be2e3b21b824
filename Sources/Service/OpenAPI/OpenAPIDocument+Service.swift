internal import JSON

// What the service tells of itself.
extension OpenAPIDocument {
    static let operationsSchemas: Schema.Members = [
        "Information": information, "Live": .object(["status": .constant("live")]),
        "Ready": .object(["status": .constant("ready")]), "Problem": problem,
    ]

    private static let information = Schema.object([
        "name": .constant("influenced"), "version": .string(),
        "store": .object([
            "path": .string(), "writable": .boolean, "bytes": .integer(), "schema_version": .integer(),
        ]),
        "blas": .object([
            "library": .string(), "core": .string().orNull.described("The processor its kernels are for, where it tells."),
            "is_reference": .boolean.described("Whether it is the reference implementation, which is tens of times slower."),
        ]),
        "vector_unit": .string().described("The widest instructions our own kernels use."),
        "threads": .integer(in: 1 ... .max).described("That one computation uses."),
        "memory": .object([
            "held_bytes": .integer().described("Data, models and factors kept in memory."),
            "limit_bytes": .integer().described("What they may take."),
        ]),
        "queue": .object([
            "running": .integer().described("Requests that are being computed."), "waiting": .integer(),
            "workers": .integer(in: 1 ... .max).described("Requests that are computed at a time."),
            "capacity": .integer(in: 1 ... .max).described("Requests that may wait; more are refused with 503."),
        ]),
        "limits": .object([
            "max_tests": count, "max_k": count, "max_groups": count, "max_slices": count, "max_slice_tests": count,
            "max_body_bytes": count, "deadline_ms": count,
            "max_deadline_ms": count,
        ]),
        "methods": .array(of: .choice(of: InfluenceRequest.methods)),
        "solvers": .array(of: .choice(of: InfluenceRequest.solvers)),
    ])

    private static let problem = Schema.object(
        [
            "type": .string(pattern: "^urn:influenced:problem:[a-z0-9-]+$").described("What went wrong, for programs."),
            "title": .string().described("The status in words."),
            "status": .integer(in: 400...599).described("The status of the answer."),
            "detail": .string().described("What went wrong, for people, and what to change."),
        ],
        optional: [
            "instance": .string().described("The target of the request."),
            "id": .string().described("The request's, where it has one."),
            "errors": .array(
                of: .object([
                    "pointer": .string(pattern: "^(?:/|$)").described(
                        "Where in the body (RFC 6901); or, where there is none, a parameter of the query after a slash."),
                    "detail": .string().described("What it should be, and what it is."),
                ]), count: 1 ... .max
            ).described("What is wrong where in the request."),
        ]
    ).described("A refusal (RFC 9457).")

    private static let count = Schema.integer(in: 1 ... .max)
}
