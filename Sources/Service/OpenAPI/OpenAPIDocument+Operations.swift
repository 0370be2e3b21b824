internal import HTTPTypes
internal import JSON

// The routes.
extension OpenAPIDocument {
    /// Every route there is, in the order of the document.
    var operations: [OpenAPIOperation] { computing + [parameters, slices, selfInfluence, spectrum] + catalogue + operational }

    private var computing: [OpenAPIOperation] {
        [
            OpenAPIOperation(
                method: .post, path: "/influence", id: "influence", tag: .attribution,
                summary: "Which training examples moved these predictions, and by how much?",
                description: """
                    Scores training examples by one method or several, and lists the strongest of each sign; by default by influence, which \
                    solves for s_test and scores along it.
                    """,
                body: .init(schema: "InfluenceRequest", examples: RequestExample.influence),
                answer: .init(
                    description:
                        "The strongest proponents and opponents of each test; of each method, where several are compared.",
                    schema: .oneOf([.named("InfluenceAnswer"), .named("ComparisonAnswer")]),
                    headers: [.serverTiming]),
                refusals: refusals),
            OpenAPIOperation(
                method: .post, path: "/predict", id: "predict", tag: .attribution,
                summary: "What does a model say of these inputs?",
                description: "Outputs, probabilities, the predicted label, and the loss where there is a target.",
                body: .init(schema: "PredictRequest", examples: RequestExample.predict),
                answer: .init(
                    description: "What the model says of each test.", schema: .named("PredictAnswer"), headers: [.serverTiming]),
                refusals: refusals),
        ]
    }

    private var catalogue: [OpenAPIOperation] {
        [
            reading("/models", "listModels", "Every model", "Models", "The models in the store."),
            reading("/models/{model}", "getModel", "One model", "Model", "Its spec, checkpoints and caches.", [Self.modelOfPath]),
            reading("/datasets", "listDatasets", "Every dataset", "Datasets", "The datasets in the store."),
            reading(
                "/datasets/{dataset}", "getDataset", "One dataset", "Dataset", "Its size, shape and digest.", [Self.dataset]),
            reading(
                "/datasets/{dataset}/examples/{index}", "getExample", "One example", "Example",
                "Its input, target and metadata.", [Self.dataset, Self.index]),
        ]
    }

    private func reading(
        _ path: String, _ id: String, _ summary: String, _ schema: String, _ description: String,
        _ parameters: [OpenAPIOperation.Parameter] = []
    ) -> OpenAPIOperation {
        OpenAPIOperation(
            method: .get, path: path, id: id, tag: .catalogue, summary: summary, description: description,
            parameters: parameters, answer: .init(description: description, schema: .named(schema)),
            refusals: protocolRefusals + accessRefusals + (parameters.isEmpty ? [] : [Self.notFound]), hasEntityTag: true)
    }

    private var operational: [OpenAPIOperation] {
        let guarded = protocolRefusals + accessRefusals
        return [
            OpenAPIOperation(
                method: .get, path: "/info", id: "info", tag: .operations, summary: "What runs, on what, how full it is",
                description: "Version, store, BLAS in use, threads, limits and queue.",
                answer: .init(description: "What runs.", schema: .named("Information")), refusals: guarded),
            OpenAPIOperation(
                method: .get, path: "/metrics", id: "metrics", tag: .operations, summary: "Metrics",
                description: "Counters, gauges and histograms in the text format of Prometheus.",
                answer: .init(description: "The metrics.", type: "text/plain; version=0.0.4", schema: .string()),
                refusals: guarded),
            OpenAPIOperation(
                method: .get, path: "/openapi.json", id: "openapi", tag: .operations, summary: "This document",
                description: "The description of this interface for programs.",
                answer: .init(
                    description: "An OpenAPI 3.1 document.",
                    schema: .object(["openapi": .string(pattern: #"^3\.1\."#)], isOpen: true)), refusals: guarded),
            OpenAPIOperation(
                method: .get, path: "/health/live", id: "live", tag: .operations, summary: "Does the service run?",
                description: "For whoever restarts it: anything but 200 means that it hangs. Never behind keys or the queue.",
                answer: .init(description: "It runs.", schema: .named("Live")), refusals: protocolRefusals, isPublic: true),
            OpenAPIOperation(
                method: .get, path: "/health/ready", id: "ready", tag: .operations, summary: "Does the service take requests?",
                description: "For whoever sends it requests. Never behind keys or the queue.",
                answer: .init(description: "It does.", schema: .named("Ready")), refusals: protocolRefusals + [Self.unavailable],
                isPublic: true),
        ]
    }

    static let modelOfPath = OpenAPIOperation.Parameter(
        name: "model", location: .path, description: "The name of a model.", schema: pathName, example: "digits")
    private static let dataset = OpenAPIOperation.Parameter(
        name: "dataset", location: .path, description: "The name of a dataset.", schema: pathName, example: "digits-test")
    private static let index = OpenAPIOperation.Parameter(
        name: "index", location: .path, description: "The row, from 0.", schema: .integer(), example: 3)
    static let pathName = Schema.string(pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
}
