internal import JSON

// What may be asked about: a row of a dataset, an input, a gradient; and the numbers of the latter two.
extension OpenAPIDocument {
    static var testSchemas: Schema.Members {
        [
            "RowTest": row(contrast), "InputTest": input(contrast), "RowToPredict": row(["versus": .null]),
            "InputToPredict": input(["versus": .null]), "GradientTest": gradientTest, "Numbers": numbers,
            "NumericArray": numericArray, "Tensor": tensor, "Values": values,
        ]
    }

    private static func row(_ contrast: Schema.Members) -> Schema {
        Schema.request(
            [
                "dataset": .string().described("The name of a dataset in the store."),
                "index": .integer().described("The row, from 0."),
            ],
            optional: [
                "target": target.described("The label or value it is judged by; the dataset's by default."), "input": .null,
                "gradient": .null,
            ] + contrast
        ).described("A row of a dataset.")
    }

    private static func input(_ contrast: Schema.Members) -> Schema {
        Schema.request(
            ["input": Schema.named("Numbers").described("As many numbers as the model takes, flat or in its shape.")],
            optional: [
                "target": target.described("The label or value it is judged by; the predicted label by default."),
                "dataset": .null,
                "index": .null, "gradient": .null,
            ] + contrast
        ).described("An input.")
    }

    private static let contrast: Schema.Members = [
        "versus": target.described(
            """
            Why the target and not this label: influence on what is measured of the target less what is measured of this (RelatIF, \
            appendix G).
            """)
    ]

    private static let gradientTest = Schema.request(
        [
            "gradient": Schema.named("Numbers").described(
                """
                ∇ℓ itself: as many numbers as the model has parameters, in their order; or, where `gradients` names a projected \
                cache, as many as its rows have. Then everything is projected to that space, whose curvature is the empirical \
                Fisher matrix of the rows.
                """)
        ],
        optional: ["target": .null, "dataset": .null, "index": .null, "input": .null, "versus": .null]
    ).described("The gradient of a loss.")

    private static let target = Schema.number()
    private static let number = Schema.number(
        in: -Double(Float.greatestFiniteMagnitude)...Double(Float.greatestFiniteMagnitude))

    private static let numbers = Schema.oneOf([.named("NumericArray"), .named("Tensor")])

    private static let numericArray = Schema.oneOf([
        .array(of: number, count: 1 ... .max),
        .array(of: .named("NumericArray"), count: 1 ... .max),
    ]).described(
        "Numbers in single precision, flat or nested in row-major order. Arrays that are siblings have equally many elements.")

    private static let tensor = Schema.object([
        "dtype": .constant("float32"),
        "shape": .array(of: .integer(in: 1...Int(Int32.max)), count: 1...8).described("Extents, outermost first."),
        "base64": .string(pattern: "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$").encoded("base64")
            .described(
                "The numbers in row-major order, 4 bytes each, little-endian. All are finite."),
    ]).described("Numbers in single precision, packed.")

    /// Numbers in an answer: one, or nested arrays of them.
    private static let values = Schema.oneOf([.number(), .array(of: .named("Values"))])
}
